/*
 * Helpers of rust_workers.h: writing a value, into memory of the C library that grows.
 */
#ifndef RUST_WORKERS_WRITE_H
#define RUST_WORKERS_WRITE_H

#ifndef RUST_WORKERS_H
#error "include rust_workers.h, which includes this"
#endif

#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A value under way, from rw_write(). rw_return and rw_free free it. */
typedef struct rw_writer {
  uint8_t *wire;
  size_t len;
  size_t room;
  rw_part *parts;
  size_t parts_len;
  size_t parts_room;
  int failed; /* there was no memory, or something has more than 2^32 bytes or values: all that is put then is dropped */
} rw_writer;

static inline rw_writer rw_write(void) {
  rw_writer writer;
  memset(&writer, 0, sizeof writer);
  return writer;
}

static inline void rw_free(rw_writer *writer) {
  free(writer->wire);
  free(writer->parts);
  *writer = rw_write();
}

/* For the functions below: `len` more bytes to write to; NULL where there is no memory. */
static inline uint8_t *rw_more(rw_writer *writer, size_t len) {
  size_t used = writer->len ? writer->len : 1;
  if (writer->failed) return NULL;
  if (len > SIZE_MAX / 4 || used > SIZE_MAX / 4) {
    writer->failed = 1;
    return NULL;
  }
  if (used + len > writer->room) {
    size_t room = used + len + used / 2 + 64;
    uint8_t *wire = (uint8_t *)realloc(writer->wire, room);
    if (!wire) {
      writer->failed = 1;
      return NULL;
    }
    writer->wire = wire;
    writer->room = room;
  }
  writer->wire[0] = RW_WIRE_HEADER;
  writer->len = used + len;
  return writer->wire + used;
}

static inline void rw_put_bits(uint8_t *to, uint64_t bits, size_t len) {
  size_t nth;
  for (nth = 0; nth < len; nth++) to[nth] = (uint8_t)(bits >> (8 * nth));
}

/* For the functions below: a tag, and a number of `len` bytes after it. */
static inline void rw_put_tag(rw_writer *writer, uint8_t tag, uint64_t bits, size_t len) {
  uint8_t *to = rw_more(writer, 1 + len);
  if (!to) return;
  to[0] = tag;
  rw_put_bits(to + 1, bits, len);
}

/* For the functions below: a tag and a count, which must be a u32. */
static inline void rw_put_count(rw_writer *writer, uint8_t tag, size_t count) {
  if (count > UINT32_MAX) writer->failed = 1;
  else rw_put_tag(writer, tag, count, 4);
}

static inline void rw_put_raw(rw_writer *writer, const void *data, size_t len) {
  uint8_t *to = rw_more(writer, len);
  if (to && len) memcpy(to, data, len);
}

static inline void rw_put_undefined(rw_writer *writer) { rw_put_tag(writer, RW_UNDEFINED, 0, 0); }
static inline void rw_put_null(rw_writer *writer) { rw_put_tag(writer, RW_NULL, 0, 0); }
static inline void rw_put_bool(rw_writer *writer, int is) { rw_put_tag(writer, is ? RW_TRUE : RW_FALSE, 0, 0); }

static inline void rw_put_float(rw_writer *writer, uint8_t tag, double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  rw_put_tag(writer, tag, bits, 8);
}

static inline void rw_put_number(rw_writer *writer, double number) {
  int32_t whole = number >= -2147483648.0 && number <= 2147483647.0 ? (int32_t)number : 0;
  double back = (double)whole;
  if (memcmp(&back, &number, sizeof back) != 0) rw_put_float(writer, RW_FLOAT64, number); /* -0 and NaN too */
  else if (whole >= 0 && whole < 0x80) rw_put_tag(writer, (uint8_t)whole, 0, 0);
  else rw_put_tag(writer, RW_INT32, (uint64_t)(uint32_t)whole, 4);
}

/* A Date, in milliseconds since 1970. */
static inline void rw_put_date(rw_writer *writer, double milliseconds) { rw_put_float(writer, RW_DATE, milliseconds); }

static inline void rw_put_bigint(rw_writer *writer, int64_t number) {
  uint8_t *to = rw_more(writer, 14);
  if (!to) return;
  to[0] = RW_BIGINT;
  to[1] = number < 0;
  rw_put_bits(to + 2, 1, 4);
  rw_put_bits(to + 6, number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number, 8);
}

/* A string; also the key of an object. */
static inline void rw_put_text(rw_writer *writer, rw_text text) {
  rw_put_count(writer, RW_UTF8, text.len);
  rw_put_raw(writer, text.data, text.len);
}

static inline void rw_put_string(rw_writer *writer, const char *text) { rw_put_text(writer, rw_str(text)); }

/* An array: `count` values must follow. */
static inline void rw_put_array(rw_writer *writer, size_t count) { rw_put_count(writer, RW_ARRAY, count); }
/* An object: `count` times a key (rw_put_string) and a value must follow. */
static inline void rw_put_object(rw_writer *writer, size_t count) { rw_put_count(writer, RW_OBJECT, count); }
/* A Map: `count` times a key and a value must follow. */
static inline void rw_put_map(rw_writer *writer, size_t count) { rw_put_count(writer, RW_MAP, count); }
/* A Set: `count` values must follow. */
static inline void rw_put_set(rw_writer *writer, size_t count) { rw_put_count(writer, RW_SET, count); }

/* An Error of a class ("Error", "RangeError"), as a value. To fail with one: rw_fail. */
static inline void rw_put_error(rw_writer *writer, const char *name, const char *message) {
  uint8_t flags = 1;
  rw_put_tag(writer, RW_ERROR, 0, 0);
  rw_put_string(writer, name);
  rw_put_raw(writer, &flags, 1);
  rw_put_string(writer, message);
  rw_put_raw(writer, "\0\0\0\0", 4);
}

/* Bytes, copied into the value: for some. `type`: RW_UINT8_ARRAY and so on. */
static inline void rw_put_bytes(rw_writer *writer, uint32_t type, const void *data, size_t len) {
  uint8_t kind = (uint8_t)type;
  rw_put_tag(writer, RW_BYTES, kind, 1);
  if (len > UINT32_MAX) writer->failed = 1;
  else {
    uint8_t count[4];
    rw_put_bits(count, len, 4);
    rw_put_raw(writer, count, 4);
    rw_put_raw(writer, data, len);
  }
}

/* For the functions below: names memory by a part. */
static inline void rw_add_part(rw_writer *writer, uint8_t tag, uint32_t type, uint32_t kind, uint8_t *data, size_t len) {
  uint64_t index = writer->parts_len;
  if (writer->failed) return;
  if (writer->parts_len == writer->parts_room) {
    size_t room = writer->parts_room * 2 + 4;
    rw_part *parts = room > UINT32_MAX / sizeof *parts ? NULL : (rw_part *)realloc(writer->parts, room * sizeof *parts);
    if (!parts) {
      writer->failed = 1;
      return;
    }
    writer->parts = parts;
    writer->parts_room = room;
  }
  memset(&writer->parts[writer->parts_len], 0, sizeof(rw_part));
  writer->parts[writer->parts_len].kind = kind;
  writer->parts[writer->parts_len].data = data;
  writer->parts[writer->parts_len].len = len;
  writer->parts_len++;
  rw_put_tag(writer, tag, (uint64_t)(uint8_t)type | index << 8, 5);
}

/* Bytes without a copy: the whole of what `host->alloc` gave, or its beginning. */
static inline void rw_put_alloc(rw_writer *writer, uint32_t type, uint8_t *data, size_t len) {
  rw_add_part(writer, RW_BYTES_PART, type, RW_PART_BYTES, data, len);
}

/* A block of the input, as it is: shared memory and large bytes without a copy. */
static inline void rw_put_block(rw_writer *writer, const rw_block *block) {
  if (!block->own) rw_put_bytes(writer, block->type, block->data, block->len);
  else rw_add_part(writer, block->kind == (uint32_t)RW_PART_SHARED ? RW_SHARED : RW_BYTES_PART, block->type, block->kind, block->own, block->len);
}

/* What was written, for progress, port_send and call_js; borrowed from the writer. */
static inline rw_value rw_written(const rw_writer *writer) {
  rw_value value;
  value.wire = writer->wire;
  value.wire_len = writer->len;
  value.parts = writer->parts;
  value.parts_len = writer->parts_len;
  return value;
}

#ifdef __cplusplus
}
#endif
#endif
