/*
 * rust_workers_napi.h: the engine of a pool in an addon of one's own (docs/shared-engine.md). It needs node_api.h, of Node-API 8.
 */
#ifndef RUST_WORKERS_NAPI_H
#define RUST_WORKERS_NAPI_H

#include <node_api.h>

#include "rust_workers.h"

/*
 * The engine that `pool.engine` is, or NULL where a value is none, or one of another version. It is borrowed from the value: who keeps it
 * beyond the call retains its pool, `engine->retain(engine->pool)`, and then has the engine for as long, on any thread.
 */
static inline const rw_engine *rw_engine_from(napi_env env, napi_value value) {
  napi_type_tag tag;
  napi_valuetype type;
  void *data = NULL;
  bool is_engine = false;
  const rw_engine *engine;
  tag.lower = RW_ENGINE_TAG_LOWER;
  tag.upper = RW_ENGINE_TAG_UPPER;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return NULL;
  if (napi_check_object_type_tag(env, value, &tag, &is_engine) != napi_ok || !is_engine) return NULL;
  if (napi_get_value_external(env, value, &data) != napi_ok) return NULL;
  engine = (const rw_engine *)data;
  return engine && engine->abi == RW_ABI && engine->size >= sizeof(rw_engine) ? engine : NULL;
}

#endif
