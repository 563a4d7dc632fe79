/*
 * Random values are written, and read as they were written; then their wires are spoilt, and read in every way. The memory of each wire
 * and part ends where its block of malloc does, so that the sanitizer sees one byte too far; each loop has a limit.
 *
 * fuzz SEED ROUNDS SECONDS: so many rounds, or as many as the seconds allow where ROUNDS is 0.
 */
#include <time.h>

#include "check.h"

static uint64_t state;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 0x2545f4914f6cdd1dull;
}

static size_t below(size_t limit) { return (size_t)(next() >> 11) % limit; }

/* What was written or read, mixed into one number. */
static uint64_t digest;

static void mix(uint64_t what) { digest = (digest ^ what) * 0x9e3779b97f4a7c15ull + (digest >> 29); }

static void mix_double(double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  mix(bits);
}

static void mix_bytes(const void *data, size_t len) {
  const uint8_t *bytes = (const uint8_t *)data;
  size_t nth;
  mix(len);
  for (nth = 0; nth < len; nth++) mix(bytes[nth]);
}

#define PARTS 6
static uint8_t *blocks[PARTS];
static size_t blocks_len[PARTS];

static double any_number(void) {
  static const double special[] = {0, -0.0, 127, 128, -1, 2147483647.0, 2147483648.0, -2147483648.0, -2147483649.0, 9007199254740992.0, 0.1};
  return below(3) ? (double)(int64_t)next() / (double)(1 + below(1000)) : special[below(sizeof special / sizeof special[0])];
}

static void write_text(rw_writer *writer) {
  static const char *const texts[] = {"", "a", "key", "na\xc3\xafve", "\xf0\x9f\x98\x80", "longer than what is usual for the key of an object"};
  rw_text text = rw_str(texts[below(6)]);
  rw_put_text(writer, text);
  mix_bytes(text.data, text.len);
}

static void write_value(rw_writer *writer, int depth) {
  size_t count = below(5), nth, kind = 1 + below(depth > 0 ? 14 : 7);
  double number = any_number();
  uint8_t bytes[40];
  rw_block block;
  if (kind >= 8 && kind <= 11 && depth <= 0) kind = RW_IS_NULL;
  mix(kind);
  switch (kind) {
    case RW_IS_UNDEFINED: rw_put_undefined(writer); break;
    case RW_IS_NULL: rw_put_null(writer); break;
    case RW_IS_BOOL: rw_put_bool(writer, (int)(count & 1)); mix(count & 1); break;
    case RW_IS_NUMBER: rw_put_number(writer, number); mix_double(number); break;
    case RW_IS_BIGINT: {
      int64_t whole = (int64_t)(next() >> below(64));
      rw_put_bigint(writer, whole);
      mix((uint64_t)whole);
      break;
    }
    case RW_IS_TEXT: write_text(writer); break;
    case RW_IS_DATE: rw_put_date(writer, number); mix_double(number); break;
    case RW_IS_ARRAY:
    case RW_IS_SET:
      if (kind == RW_IS_ARRAY) rw_put_array(writer, count);
      else rw_put_set(writer, count);
      mix(count);
      for (nth = 0; nth < count; nth++) write_value(writer, depth - 1);
      break;
    case RW_IS_OBJECT:
      rw_put_object(writer, count);
      mix(count);
      for (nth = 0; nth < count; nth++) {
        write_text(writer);
        write_value(writer, depth - 1);
      }
      break;
    case RW_IS_MAP:
      rw_put_map(writer, count);
      mix(count);
      for (nth = 0; nth < 2 * count; nth++) write_value(writer, depth - 1);
      break;
    case RW_IS_ERROR: rw_put_error(writer, "RangeError", "too far"); break;
    case RW_IS_BYTES:
      for (nth = 0; nth < sizeof bytes; nth++) bytes[nth] = (uint8_t)next();
      if (count < 3) {
        nth = below(sizeof bytes);
        rw_put_bytes(writer, (uint32_t)below(15), bytes, nth);
        mix_bytes(bytes, nth);
        break;
      }
      /* fall through */
    default:
      nth = below(PARTS);
      block = rw_block_of((uint32_t)below(15), kind == RW_IS_SHARED ? RW_PART_SHARED : RW_PART_BYTES, blocks[nth], blocks[nth], blocks_len[nth]);
      rw_put_block(writer, &block);
      mix_bytes(block.data, block.len);
      break;
  }
}

/* Reads a value and all in it; `steps` ends it where a count lies. */
static void read_value(rw_reader *reader, size_t *steps) {
  uint32_t count, nth;
  int kind = rw_peek(reader);
  rw_text text;
  rw_block block;
  CHECK((*steps)-- > 0);
  mix((uint64_t)kind);
  switch (kind) {
    case RW_IS_BOOL: mix((uint64_t)rw_get_bool(reader)); break;
    case RW_IS_NUMBER: mix_double(rw_get_number(reader)); break;
    case RW_IS_BIGINT: mix((uint64_t)rw_get_bigint(reader)); break;
    case RW_IS_TEXT:
      text = rw_get_text(reader);
      mix_bytes(text.data, text.len);
      break;
    case RW_IS_DATE: mix_double(rw_get_date(reader)); break;
    case RW_IS_ARRAY:
    case RW_IS_SET:
      count = kind == RW_IS_ARRAY ? rw_get_array(reader) : rw_get_set(reader);
      mix(count);
      for (nth = 0; nth < count && rw_ok(reader); nth++) read_value(reader, steps);
      break;
    case RW_IS_OBJECT:
      count = rw_get_object(reader);
      mix(count);
      for (nth = 0; nth < count && rw_ok(reader); nth++) {
        text = rw_get_text(reader);
        mix_bytes(text.data, text.len);
        read_value(reader, steps);
      }
      break;
    case RW_IS_MAP:
      count = rw_get_map(reader);
      mix(count);
      for (nth = 0; nth < count && rw_ok(reader); nth++) {
        read_value(reader, steps);
        read_value(reader, steps);
      }
      break;
    case RW_IS_BYTES:
    case RW_IS_SHARED:
      block = kind == RW_IS_BYTES ? rw_get_bytes(reader) : rw_get_shared(reader);
      mix_bytes(block.data, block.len);
      /* Every element can be asked for, and one too many. */
      for (nth = 0; nth <= rw_elements(&block) && nth < 64; nth++) (void)rw_element(&block, nth);
      break;
    default: rw_skip(reader); break;
  }
}

/* Calls functions of the reader at random, whatever comes next. */
static void read_anyhow(const rw_value *value) {
  rw_reader reader = rw_read(value), field;
  size_t steps = 50 + value->wire_len;
  while (steps-- > 0) {
    rw_text text = {"", 0};
    rw_block block = rw_block_of(0, 0, NULL, NULL, 0);
    CHECK(reader.at <= reader.end && rw_peek_name(&reader) != NULL);
    switch (below(24)) {
      case 0: (void)rw_get_bool(&reader); break;
      case 1: (void)rw_get_number(&reader); break;
      case 2: (void)rw_get_integer(&reader); break;
      case 3: text = rw_get_text(&reader); break;
      case 4: block = rw_get_bytes(&reader); break;
      case 5: block = rw_get_shared(&reader); break;
      case 6: (void)rw_get_port(&reader); break;
      case 7: field = rw_field(&reader, "key"); block = rw_get_bytes(&field); break;
      case 8: text = rw_text_field(&reader, "a"); break;
      case 9: block = rw_bytes_field(&reader, ""); break;
      case 10: (void)rw_has(&reader, "key"); break;
      case 11: (void)rw_integer_field(&reader, "key"); break;
      case 12: rw_skip(&reader); break;
      case 13: (void)rw_get_map(&reader); break;
      default: {
        /* What is there, so that one gets deep. */
        size_t once = 1 + value->wire_len;
        switch (rw_peek(&reader)) {
          case RW_IS_ARRAY: (void)rw_get_array(&reader); break;
          case RW_IS_OBJECT: (void)rw_get_object(&reader); break;
          case RW_IS_MAP: (void)rw_get_map(&reader); break;
          case RW_IS_SET: (void)rw_get_set(&reader); break;
          default: read_value(&reader, &once); break;
        }
      }
    }
    mix_bytes(text.data, text.len);
    mix_bytes(block.data, block.len);
    if (!rw_ok(&reader)) {
      CHECK(reader.at == reader.end && rw_peek(&reader) == RW_IS_NOTHING && rw_get_array(&reader) == 0);
      reader = rw_read(value);
      if (!rw_ok(&reader) || below(2)) return;
    }
  }
}

static void spoil(uint8_t *wire, size_t *len) {
  size_t times = 1 + below(4);
  while (times-- > 0 && *len > 0) {
    static const uint8_t tags[] = {0x84, 0x85, 0x86, 0x88, 0x89, 0x8b, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0xa0, 0xa1, 0xff, 0, 0x80};
    size_t at = below(*len), nth;
    switch (below(5)) {
      case 0: wire[at] = (uint8_t)next(); break;
      case 1: wire[at] = (uint8_t)(wire[at] ^ (1u << below(8))); break;
      case 2: wire[at] = tags[below(sizeof tags)]; break;
      case 3: *len = at; break;
      default:
        /* A count: all ones, or what is left, more or less one. */
        for (nth = 0; nth < 4 && at + nth < *len; nth++) {
          size_t byte = below(2) ? 0xff : (*len - at + below(9) - 4) >> (8 * nth);
          wire[at + nth] = (uint8_t)byte;
        }
        break;
    }
  }
}

static void round_of(void) {
  rw_writer writer = rw_write();
  rw_value value;
  rw_reader reader;
  rw_part *parts;
  uint64_t written;
  size_t nth, times, steps;
  for (nth = 0; nth < PARTS; nth++) {
    blocks_len[nth] = below(3) ? below(40) : 0;
    blocks[nth] = (uint8_t *)malloc(blocks_len[nth] ? blocks_len[nth] : 1);
    CHECK(blocks[nth]);
    memset(blocks[nth], (int)(nth + 1), blocks_len[nth] ? blocks_len[nth] : 1);
  }
  digest = 0;
  write_value(&writer, (int)below(6));
  written = digest;
  CHECK(!writer.failed);

  parts = (rw_part *)malloc(writer.parts_len ? writer.parts_len * sizeof *parts : 1);
  CHECK(parts);
  if (writer.parts_len) memcpy(parts, writer.parts, writer.parts_len * sizeof *parts);
  for (times = 0; times < 12; times++) {
    size_t len = writer.len;
    uint8_t *copy = (uint8_t *)malloc(len), *exact;
    CHECK(copy);
    memcpy(copy, writer.wire, len);
    if (times > 0) spoil(copy, &len);
    exact = (uint8_t *)malloc(len ? len : 1);
    CHECK(exact);
    memcpy(exact, copy, len);
    value.wire = exact;
    value.wire_len = len;
    value.parts = parts;
    value.parts_len = writer.parts_len;
    if (times > 0 && value.parts_len && below(4) == 0) {
      value.parts_len = below(value.parts_len);
      if (value.parts_len) parts[below(value.parts_len)].kind = (uint32_t)below(4);
    }
    digest = 0;
    steps = 2 * len + 4;
    reader = rw_read(&value);
    if (rw_ok(&reader)) read_value(&reader, &steps);
    if (times == 0) {
      CHECK(rw_ok(&reader) && reader.at == reader.end && digest == written);
      reader = rw_read(&value);
      rw_skip(&reader);
      CHECK(rw_ok(&reader) && reader.at == reader.end);
    }
    reader = rw_read(&value);
    if (rw_ok(&reader)) rw_skip(&reader);
    CHECK(reader.at <= reader.end);
    read_anyhow(&value);
    free(exact);
    free(copy);
  }
  free(parts);
  rw_free(&writer);
  for (nth = 0; nth < PARTS; nth++) free(blocks[nth]);
}

int main(int count, char **arguments) {
  unsigned long long rounds = 0, limit;
  double seconds;
  time_t begun = time(NULL);
  CHECK(count == 4);
  state = strtoull(arguments[1], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
  limit = strtoull(arguments[2], NULL, 10);
  seconds = strtod(arguments[3], NULL);
  while (limit ? rounds < limit : difftime(time(NULL), begun) < seconds) {
    round_of();
    rounds++;
  }
  printf("%llu rounds\n", rounds);
  return 0;
}
