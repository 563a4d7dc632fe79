/*
 * Helpers of rust_workers.h: reading a value. No allocation, no copies; nothing outside the value is read, whatever stands in it.
 */
#ifndef RUST_WORKERS_READ_H
#define RUST_WORKERS_READ_H

#ifndef RUST_WORKERS_H
#error "include rust_workers.h, which includes this"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A text from one that ends with a zero. */
static inline rw_text rw_str(const char *text) {
  rw_text result;
  result.data = text;
  result.len = text ? strlen(text) : 0;
  return result;
}

/* Whether a text is this one. */
static inline int rw_text_is(rw_text text, const char *other) {
  size_t len = strlen(other);
  return text.len == len && (len == 0 || memcmp(text.data, other, len) == 0);
}

/* What a value is, as JavaScript sees it. */
enum {
  RW_IS_NOTHING = 0, /* there is no value here, or none that can be read */
  RW_IS_UNDEFINED = 1,
  RW_IS_NULL = 2,
  RW_IS_BOOL = 3,
  RW_IS_NUMBER = 4,
  RW_IS_BIGINT = 5,
  RW_IS_TEXT = 6,
  RW_IS_DATE = 7,
  RW_IS_ARRAY = 8,
  RW_IS_OBJECT = 9,
  RW_IS_MAP = 10,
  RW_IS_SET = 11,
  RW_IS_ERROR = 12,
  RW_IS_BYTES = 13,
  RW_IS_SHARED = 14,
  RW_IS_PORT = 15
};

/* Where one is in a value. After a problem all that is read is 0, empty or NULL, so it is enough to ask `rw_ok` once, in the end. */
typedef struct rw_reader {
  const uint8_t *at;
  const uint8_t *end;
  const rw_part *parts;
  size_t parts_len;
  const char *field; /* the key of the value, where rw_field gave this reader */
  const char *problem; /* NULL; or what was there in place of what was asked for: "a string" */
  const char *problem_field; /* the key of the problem's value, or NULL */
} rw_reader;

/* A block of bytes or shared memory. */
typedef struct rw_block {
  uint32_t type; /* RW_UINT8_ARRAY and so on */
  uint32_t kind; /* RW_PART_BYTES or RW_PART_SHARED */
  const uint8_t *data; /* for wider elements: of any alignment where `own` is NULL; rw_element reads them all the same */
  uint8_t *own; /* the same memory, where the task may write to it, or NULL: then the bytes stand in the value */
  size_t len; /* in bytes */
} rw_block;

/* Stops reading, for what is wrong with the value: "a negative number". A text that lives on. Returns 0. */
static inline int rw_reject(rw_reader *reader, const char *problem) {
  if (!reader->problem) {
    reader->problem = problem;
    reader->problem_field = reader->field;
  }
  reader->at = reader->end;
  return 0;
}

/* Whether all that was asked for was there. */
static inline int rw_ok(const rw_reader *reader) { return reader->problem == NULL; }

/* For the functions below: `len` bytes, and the reader after them; NULL where the value ends before. */
static inline const uint8_t *rw_take(rw_reader *reader, uint64_t len) {
  const uint8_t *at = reader->at;
  if (reader->problem) return NULL;
  if ((uint64_t)(reader->end - at) < len) {
    rw_reject(reader, "a value that ends too soon");
    return NULL;
  }
  reader->at = at + (size_t)len;
  return at;
}

static inline uint32_t rw_take_u8(rw_reader *reader) {
  const uint8_t *at = rw_take(reader, 1);
  return at ? at[0] : 0;
}

static inline uint32_t rw_take_u32(rw_reader *reader) {
  const uint8_t *at = rw_take(reader, 4);
  return at ? (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24 : 0;
}

static inline uint64_t rw_take_u64(rw_reader *reader) {
  const uint8_t *at = rw_take(reader, 8);
  uint64_t bits = 0;
  size_t nth;
  for (nth = 0; at && nth < 8; nth++) bits |= (uint64_t)at[nth] << (8 * nth);
  return bits;
}

static inline double rw_take_f64(rw_reader *reader) {
  uint64_t bits = rw_take_u64(reader);
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

/* A reader at the beginning of a value, which must live as long. */
static inline rw_reader rw_read(const rw_value *value) {
  static const uint8_t none = 0;
  rw_reader reader;
  memset(&reader, 0, sizeof reader);
  reader.at = value->wire ? value->wire : &none;
  reader.end = value->wire ? value->wire + value->wire_len : &none;
  reader.parts = value->parts;
  reader.parts_len = value->parts ? value->parts_len : 0;
  if (rw_take_u8(&reader) != (uint32_t)RW_WIRE_HEADER) rw_reject(&reader, "a value in a form that is not known");
  return reader;
}

/* What comes next: RW_IS_…. */
static inline int rw_peek(const rw_reader *reader) {
  if (reader->problem || reader->at == reader->end) return RW_IS_NOTHING;
  if (*reader->at < 0x80) return RW_IS_NUMBER;
  switch (*reader->at) {
    case RW_UNDEFINED: return RW_IS_UNDEFINED;
    case RW_NULL: return RW_IS_NULL;
    case RW_FALSE: case RW_TRUE: return RW_IS_BOOL;
    case RW_INT32: case RW_FLOAT64: return RW_IS_NUMBER;
    case RW_BIGINT: return RW_IS_BIGINT;
    case RW_UTF8: case RW_UTF16: return RW_IS_TEXT;
    case RW_DATE: return RW_IS_DATE;
    case RW_ARRAY: return RW_IS_ARRAY;
    case RW_OBJECT: return RW_IS_OBJECT;
    case RW_MAP: return RW_IS_MAP;
    case RW_SET: return RW_IS_SET;
    case RW_ERROR: return RW_IS_ERROR;
    case RW_BYTES: case RW_BYTES_PART: return RW_IS_BYTES;
    case RW_SHARED: return RW_IS_SHARED;
    case RW_PORT: return RW_IS_PORT;
    default: return RW_IS_NOTHING;
  }
}

/* What comes next, in words, for a message: "a string". */
static inline const char *rw_peek_name(const rw_reader *reader) {
  static const char *const names[] = {
      "a value that cannot be read", "undefined", "null", "a boolean", "a number", "a BigInt", "a string", "a Date", "an array",
      "an object", "a Map", "a Set", "an Error", "bytes", "shared memory", "a MessagePort"};
  return names[rw_peek(reader)];
}

/* For the functions below: whether a value of this kind comes next; otherwise that is the problem. */
static inline int rw_expect(rw_reader *reader, int kind) {
  return rw_peek(reader) == kind ? 1 : rw_reject(reader, rw_peek_name(reader));
}

/* A number. */
static inline double rw_get_number(rw_reader *reader) {
  uint32_t tag;
  if (!rw_expect(reader, RW_IS_NUMBER)) return 0;
  tag = rw_take_u8(reader);
  if (tag < 0x80) return (double)tag;
  if (tag == (uint32_t)RW_INT32) {
    uint32_t bits = rw_take_u32(reader);
    return bits < 0x80000000u ? (double)bits : (double)bits - 4294967296.0;
  }
  return rw_take_f64(reader);
}

/* A BigInt that an int64_t can hold. */
static inline int64_t rw_get_bigint(rw_reader *reader) {
  uint32_t negative, words, nth;
  uint64_t magnitude = 0;
  if (!rw_expect(reader, RW_IS_BIGINT)) return 0;
  rw_take_u8(reader);
  negative = rw_take_u8(reader);
  words = rw_take_u32(reader);
  for (nth = 0; nth < words && rw_ok(reader); nth++) {
    uint64_t word = rw_take_u64(reader);
    if (nth == 0) magnitude = word;
    else if (word != 0) rw_reject(reader, "a BigInt of more than 64 bits");
  }
  if (rw_ok(reader) && magnitude > (negative ? (uint64_t)1 << 63 : INT64_MAX))
    rw_reject(reader, "a BigInt of more than 64 bits");
  if (!rw_ok(reader)) return 0;
  return negative && magnitude ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
}

/* A whole number that JavaScript has exactly (up to 2^53), or a BigInt that an int64_t can hold. */
static inline int64_t rw_get_integer(rw_reader *reader) {
  double number;
  if (rw_peek(reader) == RW_IS_BIGINT) return rw_get_bigint(reader);
  number = rw_get_number(reader);
  if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0) || number != (double)(int64_t)number)
    return rw_reject(reader, "a number that is no integer");
  return (int64_t)number;
}

/* A boolean: 0 or 1. */
static inline int rw_get_bool(rw_reader *reader) {
  return rw_expect(reader, RW_IS_BOOL) ? rw_take_u8(reader) == (uint32_t)RW_TRUE : 0;
}

/* A date, in milliseconds since 1970; NaN: an invalid one. */
static inline double rw_get_date(rw_reader *reader) {
  if (!rw_expect(reader, RW_IS_DATE)) return 0;
  rw_take_u8(reader);
  return rw_take_f64(reader);
}

/* A string, borrowed. */
static inline rw_text rw_get_text(rw_reader *reader) {
  rw_text text = {"", 0};
  uint32_t len;
  const uint8_t *bytes;
  if (!rw_expect(reader, RW_IS_TEXT)) return text;
  if (*reader->at == RW_UTF16) {
    rw_reject(reader, "a string with half a character (a lone surrogate)");
    return text;
  }
  rw_take_u8(reader);
  len = rw_take_u32(reader);
  bytes = rw_take(reader, len);
  if (bytes) {
    text.data = (const char *)bytes;
    text.len = len;
  }
  return text;
}

/* For the functions below: the part of this index and kind. */
static inline const rw_part *rw_take_part(rw_reader *reader, uint32_t kind, uint32_t *index) {
  *index = rw_take_u32(reader);
  if (rw_ok(reader) && *index < reader->parts_len && reader->parts[*index].kind == kind) return &reader->parts[*index];
  rw_reject(reader, "a value without one of its parts");
  return NULL;
}

/* For the functions below. */
static inline rw_block rw_block_of(uint32_t type, uint32_t kind, const uint8_t *data, uint8_t *own, size_t len) {
  rw_block block;
  block.type = type;
  block.kind = kind;
  block.data = data;
  block.own = own;
  block.len = len;
  return block;
}

/* A block of bytes: an ArrayBuffer, a Buffer, a DataView or a typed array. */
static inline rw_block rw_get_bytes(rw_reader *reader) {
  const rw_block none = rw_block_of(RW_ARRAY_BUFFER, RW_PART_BYTES, NULL, NULL, 0);
  uint32_t tag, type, len;
  if (!rw_expect(reader, RW_IS_BYTES)) return none;
  tag = rw_take_u8(reader);
  type = rw_take_u8(reader);
  if (tag == (uint32_t)RW_BYTES) {
    const uint8_t *data;
    len = rw_take_u32(reader);
    data = rw_take(reader, len);
    return data ? rw_block_of(type, RW_PART_BYTES, data, NULL, len) : none;
  } else {
    const rw_part *part = rw_take_part(reader, RW_PART_BYTES, &len);
    return part ? rw_block_of(type, RW_PART_BYTES, part->data, part->data, part->len) : none;
  }
}

/* Shared memory. */
static inline rw_block rw_get_shared(rw_reader *reader) {
  const rw_part *part = NULL;
  uint32_t type = 0, index;
  if (rw_expect(reader, RW_IS_SHARED)) {
    rw_take_u8(reader);
    type = rw_take_u8(reader);
    part = rw_take_part(reader, RW_PART_SHARED, &index);
  }
  return part ? rw_block_of(type, RW_PART_SHARED, part->data, part->data, part->len)
              : rw_block_of(RW_ARRAY_BUFFER, RW_PART_SHARED, NULL, NULL, 0);
}

/* A port: the index that port_send and port_receive take. SIZE_MAX, which they refuse, where there is none. */
static inline size_t rw_get_port(rw_reader *reader) {
  uint32_t index;
  if (!rw_expect(reader, RW_IS_PORT)) return SIZE_MAX;
  rw_take_u8(reader);
  return rw_take_part(reader, RW_PART_PORT, &index) ? index : SIZE_MAX;
}

/* For the functions below: enters a value with `each` values for each that it counts. A count that the rest cannot hold is refused,
 * so that a loop over it ends. */
static inline uint32_t rw_enter(rw_reader *reader, int kind, uint32_t each) {
  uint32_t count;
  if (!rw_expect(reader, kind)) return 0;
  rw_take_u8(reader);
  count = rw_take_u32(reader);
  if ((uint64_t)count * each <= (uint64_t)(reader->end - reader->at)) return count;
  rw_reject(reader, "a value that ends too soon");
  return 0;
}

/* Enters an array: how many values follow, to be read or skipped, each. */
static inline uint32_t rw_get_array(rw_reader *reader) { return rw_enter(reader, RW_IS_ARRAY, 1); }

/* Enters an object: how many times a key (rw_get_text) and its value follow. */
static inline uint32_t rw_get_object(rw_reader *reader) { return rw_enter(reader, RW_IS_OBJECT, 2); }

/* Enters a Map: how many times a key and its value follow. */
static inline uint32_t rw_get_map(rw_reader *reader) { return rw_enter(reader, RW_IS_MAP, 2); }

/* Enters a Set: how many values follow. */
static inline uint32_t rw_get_set(rw_reader *reader) { return rw_enter(reader, RW_IS_SET, 1); }

/* For rw_skip: passes a text of any kind. */
static inline void rw_skip_text(rw_reader *reader) {
  uint32_t tag, len;
  if (!rw_expect(reader, RW_IS_TEXT)) return;
  tag = rw_take_u8(reader);
  len = rw_take_u32(reader);
  rw_take(reader, (uint64_t)len * (tag == (uint32_t)RW_UTF8 ? 1 : 2));
}

/* Passes the next value, with all that is in it. */
static inline void rw_skip(rw_reader *reader) {
  uint64_t left = 1; /* values to pass: never more than there are bytes, which ends every loop */
  while (left > 0 && rw_ok(reader)) {
    uint32_t words, flags;
    left--;
    switch (rw_peek(reader)) {
      case RW_IS_UNDEFINED: case RW_IS_NULL: case RW_IS_BOOL: rw_take_u8(reader); break;
      case RW_IS_NUMBER: rw_get_number(reader); break;
      case RW_IS_DATE: rw_get_date(reader); break;
      case RW_IS_TEXT: rw_skip_text(reader); break;
      case RW_IS_BYTES: rw_get_bytes(reader); break;
      case RW_IS_SHARED: rw_get_shared(reader); break;
      case RW_IS_PORT: rw_get_port(reader); break;
      case RW_IS_BIGINT:
        rw_take(reader, 2);
        for (words = rw_take_u32(reader); words > 0 && rw_ok(reader); words--) rw_take(reader, 8);
        break;
      case RW_IS_ARRAY: left += rw_get_array(reader); break;
      case RW_IS_SET: left += rw_get_set(reader); break;
      case RW_IS_OBJECT: left += (uint64_t)rw_get_object(reader) * 2; break;
      case RW_IS_MAP: left += (uint64_t)rw_get_map(reader) * 2; break;
      case RW_IS_ERROR:
        rw_take_u8(reader);
        rw_skip_text(reader);
        for (flags = rw_take_u8(reader) & 7u; flags > 0; flags &= flags - 1) rw_skip_text(reader);
        left += (uint64_t)rw_take_u32(reader) * 2;
        break;
      default: rw_reject(reader, rw_peek_name(reader)); break;
    }
    if (left > (uint64_t)(reader->end - reader->at)) rw_reject(reader, "a value that ends too soon");
  }
}

/* For the functions below: a problem of a field is one of its object. */
static inline void rw_keep_problem(rw_reader *object, const rw_reader *field) {
  if (!field->problem || object->problem) return;
  object->problem = field->problem;
  object->problem_field = field->problem_field;
  object->at = object->end;
}

/* A reader for the value of a key of the object that comes next; `object` stays before it. At undefined where there is no such key. */
static inline rw_reader rw_field(rw_reader *object, const char *key) {
  static const uint8_t undefined = RW_UNDEFINED;
  rw_reader field = *object;
  uint32_t count = rw_get_object(&field);
  if (!rw_ok(&field)) {
    rw_keep_problem(object, &field);
    return field;
  }
  for (; count > 0 && rw_ok(&field); count--) {
    int found = 0;
    if (rw_peek(&field) == RW_IS_TEXT && *field.at == RW_UTF8) found = rw_text_is(rw_get_text(&field), key);
    else rw_skip_text(&field);
    if (found) break;
    rw_skip(&field);
  }
  field.field = key;
  if (rw_ok(&field) && count == 0) {
    field.at = &undefined;
    field.end = &undefined + 1;
  }
  return field;
}

/* Whether the object that comes next has a key, with a value that is not undefined. */
static inline int rw_has(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  int kind = rw_peek(&field);
  return kind != RW_IS_NOTHING && kind != RW_IS_UNDEFINED;
}

/* The number that a key of the object has; the same for other types below. The object stays where it is. */
static inline double rw_number_field(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  double number = rw_get_number(&field);
  rw_keep_problem(object, &field);
  return number;
}

static inline int64_t rw_integer_field(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  int64_t number = rw_get_integer(&field);
  rw_keep_problem(object, &field);
  return number;
}

static inline int rw_bool_field(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  int is = rw_get_bool(&field);
  rw_keep_problem(object, &field);
  return is;
}

static inline rw_text rw_text_field(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  rw_text text = rw_get_text(&field);
  rw_keep_problem(object, &field);
  return text;
}

static inline rw_block rw_bytes_field(rw_reader *object, const char *key) {
  rw_reader field = rw_field(object, key);
  rw_block block = rw_get_bytes(&field);
  rw_keep_problem(object, &field);
  return block;
}

#ifdef __cplusplus
}
#endif
#endif
