/*
 * Helpers of rust_workers.h: how a task ends, and a pack in one line.
 */
#ifndef RUST_WORKERS_PACK_H
#define RUST_WORKERS_PACK_H

#ifndef RUST_WORKERS_H
#error "include rust_workers.h, which includes this"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ── How a task ends: `return` one of these ── */

/* With an error: its name (NULL: Error), its code (NULL: ERR_RW_TASK_FAILED) and its message. */
static inline int32_t rw_fail_as(const rw_host *host, rw_call *call, const char *name, const char *code, const char *message) {
  rw_error error;
  memset(&error, 0, sizeof error);
  error.size = (uint32_t)sizeof error;
  error.name = rw_str(name);
  error.code = rw_str(code);
  error.message = rw_str(message);
  host->set_error(call, &error);
  return RW_FAILED;
}

static inline int32_t rw_fail(const rw_host *host, rw_call *call, const char *message) {
  return rw_fail_as(host, call, NULL, NULL, message);
}

/* Because of its input: "a string" makes "task '…' takes …; got a string". */
static inline int32_t rw_got(const rw_host *host, rw_call *call, const char *what) {
  rw_fail(host, call, what);
  return RW_INVALID_INPUT;
}

/* Because of its input, in the words of the reader that found the problem. */
static inline int32_t rw_refuse(const rw_host *host, rw_call *call, const rw_reader *reader) {
  static const char before[] = " for option '";
  const char *what = reader->problem ? reader->problem : "a value that it does not take";
  const char *field = reader->problem ? reader->problem_field : NULL;
  size_t what_len = strlen(what), field_len = field ? strlen(field) : 0;
  char words[256];
  if (!field || what_len + field_len > 200) return rw_got(host, call, what);
  memcpy(words, what, what_len);
  memcpy(words + what_len, before, sizeof before - 1);
  memcpy(words + what_len + sizeof before - 1, field, field_len);
  memcpy(words + what_len + sizeof before - 1 + field_len, "'", 2);
  return rw_got(host, call, words);
}

/* With a result that was written; frees the writer. */
static inline int32_t rw_return(const rw_host *host, rw_call *call, rw_writer *writer) {
  rw_value value = rw_written(writer);
  int32_t outcome;
  if (writer->failed) outcome = rw_fail(host, call, "there is no memory for the result, or it is too large");
  else outcome = host->set_result(call, &value) == RW_OK ? RW_OK : RW_FAILED; /* the host has set what is wrong with it */
  rw_free(writer);
  return outcome;
}

static inline int32_t rw_return_number(const rw_host *host, rw_call *call, double number) {
  rw_writer writer = rw_write();
  rw_put_number(&writer, number);
  return rw_return(host, call, &writer);
}

static inline int32_t rw_return_bool(const rw_host *host, rw_call *call, int is) {
  rw_writer writer = rw_write();
  rw_put_bool(&writer, is);
  return rw_return(host, call, &writer);
}

/* With a string of UTF-8, which is copied. */
static inline int32_t rw_return_text(const rw_host *host, rw_call *call, const char *text) {
  rw_writer writer = rw_write();
  rw_put_string(&writer, text);
  return rw_return(host, call, &writer);
}

/* With bytes of any memory, which are copied. `type`: RW_UINT8_ARRAY and so on. */
static inline int32_t rw_return_bytes(const rw_host *host, rw_call *call, uint32_t type, const void *data, size_t len) {
  rw_writer writer = rw_write();
  uint8_t *copy = len > 256 ? host->alloc(call, len) : NULL;
  if (copy) {
    memcpy(copy, data, len);
    rw_put_alloc(&writer, type, copy, len);
  } else if (len > 256) writer.failed = 1;
  else rw_put_bytes(&writer, type, data, len);
  return rw_return(host, call, &writer);
}

/* With memory of `host->alloc`, which is not copied. */
static inline int32_t rw_return_alloc(const rw_host *host, rw_call *call, uint32_t type, uint8_t *data, size_t len) {
  rw_writer writer = rw_write();
  rw_put_alloc(&writer, type, data, len);
  return rw_return(host, call, &writer);
}

/* In a loop: ends the task when it should stop. Costs some nanoseconds. */
#define RW_CHECK(host, call)                                      \
  do {                                                            \
    if ((host)->stop_reason(call) != RW_RUN_ON) return RW_STOPPED; \
  } while (0)

/* ── A pack: RW_PACK("name", "1.0.0", RW_TASK("add", "two numbers", add), …), once, at the end of a file ── */

#define RW_TASK(NAME, TAKES, RUN) RW_TASK_WITH(NAME, TAKES, RUN, 0, NULL)

/* With RW_TASK_… flags, and `data` for `run`. */
#define RW_TASK_WITH(NAME, TAKES, RUN, FLAGS, DATA) \
  { (uint32_t)sizeof(rw_task), (FLAGS), (NAME), (TAKES), (RUN), (DATA) }

#ifdef __cplusplus
#define RW_EXTERN_C extern "C"
#else
#define RW_EXTERN_C
#endif

/* Names of its own end with an underscore, so that a task may be called `list` or `error`. */
#define RW_PACK(NAME, VERSION, ...)                                                                                         \
  RW_EXTERN_C RW_EXPORT const rw_pack *rust_workers_pack(const rw_host *rw_host_, const char **rw_error_);                  \
  RW_EXTERN_C RW_EXPORT const rw_pack *rust_workers_pack(const rw_host *rw_host_, const char **rw_error_) {                 \
    static const rw_task rw_tasks_[] = {__VA_ARGS__};                                                                       \
    static const rw_task *rw_list_[sizeof rw_tasks_ / sizeof rw_tasks_[0]];                                                 \
    static rw_pack rw_pack_ = {(uint32_t)sizeof(rw_pack), RW_ABI, (NAME), (VERSION), NULL, 0};                              \
    size_t rw_nth_;                                                                                                         \
    for (rw_nth_ = 0; rw_nth_ < sizeof rw_tasks_ / sizeof rw_tasks_[0]; rw_nth_++) rw_list_[rw_nth_] = &rw_tasks_[rw_nth_]; \
    rw_pack_.tasks = rw_list_;                                                                                              \
    rw_pack_.tasks_len = rw_nth_;                                                                                           \
    (void)rw_host_;                                                                                                         \
    (void)rw_error_;                                                                                                        \
    return &rw_pack_;                                                                                                       \
  }

#ifdef __cplusplus
}
#endif
#endif
