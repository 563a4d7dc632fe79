/* A host that keeps what a task tells it. */
#ifndef TEST_HOST_H
#define TEST_HOST_H

#include "check.h"

/* What an rw_call is here. */
typedef struct test_call {
  uint32_t stop;
  uint8_t *memory; /* of alloc: one block a call */
  size_t memory_len;
  int refuses_memory;
  uint8_t wire[4096]; /* the result */
  size_t wire_len;
  rw_part parts[4];
  size_t parts_len;
  char name[64], code[64], message[512];
} test_call;

static test_call *test_of(rw_call *call) { return (test_call *)(void *)call; }

static uint32_t test_stop_reason(rw_call *call) { return test_of(call)->stop; }

static uint8_t *test_alloc(rw_call *call, size_t len) {
  test_call *test = test_of(call);
  if (test->refuses_memory) return NULL;
  CHECK(test->memory == NULL);
  test->memory = (uint8_t *)calloc(1, len ? len : 1);
  test->memory_len = len;
  return test->memory;
}

static int32_t test_set_result(rw_call *call, const rw_value *result) {
  test_call *test = test_of(call);
  CHECK(result->wire_len <= sizeof test->wire && result->parts_len <= 4);
  memcpy(test->wire, result->wire, result->wire_len);
  test->wire_len = result->wire_len;
  if (result->parts_len) memcpy(test->parts, result->parts, result->parts_len * sizeof(rw_part));
  test->parts_len = result->parts_len;
  return RW_OK;
}

static void test_copy(char *to, size_t room, rw_text text) {
  CHECK(text.len < room);
  if (text.len) memcpy(to, text.data, text.len);
  to[text.len] = 0;
}

static void test_set_error(rw_call *call, const rw_error *error) {
  test_call *test = test_of(call);
  CHECK(error->size == sizeof *error);
  test_copy(test->name, sizeof test->name, error->name);
  test_copy(test->code, sizeof test->code, error->code);
  test_copy(test->message, sizeof test->message, error->message);
}

static rw_host test_host(void) {
  rw_host host;
  memset(&host, 0, sizeof host);
  host.size = (uint32_t)sizeof host;
  host.abi = RW_ABI;
  host.stop_reason = test_stop_reason;
  host.alloc = test_alloc;
  host.set_result = test_set_result;
  host.set_error = test_set_error;
  return host;
}

static rw_value test_result(const test_call *test) {
  rw_value value;
  value.wire = test->wire;
  value.wire_len = test->wire_len;
  value.parts = test->parts;
  value.parts_len = test->parts_len;
  return value;
}

#endif
