/*
 * An addon that has no threads of its own: its work runs on those of a rust-workers pool, as `pool.engine` gives them.
 *
 *   addon.sumOfSquares(pool.engine, 1e6)   // a promise of a number
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "rust_workers_napi.h"

/* One for each JavaScript thread that loads the addon. It is there until that thread and all of its jobs have ended. */
typedef struct addon {
  napi_threadsafe_function settle;
  size_t pending; /* of JavaScript's thread: promises to settle */
  pthread_mutex_t lock; /* of what follows */
  size_t holders; /* JavaScript's thread, and each job */
  bool has_ended; /* `settle` is gone */
} addon;

/* One call, from JavaScript to a thread of the pool and back. */
typedef struct job {
  addon *own;
  double count;
  napi_deferred promise;
  double result;
  char error[256]; /* empty: there is a result */
} job;

static void let_go(addon *own) { /* locked */
  bool is_last = --own->holders == 0;
  pthread_mutex_unlock(&own->lock);
  if (!is_last) return;
  pthread_mutex_destroy(&own->lock);
  free(own);
}

/* On a thread of the pool. */
static int32_t work(const rw_host *host, rw_call *call, const rw_value *input, void *data) {
  const job *this_job = (const job *)data;
  double sum = 0, number;
  (void)input; /* what is needed stands in the job */
  for (number = 1; number <= this_job->count; number++) {
    sum += number * number;
    if ((uint64_t)number % 65536 == 0) RW_CHECK(host, call); /* a cancelled call, a closed pool */
  }
  return rw_return_number(host, call, sum);
}

/* Exactly once for each job, on a thread of the pool or on the one that closes it: it must not block. */
static void done(void *data, int32_t outcome, const rw_value *result, const rw_error *error) {
  job *this_job = (job *)data;
  addon *own = this_job->own;
  if (outcome == RW_OK) {
    rw_reader reader = rw_read(result);
    this_job->result = rw_get_number(&reader);
  } else {
    snprintf(this_job->error, sizeof this_job->error, "%.*s", (int)error->message.len, error->message.data);
  }
  pthread_mutex_lock(&own->lock);
  /* Where JavaScript's thread has ended, nobody waits for the result. */
  if (own->has_ended || napi_call_threadsafe_function(own->settle, this_job, napi_tsfn_nonblocking) != napi_ok) free(this_job);
  let_go(own);
}

/* On JavaScript's thread; without an `env` where that is about to end. */
static void settled(napi_env env, napi_value unused, void *context, void *data) {
  addon *own = (addon *)context;
  job *this_job = (job *)data;
  napi_value value, message;
  (void)unused;
  if (env != NULL) {
    if (--own->pending == 0) napi_unref_threadsafe_function(env, own->settle);
    if (this_job->error[0]) {
      napi_create_string_utf8(env, this_job->error, NAPI_AUTO_LENGTH, &message);
      napi_create_error(env, NULL, message, &value);
      napi_reject_deferred(env, this_job->promise, value);
    } else {
      napi_create_double(env, this_job->result, &value);
      napi_resolve_deferred(env, this_job->promise, value);
    }
  }
  free(this_job);
}

static const char *why(int32_t refusal) {
  switch (refusal) {
    case RW_FULL: return "the pool's queue is full: try again later";
    case RW_CLOSED: return "the pool is closed";
    default: return "the pool refuses the work";
  }
}

/* sumOfSquares(engine, count) */
static napi_value sum_of_squares(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value given[2], promise;
  addon *own;
  const rw_engine *engine;
  rw_submission submission;
  job *this_job;
  int32_t outcome;
  napi_get_cb_info(env, info, &argc, given, NULL, (void **)&own);
  engine = rw_engine_from(env, given[0]);
  if (engine == NULL) {
    napi_throw_type_error(env, NULL, "the first argument must be the engine of a pool of rust-workers: pool.engine");
    return NULL;
  }
  this_job = (job *)calloc(1, sizeof *this_job);
  if (this_job == NULL || napi_get_value_double(env, given[1], &this_job->count) != napi_ok) {
    free(this_job);
    napi_throw_type_error(env, NULL, "the second argument must be a number");
    return NULL;
  }
  this_job->own = own;
  memset(&submission, 0, sizeof submission);
  submission.size = sizeof submission;
  submission.run = work;
  submission.timeout_ns = RW_FOREVER;
  submission.done = done;
  submission.data = this_job;

  napi_create_promise(env, &this_job->promise, &promise);
  if (own->pending++ == 0) napi_ref_threadsafe_function(env, own->settle);
  /* Before it is submitted: `done` may be called at any time from then on. */
  pthread_mutex_lock(&own->lock);
  own->holders++;
  pthread_mutex_unlock(&own->lock);
  outcome = engine->submit(engine->pool, &submission, NULL);
  if (outcome != RW_OK) { /* `done` will not be called */
    snprintf(this_job->error, sizeof this_job->error, "%s", why(outcome));
    settled(env, NULL, own, this_job);
    pthread_mutex_lock(&own->lock);
    let_go(own);
  }
  return promise;
}

/* JavaScript's thread ends: from now on `settle` must not be called. */
static void ended(void *data) {
  addon *own = (addon *)data;
  pthread_mutex_lock(&own->lock);
  own->has_ended = true;
  let_go(own);
}

NAPI_MODULE_INIT() {
  addon *own = (addon *)calloc(1, sizeof *own);
  napi_value name, function;
  if (own == NULL) return NULL;
  pthread_mutex_init(&own->lock, NULL);
  own->holders = 1;
  napi_create_string_utf8(env, "shared-engine", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, own, settled, &own->settle);
  napi_unref_threadsafe_function(env, own->settle); /* idle, it keeps no event loop alive */
  napi_add_env_cleanup_hook(env, ended, own); /* after `settle` was made, so that it is called before that goes */
  napi_create_function(env, "sumOfSquares", NAPI_AUTO_LENGTH, sum_of_squares, own, &function);
  napi_set_named_property(env, exports, "sumOfSquares", function);
  return exports;
}
