#pragma once

// Sixteen single-precision numbers at once: the operations that Swift's SIMD16<Float> can't promise as one instruction. Where the
// processor's vectors are shorter, the compiler makes several instructions of each.

typedef float lanes_t __attribute__((ext_vector_type(16)));

#define LANES_INLINE static inline __attribute__((always_inline))

// x y + z, rounded once.
LANES_INLINE lanes_t lanes_multiply_add(lanes_t x, lanes_t y, lanes_t z) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_elementwise_fma(x, y, z);
#else
  return x * y + z;
#endif
}

// The smaller and the larger; y where x is NaN.
LANES_INLINE lanes_t lanes_min(lanes_t x, lanes_t y) { return x < y ? x : y; }
LANES_INLINE lanes_t lanes_max(lanes_t x, lanes_t y) { return x > y ? x : y; }

// x where a < b, else y.
LANES_INLINE lanes_t lanes_where_less(lanes_t a, lanes_t b, lanes_t x, lanes_t y) { return a < b ? x : y; }

// The first `count` of x, the rest of y.
LANES_INLINE lanes_t lanes_first(lanes_t x, int count, lanes_t y) {
  typedef int numbers_t __attribute__((ext_vector_type(16)));
  const numbers_t numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return numbers < (numbers_t)count ? x : y;
}

// Asks for a cache line that is about to be read and written.
LANES_INLINE void lanes_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

// The block of a product that fits the registers, in vectors of rows and in columns.
#if defined(__AVX512F__)
#define LANES_BLOCK_VECTORS 3
#define LANES_BLOCK_COLUMNS 8
#elif defined(__AVX__)
#define LANES_BLOCK_VECTORS 1
#define LANES_BLOCK_COLUMNS 6
#elif defined(__aarch64__)
#define LANES_BLOCK_VECTORS 1
#define LANES_BLOCK_COLUMNS 6
#else
#define LANES_BLOCK_VECTORS 1
#define LANES_BLOCK_COLUMNS 2
#endif
