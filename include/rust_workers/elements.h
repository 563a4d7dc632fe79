/*
 * Helpers of rust_workers.h: the elements of typed arrays, which may stand at any address.
 */
#ifndef RUST_WORKERS_ELEMENTS_H
#define RUST_WORKERS_ELEMENTS_H

#ifndef RUST_WORKERS_H
#error "include rust_workers.h, which includes this"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of one element of a type: RW_UINT8_ARRAY 1, RW_FLOAT64_ARRAY 8. */
static inline size_t rw_element_size(uint32_t type) {
  static const uint8_t sizes[] = {1, 1, 1, 1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  return type < sizeof sizes ? sizes[type] : 1;
}

/* How many elements a block has. */
static inline size_t rw_elements(const rw_block *block) { return block->len / rw_element_size(block->type); }

/* An element of a block, as a number; NaN beyond its end. Not for shared memory that others write to. */
static inline double rw_element(const rw_block *block, size_t index) {
  size_t size = rw_element_size(block->type);
  const uint64_t quiet = 0x7ff8000000000000u;
  uint64_t bits = 0;
  size_t nth;
  float single;
  double number;
  memcpy(&number, &quiet, sizeof number);
  if (index >= rw_elements(block)) return number;
  for (nth = 0; nth < size; nth++) bits |= (uint64_t)block->data[index * size + nth] << (8 * nth);
  switch (block->type) {
    case RW_INT8_ARRAY: return bits < 0x80u ? (double)bits : (double)bits - 256.0;
    case RW_INT16_ARRAY: return bits < 0x8000u ? (double)bits : (double)bits - 65536.0;
    case RW_INT32_ARRAY: return bits < 0x80000000u ? (double)bits : (double)bits - 4294967296.0;
    case RW_BIG_INT64_ARRAY: return bits <= INT64_MAX ? (double)bits : -(double)(~bits + 1);
    case RW_FLOAT64_ARRAY: memcpy(&number, &bits, sizeof number); return number;
    case RW_FLOAT32_ARRAY: {
      uint32_t low = (uint32_t)bits;
      memcpy(&single, &low, sizeof single);
      return (double)single;
    }
    case RW_FLOAT16_ARRAY: {
      uint32_t exponent = (uint32_t)(bits >> 10 & 31u), fraction = (uint32_t)(bits & 1023u), wide;
      double sign = bits & 0x8000u ? -1.0 : 1.0;
      if (exponent == 0) return sign * (double)fraction / 16777216.0;
      wide = (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
      memcpy(&single, &wide, sizeof single);
      return sign * (double)single;
    }
    default: return (double)bits;
  }
}

#ifdef __cplusplus
}
#endif
#endif
