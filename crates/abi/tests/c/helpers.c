/* The helpers of the header: each function once, as a task uses it. C99 and C++11. */
#include "host.h"

#include <math.h>

static rw_host host;

#define CALL(test) ((rw_call *)(void *)(test))

/* ── A pack, as a file of a user has it ── */

static int32_t area(const rw_host *rw, rw_call *call, const rw_value *input, void *data) {
  rw_reader in = rw_read(input);
  double width = rw_number_field(&in, "width"), height = rw_number_field(&in, "height");
  (void)data;
  if (!rw_ok(&in)) return rw_refuse(rw, call, &in);
  if (width < 0) return rw_fail_as(rw, call, "RangeError", "NEGATIVE", "width is below zero");
  return rw_return_number(rw, call, width * height);
}

static int32_t spin(const rw_host *rw, rw_call *call, const rw_value *input, void *data) {
  (void)input;
  RW_CHECK(rw, call);
  return rw_return_text(rw, call, *(const char *const *)data);
}

static const char *word = "done";

RW_PACK("test", "1.2.3", RW_TASK("area", "an object of two numbers, width and height", area),
        RW_TASK_WITH("spin", NULL, spin, RW_TASK_PARALLEL, &word))

static int32_t run(test_call *test, const rw_task *task, rw_writer *input) {
  rw_value value = rw_written(input);
  int32_t outcome;
  memset(test, 0, sizeof *test);
  outcome = task->run(&host, CALL(test), &value, task->data);
  rw_free(input);
  return outcome;
}

static void packs(void) {
  const char *error = NULL;
  const rw_pack *pack = rust_workers_pack(&host, &error);
  test_call test;
  rw_writer input = rw_write();
  rw_value value;
  rw_reader reader;
  CHECK(pack && !error && pack->size == sizeof *pack && pack->abi == RW_ABI && pack->tasks_len == 2);
  CHECK(strcmp(pack->name, "test") == 0 && strcmp(pack->version, "1.2.3") == 0);
  CHECK(pack->tasks[0]->size == sizeof(rw_task) && strcmp(pack->tasks[0]->name, "area") == 0 && pack->tasks[0]->flags == 0);
  CHECK(pack->tasks[1]->flags == RW_TASK_PARALLEL && pack->tasks[1]->takes == NULL);

  rw_put_object(&input, 2);
  rw_put_string(&input, "height");
  rw_put_number(&input, 2.5);
  rw_put_string(&input, "width");
  rw_put_number(&input, 4);
  CHECK(run(&test, pack->tasks[0], &input) == RW_OK);
  value = test_result(&test);
  reader = rw_read(&value);
  CHECK(rw_get_number(&reader) == 10 && rw_ok(&reader));

  rw_put_object(&input, 1);
  rw_put_string(&input, "width");
  rw_put_string(&input, "four");
  CHECK(run(&test, pack->tasks[0], &input) == RW_INVALID_INPUT);
  CHECK(strcmp(test.message, "a string for option 'width'") == 0);

  rw_put_object(&input, 1);
  rw_put_string(&input, "width");
  rw_put_number(&input, -1);
  CHECK(run(&test, pack->tasks[0], &input) == RW_INVALID_INPUT);
  CHECK(strcmp(test.message, "undefined for option 'height'") == 0);

  rw_put_array(&input, 0);
  CHECK(run(&test, pack->tasks[0], &input) == RW_INVALID_INPUT);
  CHECK(strcmp(test.message, "an array") == 0);

  rw_put_object(&input, 2);
  rw_put_string(&input, "width");
  rw_put_number(&input, -1);
  rw_put_string(&input, "height");
  rw_put_number(&input, 1);
  CHECK(run(&test, pack->tasks[0], &input) == RW_FAILED);
  CHECK(strcmp(test.name, "RangeError") == 0 && strcmp(test.code, "NEGATIVE") == 0);
  CHECK(strcmp(test.message, "width is below zero") == 0);

  rw_put_undefined(&input);
  CHECK(run(&test, pack->tasks[1], &input) == RW_OK);
  value = test_result(&test);
  reader = rw_read(&value);
  CHECK(rw_text_is(rw_get_text(&reader), "done"));
  memset(&test, 0, sizeof test);
  test.stop = RW_STOP_TIMEOUT;
  CHECK(spin(&host, CALL(&test), &value, &word) == RW_STOPPED && test.wire_len == 0);
}

static void results(void) {
  static uint8_t bytes[1000];
  test_call test;
  rw_value value;
  rw_reader reader;
  rw_block block;
  size_t nth;
  for (nth = 0; nth < sizeof bytes; nth++) bytes[nth] = (uint8_t)nth;

  memset(&test, 0, sizeof test);
  CHECK(rw_return_bool(&host, CALL(&test), 7) == RW_OK && test.wire_len == 2 && test.wire[1] == RW_TRUE);

  /* Few bytes in the value, many in memory of the host. */
  CHECK(rw_return_bytes(&host, CALL(&test), RW_UINT16_ARRAY, bytes, 6) == RW_OK && test.memory == NULL);
  value = test_result(&test);
  reader = rw_read(&value);
  block = rw_get_bytes(&reader);
  CHECK(block.type == RW_UINT16_ARRAY && block.len == 6 && !block.own && rw_elements(&block) == 3);
  CHECK(rw_element(&block, 2) == 0x0504 && isnan(rw_element(&block, 3)));

  CHECK(rw_return_bytes(&host, CALL(&test), RW_BUFFER, bytes, sizeof bytes) == RW_OK && test.memory_len == sizeof bytes);
  value = test_result(&test);
  reader = rw_read(&value);
  block = rw_get_bytes(&reader);
  CHECK(block.own == test.memory && block.len == sizeof bytes && memcmp(block.data, bytes, sizeof bytes) == 0);
  CHECK(block.kind == RW_PART_BYTES && reader.at == reader.end);

  CHECK(rw_return_alloc(&host, CALL(&test), RW_BUFFER, test.memory, 10) == RW_OK && test.parts[0].len == 10);
  free(test.memory);

  memset(&test, 0, sizeof test);
  test.refuses_memory = 1;
  CHECK(rw_return_bytes(&host, CALL(&test), RW_BUFFER, bytes, sizeof bytes) == RW_FAILED && test.wire_len == 0);
  CHECK(strcmp(test.message, "there is no memory for the result, or it is too large") == 0);

  CHECK(rw_fail(&host, CALL(&test), "no") == RW_FAILED && strcmp(test.message, "no") == 0 && !test.name[0] && !test.code[0]);
  CHECK(rw_got(&host, CALL(&test), "a tree") == RW_INVALID_INPUT && strcmp(test.message, "a tree") == 0);

  /* A key that does not fit the message is left out. */
  memset(&reader, 0, sizeof reader);
  reader.problem = "a string";
  reader.problem_field =
      "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
      "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
  CHECK(rw_refuse(&host, CALL(&test), &reader) == RW_INVALID_INPUT && strcmp(test.message, "a string") == 0);
}

/* Each kind of value that a writer makes, as a reader finds it. */
static void values(void) {
  static const double numbers[] = {0, 1, 127, 128, -1, 2147483647, -2147483648.0, 2147483648.0, 0.5, 1e300, -0.0};
  static const int64_t whole[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  rw_writer writer = rw_write();
  rw_value value;
  rw_reader reader;
  rw_block block, again;
  uint8_t memory[16] = {1, 2, 3};
  size_t nth;
  const size_t all = sizeof numbers / sizeof numbers[0], words = sizeof whole / sizeof whole[0];

  rw_put_array(&writer, all + words + 12);
  for (nth = 0; nth < all; nth++) rw_put_number(&writer, numbers[nth]);
  for (nth = 0; nth < words; nth++) rw_put_bigint(&writer, whole[nth]);
  rw_put_number(&writer, NAN);
  rw_put_undefined(&writer);
  rw_put_null(&writer);
  rw_put_bool(&writer, 0);
  rw_put_date(&writer, 1e12);
  rw_put_text(&writer, rw_str(NULL));
  rw_put_set(&writer, 1);
  rw_put_string(&writer, "\xc3\xa9");
  rw_put_map(&writer, 1);
  rw_put_number(&writer, 3);
  rw_put_bytes(&writer, RW_FLOAT64_ARRAY, numbers + 8, 16);
  rw_put_error(&writer, "TypeError", "wrong");
  rw_put_alloc(&writer, RW_INT8_ARRAY, memory, 3);
  block = rw_block_of(RW_INT32_ARRAY, RW_PART_SHARED, memory, memory, 16);
  rw_put_block(&writer, &block);
  block = rw_block_of(RW_DATA_VIEW, RW_PART_BYTES, memory, NULL, 2);
  rw_put_block(&writer, &block);
  CHECK(!writer.failed);

  value = rw_written(&writer);
  reader = rw_read(&value);
  CHECK(rw_get_array(&reader) == all + words + 12);
  for (nth = 0; nth < all; nth++) {
    double number = rw_get_number(&reader);
    CHECK(memcmp(&number, &numbers[nth], sizeof number) == 0);
  }
  for (nth = 0; nth < words; nth++) CHECK(rw_get_integer(&reader) == whole[nth]);
  CHECK(isnan(rw_get_number(&reader)));
  CHECK(rw_peek(&reader) == RW_IS_UNDEFINED);
  rw_skip(&reader);
  CHECK(rw_peek(&reader) == RW_IS_NULL);
  rw_skip(&reader);
  CHECK(rw_get_bool(&reader) == 0 && rw_ok(&reader));
  CHECK(rw_get_date(&reader) == 1e12);
  CHECK(rw_peek(&reader) == RW_IS_TEXT && rw_text_is(rw_get_text(&reader), ""));
  CHECK(rw_get_set(&reader) == 1 && rw_text_is(rw_get_text(&reader), "\xc3\xa9"));
  CHECK(rw_get_map(&reader) == 1 && rw_get_number(&reader) == 3);
  block = rw_get_bytes(&reader);
  CHECK(rw_elements(&block) == 2 && rw_element(&block, 0) == 0.5 && rw_element(&block, 1) == 1e300);
  CHECK(rw_peek(&reader) == RW_IS_ERROR);
  rw_skip(&reader);
  block = rw_get_bytes(&reader);
  CHECK(block.own == memory && block.len == 3 && block.type == RW_INT8_ARRAY);
  again = rw_get_shared(&reader);
  CHECK(again.own == memory && again.kind == RW_PART_SHARED && rw_elements(&again) == 4);
  block = rw_get_bytes(&reader);
  CHECK(block.type == RW_DATA_VIEW && block.len == 2 && block.data[1] == 2 && !block.own);
  CHECK(rw_ok(&reader) && reader.at == reader.end);

  /* The same, passed as a whole; and then there is nothing more. */
  reader = rw_read(&value);
  rw_skip(&reader);
  CHECK(rw_ok(&reader) && reader.at == reader.end && rw_peek(&reader) == RW_IS_NOTHING);
  rw_skip(&reader);
  CHECK(!rw_ok(&reader));
  rw_free(&writer);
  CHECK(rw_written(&writer).wire_len == 0);
}

/* What a reader refuses, and in which words; and that it stays so. */
static void problem(rw_writer *writer, const char *expected, int kind) {
  rw_value value = rw_written(writer);
  rw_reader reader = rw_read(&value);
  rw_block block;
  switch (kind) {
    case RW_IS_NUMBER: CHECK(rw_get_number(&reader) == 0); break;
    case RW_IS_BIGINT: CHECK(rw_get_integer(&reader) == 0); break;
    case RW_IS_TEXT: CHECK(rw_get_text(&reader).len == 0); break;
    case RW_IS_BYTES: block = rw_get_bytes(&reader); CHECK(block.len == 0 && !block.data); break;
    case RW_IS_SHARED: block = rw_get_shared(&reader); CHECK(block.len == 0 && !block.own); break;
    case RW_IS_PORT: CHECK(rw_get_port(&reader) == SIZE_MAX); break;
    default: CHECK(rw_get_object(&reader) == 0); break;
  }
  if (!reader.problem || strcmp(reader.problem, expected) != 0) fprintf(stderr, "%s\n", reader.problem ? reader.problem : "none");
  CHECK(reader.problem && strcmp(reader.problem, expected) == 0);
  CHECK(rw_get_number(&reader) == 0 && rw_get_array(&reader) == 0 && !rw_has(&reader, "x") && !rw_ok(&reader));
  CHECK(strcmp(reader.problem, expected) == 0 && reader.at == reader.end);
  rw_free(writer);
}

static void problems(void) {
  rw_writer writer = rw_write();
  rw_value value;
  rw_reader reader, field;
  problem(&writer, "a value that ends too soon", RW_IS_NUMBER);
  rw_put_raw(&writer, NULL, 0);
  problem(&writer, "a value that cannot be read", RW_IS_NUMBER);
  rw_put_bool(&writer, 1);
  problem(&writer, "a boolean", RW_IS_NUMBER);
  rw_put_number(&writer, 1.5);
  problem(&writer, "a number that is no integer", RW_IS_BIGINT);
  rw_put_number(&writer, NAN);
  problem(&writer, "a number that is no integer", RW_IS_BIGINT);
  rw_put_number(&writer, 1e19);
  problem(&writer, "a number that is no integer", RW_IS_BIGINT);
  rw_put_raw(&writer, "\x86\0\2\0\0\0" "\1\0\0\0\0\0\0\0" "\1\0\0\0\0\0\0\0", 22);
  problem(&writer, "a BigInt of more than 64 bits", RW_IS_BIGINT);
  rw_put_raw(&writer, "\x86\1\1\0\0\0" "\1\0\0\0\0\0\0\x80", 14);
  problem(&writer, "a BigInt of more than 64 bits", RW_IS_BIGINT);
  rw_put_raw(&writer, "\x89\1\0\0\0\0\xd8", 7);
  problem(&writer, "a string with half a character (a lone surrogate)", RW_IS_TEXT);
  rw_put_raw(&writer, "\x88\xff\xff\xff\xff", 5);
  problem(&writer, "a value that ends too soon", RW_IS_TEXT);
  rw_put_raw(&writer, "\x94\4\0\0\0\0", 6);
  problem(&writer, "a value without one of its parts", RW_IS_BYTES);
  rw_put_alloc(&writer, RW_BUFFER, NULL, 0);
  problem(&writer, "bytes", RW_IS_SHARED);
  rw_put_raw(&writer, "\xa1\0\0\0\0", 5);
  problem(&writer, "a value without one of its parts", RW_IS_PORT);
  rw_put_object(&writer, 1000);
  problem(&writer, "a value that ends too soon", RW_IS_OBJECT);

  /* A value of an object names its key, also in the object; the innermost one. */
  rw_put_object(&writer, 1);
  rw_put_string(&writer, "a");
  rw_put_object(&writer, 2);
  rw_put_string(&writer, "b");
  rw_put_null(&writer);
  rw_put_string(&writer, "\xf0\x9f\x98\x80");
  rw_put_bool(&writer, 1);
  value = rw_written(&writer);
  reader = rw_read(&value);
  CHECK(rw_has(&reader, "a") && !rw_has(&reader, "b") && rw_ok(&reader));
  field = rw_field(&reader, "a");
  CHECK(rw_ok(&field) && rw_has(&field, "b") && rw_bool_field(&field, "\xf0\x9f\x98\x80") == 1);
  CHECK(rw_text_field(&field, "b").len == 0 && strcmp(field.problem, "null") == 0 && strcmp(field.problem_field, "b") == 0);
  CHECK(rw_ok(&reader) && rw_integer_field(&reader, "a") == 0);
  CHECK(strcmp(reader.problem, "an object") == 0 && strcmp(reader.problem_field, "a") == 0);
  CHECK(rw_bytes_field(&reader, "a").len == 0 && strcmp(reader.problem_field, "a") == 0);
  rw_free(&writer);

  /* No value: no wire at all. */
  memset(&value, 0, sizeof value);
  reader = rw_read(&value);
  CHECK(!rw_ok(&reader) && rw_peek(&reader) == RW_IS_NOTHING);
}

static void elements(void) {
  static const struct {
    uint32_t type;
    const char *bytes;
    double number;
  } cases[] = {
      {RW_INT8_ARRAY, "\x80", -128}, {RW_UINT8_CLAMPED_ARRAY, "\x80", 128}, {RW_INT16_ARRAY, "\xfe\xff", -2},
      {RW_UINT16_ARRAY, "\xfe\xff", 65534}, {RW_INT32_ARRAY, "\0\0\0\x80", -2147483648.0},
      {RW_UINT32_ARRAY, "\0\0\0\x80", 2147483648.0}, {RW_FLOAT32_ARRAY, "\0\0\xc0\xbf", -1.5},
      {RW_FLOAT64_ARRAY, "\0\0\0\0\0\0\xf8\x3f", 1.5}, {RW_BIG_INT64_ARRAY, "\xfe\xff\xff\xff\xff\xff\xff\xff", -2},
      {RW_BIG_INT64_ARRAY, "\0\0\0\0\0\0\0\x80", -9223372036854775808.0},
      {RW_BIG_UINT64_ARRAY, "\0\0\0\0\0\0\0\x80", 9223372036854775808.0}, {RW_FLOAT16_ARRAY, "\0\x3e", 1.5},
      {RW_FLOAT16_ARRAY, "\1\x80", -1.0 / 16777216.0}, {RW_FLOAT16_ARRAY, "\xff\x7b", 65504}, {RW_FLOAT16_ARRAY, "\0\xfc", -INFINITY},
      {RW_BUFFER, "\x81", 129}, {99, "\7", 7}};
  size_t nth;
  for (nth = 0; nth < sizeof cases / sizeof cases[0]; nth++) {
    uint8_t odd[9]; /* at an address that no element has */
    rw_block block;
    memcpy(odd + 1, cases[nth].bytes, rw_element_size(cases[nth].type));
    block = rw_block_of(cases[nth].type, RW_PART_BYTES, odd + 1, NULL, rw_element_size(cases[nth].type));
    CHECK(rw_elements(&block) == 1 && rw_element(&block, 0) == cases[nth].number);
  }
}

int main(void) {
  host = test_host();
  packs();
  results();
  values();
  problems();
  elements();
  puts("ok");
  return 0;
}
