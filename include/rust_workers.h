/*
 * rust_workers.h: tasks of one's own on the threads of rust-workers, in C or in any language that can make a library with one
 * exported C function. docs/c-packs.md shows how, step by step.
 *
 * A library that exports `rust_workers_pack` is a *pack*: a list of named tasks. `pool.use(path)` loads it, and
 * `pool.run(name, input)` runs them as it runs the built-in ones. Packs are never unloaded.
 *
 * This header is the interface, version 1: the one file that both sides agree on. Its rules:
 *
 *  - Structs that begin with `size` grow at their end. Who makes one sets `size` to sizeof; who reads one reads no member beyond it.
 *  - Memory is freed by the side that made it. What the host shows (`rw_value`, `rw_text`) is borrowed until the call ends, or until
 *    `release`; what a task shows to the host is copied before the host's function returns.
 *  - A task must not let an exception, a panic or a longjmp out, nor end its thread. abort() and a crash end the process: a pack is code
 *    of yours in it.
 *  - A task runs on a thread of the pool, several at a time. An `rw_call` belongs to the thread that was given it, until it returns.
 *  - Texts are UTF-8. Numbers in values are little endian.
 */
#ifndef RUST_WORKERS_H
#define RUST_WORKERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface: a pack and a host of different versions refuse each other. */
#define RW_ABI 1u

#if defined(_WIN32)
#define RW_EXPORT __declspec(dllexport)
#else
#define RW_EXPORT __attribute__((visibility("default")))
#endif

/* ── Texts and values ──────────────────────────────────────────────────────────────────────────── */

/* UTF-8, with no zero at its end. */
typedef struct rw_text {
  const char *data;
  size_t len;
} rw_text;

/* What a part is. */
enum {
  RW_PART_BYTES = 0, /* a block of bytes: the task has it to itself, and may write to it */
  RW_PART_SHARED = 1, /* shared memory: JavaScript may write to it at any time, so use atomic or volatile access */
  RW_PART_PORT = 2 /* a port of a MessageChannel: `data` is NULL, `len` 0; port_send and port_receive take its index */
};

/* A part of a value that stands beside its wire form. Blocks are aligned to 8 bytes; shared memory as its view is. */
typedef struct rw_part {
  uint32_t kind;
  uint32_t reserved; /* 0 */
  uint8_t *data;
  size_t len;
} rw_part;

/* A JavaScript value in its wire form (at the end of this file), and its parts. */
typedef struct rw_value {
  const uint8_t *wire;
  size_t wire_len;
  const rw_part *parts;
  size_t parts_len;
} rw_value;

/* ── Outcomes ──────────────────────────────────────────────────────────────────────────────────── */

/* What a task, and most functions of the host, return. */
enum {
  RW_OK = 0,
  RW_STOPPED = 1, /* the task was told to stop, and did */
  RW_FAILED = 2, /* the error is that of set_error */
  RW_INVALID_INPUT = 3, /* the task does not take this input: the message of set_error says what it got */
  RW_PANICKED = 4, /* the code of the task is at fault: the message of set_error says how */
  RW_CLOSED = 5, /* of a port: the other end is gone */
  RW_TIMED_OUT = 6, /* of a wait: nothing came in time */
  RW_REFUSED = 7, /* the host does not do this: an argument is wrong, or this pool has no such thing */
  RW_FULL = 8 /* of submit: the queue is full */
};

/* Why a call should stop; 0: it should not. */
enum { RW_RUN_ON = 0, RW_STOP_CANCELLED = 1, RW_STOP_TIMEOUT = 2, RW_STOP_CLOSING = 3 };

/* An error, as JavaScript will see it. */
typedef struct rw_error {
  uint32_t size;
  uint32_t reserved; /* 0 */
  rw_text name; /* 'RangeError', …; empty: 'Error' */
  rw_text code; /* error.code; empty: ERR_RW_TASK_FAILED */
  rw_text message;
} rw_error;

/* For `timeout_ns`: wait for as long as the task may run. */
#define RW_FOREVER UINT64_MAX

/* ── What the host gives a running task ────────────────────────────────────────────────────────── */

/* One run of a task, or one part of parallel_for. */
typedef struct rw_call rw_call;

/* The work on one part. */
typedef int32_t (*rw_part_fn)(rw_call *call, size_t index, void *data);

typedef struct rw_host {
  uint32_t size;
  uint32_t abi; /* RW_ABI of the host */

  /* Why this call should stop, or RW_RUN_ON. Some nanoseconds: ask at least once in a millisecond of work, and return RW_STOPPED. */
  uint32_t (*stop_reason)(rw_call *call);

  /* Sleeps. RW_OK, or RW_STOPPED as soon as the call should stop. */
  int32_t (*sleep)(rw_call *call, uint64_t nanoseconds);

  /* `len` zero bytes for the result, aligned to 8; NULL when there is no memory. The host's: freed when the call ends, or part
   * of the result without a copy. */
  uint8_t *(*alloc)(rw_call *call, size_t len);

  /* Sets the result (without it: undefined). Each part must be memory of `alloc`, the whole of it or its beginning; or a part of the
   * input, whole. Only the last result counts. RW_OK or RW_REFUSED: then the task fails with what is wrong with the value. */
  int32_t (*set_result)(rw_call *call, const rw_value *result);

  /* Sets the error of a task that returns RW_FAILED, RW_INVALID_INPUT or RW_PANICKED. */
  void (*set_error)(rw_call *call, const rw_error *error);

  /* Tells onProgress of the caller. Parts are copied. RW_OK, also where nobody listens; RW_STOPPED; RW_REFUSED for what is no value. */
  int32_t (*progress)(rw_call *call, const rw_value *report);

  /* How many threads may work on parallel_for at the most, this one included. */
  size_t (*threads)(rw_call *call);

  /* Does `work` for each index below `count`, here and on free threads of the pool; returns when all are done. RW_OK, or the first
   * other outcome of a part, whose error is then that of this call. In a part only stop_reason, sleep and set_error may be used. */
  int32_t (*parallel_for)(rw_call *call, size_t count, rw_part_fn work, void *data);

  /* The next message of a port of the input, by the index of its part. RW_OK, RW_CLOSED, RW_TIMED_OUT, RW_STOPPED; RW_REFUSED
   * for an index that is no port, and for a message that only JavaScript can read. */
  int32_t (*port_receive)(rw_call *call, size_t part, uint64_t timeout_ns, rw_value *message);

  /* Sends a message; waits for room where the channel has a limit. Parts are copied. Outcomes as above. */
  int32_t (*port_send)(rw_call *call, size_t part, uint64_t timeout_ns, const rw_value *message);

  /* Calls a function of the script of the pool, and waits for what it returns. RW_OK: `output` is that; RW_FAILED: `output` is what it
   * threw; RW_STOPPED, with no output; RW_REFUSED: `output` is the error that says why (a pool without a script, no such function). */
  int32_t (*call_js)(rw_call *call, rw_text function, const rw_value *input, rw_value *output);

  /* Frees what port_receive or call_js has shown, before the call ends. */
  void (*release)(rw_call *call, const rw_value *value);
} rw_host;

/* ── Tasks and packs ───────────────────────────────────────────────────────────────────────────── */

/* Facts about a task. */
enum {
  /* It changes shared memory where it is: no other native task has it meanwhile. Without this it only reads, with other readers. */
  RW_TASK_IN_PLACE = 1u,
  /* It uses parallel_for: run takes `parallel: true`, which stands in the input then, `{ ..., parallel: true }`. */
  RW_TASK_PARALLEL = 2u,
  /* It uses shared memory by atomic operations, with others: none is kept away from it. */
  RW_TASK_ATOMIC = 4u
};

/* Runs a task; returns RW_OK, RW_STOPPED, RW_FAILED, RW_INVALID_INPUT or RW_PANICKED. `data`: of the task. */
typedef int32_t (*rw_run_fn)(const rw_host *host, rw_call *call, const rw_value *input, void *data);

typedef struct rw_task {
  uint32_t size;
  uint32_t flags;
  const char *name; /* as pool.run takes it; ends with a zero */
  const char *takes; /* completes "task '…' takes …" where an input is refused; may be NULL */
  rw_run_fn run;
  void *data;
} rw_task;

typedef struct rw_pack {
  uint32_t size;
  uint32_t abi; /* RW_ABI of the pack */
  const char *name;
  const char *version;
  const rw_task *const *tasks;
  size_t tasks_len;
} rw_pack;

/* What a pack exports: its tasks, which must live as long as the process. It is called once. NULL: the pack does not load; then
 * `*error` may be set to why, a text that ends with a zero. `host` too lives as long as the process. */
typedef const rw_pack *(*rw_pack_fn)(const rw_host *host, const char **error);
#define RW_PACK_SYMBOL "rust_workers_pack"

/* ── The pool, for other addons in the process ─────────────────────────────────────────────────── */

/* A pool, by a counted reference. */
typedef struct rw_pool rw_pool;

/* Called once for each accepted submission, on a thread of the pool, or on the one that cancels, closes or submits, or on that which
 * watches time limits: it must not block. It may submit and cancel. RW_OK with the result; RW_FAILED, RW_STOPPED with the error; all
 * borrowed until it returns. */
typedef void (*rw_done_fn)(void *data, int32_t outcome, const rw_value *result, const rw_error *error);

typedef struct rw_submission {
  uint32_t size;
  int32_t priority;
  const char *task; /* a native task by its name; NULL: `run` is the task */
  rw_run_fn run; /* where `task` is NULL: given `data` */
  rw_value input; /* copied; parts too. Zeroes: undefined */
  uint64_t timeout_ns; /* RW_FOREVER, or how long it may take from now on */
  rw_done_fn done;
  void *data; /* for `done`, and for `run` */
} rw_submission;

/* The engine: what `pool.engine` of JavaScript is the napi_external of, with the type tag RW_ENGINE_TAG. */
typedef struct rw_engine {
  uint32_t size;
  uint32_t abi;
  rw_pool *pool; /* borrowed from the external: retain it to keep it, and this table with it */

  /* One release for each retain: one too many frees what others use. */
  rw_pool *(*retain)(rw_pool *pool);
  void (*release)(rw_pool *pool);

  /* Submits. RW_OK, and its id where `id` is not NULL, written before `done` can be called: `done` will be called. RW_FULL, RW_CLOSED,
   * RW_REFUSED: it will not be. The library that `run` and `done` are of stays in the process. */
  int32_t (*submit)(rw_pool *pool, const rw_submission *submission, uint64_t *id);

  /* Asks a submission to stop; `done` is called all the same. Whether it was there. */
  int32_t (*cancel)(rw_pool *pool, uint64_t id);

  /* How many threads the pool may have. */
  size_t (*threads)(rw_pool *pool);
} rw_engine;

#define RW_ENGINE_TAG_LOWER 0x5d1f7a30c2b94e86ull
#define RW_ENGINE_TAG_UPPER 0x9b64e01f3ad85c27ull

/* ── The wire form ─────────────────────────────────────────────────────────────────────────────────
 *
 * Byte 0 is RW_WIRE_HEADER. Then one value follows: a tag, and what belongs to it.
 *
 *   00 … 7f            an integer, itself
 *   80 81 82 83        undefined, null, false, true
 *   84 i32             an integer (not -0)
 *   85 f64             a number
 *   86 u8 u32 u64…     a BigInt: 1 below zero; how many words; the magnitude's words, the lowest first
 *   88 u32 bytes…      a text, UTF-8
 *   89 u32 u16…        a text that is no Unicode (a lone surrogate): its UTF-16 units. Hosts write it, readers may refuse it
 *   8a f64             a Date: milliseconds since 1970; NaN: invalid
 *   8b u32 values…     an array
 *   8f u32 (text value)…   an object: each key is a text with its tag
 *   90 u32 (value value)…  a Map          91 u32 values…   a Set
 *   92 text u8 …       an Error: the name of its class; flags (1 message, 2 stack, 4 a name of its own); [its name]; [message]; [stack], all
 *                      texts; u32 n, n × (text value): its other properties, `code` and `cause` among them
 *   93 u8 u32 bytes…   a block of bytes in place: what it is (RW_BYTES_…), and its bytes
 *   94 u8 u32          a block of bytes: what it is; the index of its part
 *   a0 u8 u32          shared memory: what it is; the index of its part
 *   a1 u32             a port: the index of its part; in a result, that of its part in the input
 *
 * All counts are u32; a part is named by one value only. Values are trees of at most 256 levels.
 */
enum {
  RW_WIRE_HEADER = 0x01,
  RW_UNDEFINED = 0x80,
  RW_NULL = 0x81,
  RW_FALSE = 0x82,
  RW_TRUE = 0x83,
  RW_INT32 = 0x84,
  RW_FLOAT64 = 0x85,
  RW_BIGINT = 0x86,
  RW_UTF8 = 0x88,
  RW_UTF16 = 0x89,
  RW_DATE = 0x8a,
  RW_ARRAY = 0x8b,
  RW_OBJECT = 0x8f,
  RW_MAP = 0x90,
  RW_SET = 0x91,
  RW_ERROR = 0x92,
  RW_BYTES = 0x93,
  RW_BYTES_PART = 0x94,
  RW_SHARED = 0xa0,
  RW_PORT = 0xa1
};

/* The JavaScript type of a block of bytes. */
enum {
  RW_ARRAY_BUFFER = 0,
  RW_BUFFER = 1,
  RW_DATA_VIEW = 2,
  RW_INT8_ARRAY = 3,
  RW_UINT8_ARRAY = 4,
  RW_UINT8_CLAMPED_ARRAY = 5,
  RW_INT16_ARRAY = 6,
  RW_UINT16_ARRAY = 7,
  RW_INT32_ARRAY = 8,
  RW_UINT32_ARRAY = 9,
  RW_FLOAT32_ARRAY = 10,
  RW_FLOAT64_ARRAY = 11,
  RW_BIG_INT64_ARRAY = 12,
  RW_BIG_UINT64_ARRAY = 13,
  RW_FLOAT16_ARRAY = 14
};

#ifdef __cplusplus
}
#endif

/* ── Helpers ───────────────────────────────────────────────────────────────────────────────────────
 *
 * Reading values, writing them, and a pack in twenty lines: static inline functions made of what stands above, which are no part of
 * the interface. docs/c-packs.md shows them. RW_NO_HELPERS leaves them out.
 */
#ifndef RW_NO_HELPERS
#include "rust_workers/read.h"
#include "rust_workers/elements.h"
#include "rust_workers/write.h"
#include "rust_workers/pack.h"
#endif

#endif
