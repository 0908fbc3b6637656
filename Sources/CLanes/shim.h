#pragma once

// Sixteen single-precision numbers at once: the operations that Swift's SIMD16<Float> can't promise as one
// instruction. Where the processor's vectors are shorter, the compiler makes several instructions of each.

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

// Whether any number is positive.
LANES_INLINE int lanes_any_positive(lanes_t x) { return __builtin_reduce_or(x > 0.0f) != 0; }

// The first `count` of x, the rest of y.
LANES_INLINE lanes_t lanes_first(lanes_t x, int count, lanes_t y) {
  typedef int numbers_t __attribute__((ext_vector_type(16)));
  const numbers_t numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return numbers < (numbers_t)count ? x : y;
}

// The least x whose e^x is told from 0 below.
#define LANES_LOWEST -87.0f

// r and n of x = n log 2 + r with |r| <= log 2 / 2, for LANES_LOWEST <= x <= 0; of a lower x those of LANES_LOWEST.
LANES_INLINE lanes_t lanes_remainder_of_log_2(lanes_t x, lanes_t *n) {
  const lanes_t magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  lanes_t lowest = LANES_LOWEST;
  lanes_t y = x < lowest ? lowest : x;
  *n = lanes_multiply_add(y, (lanes_t)1.44269504f, magic) - magic;
  lanes_t r = lanes_multiply_add(*n, (lanes_t)-0.693359375f, y);
  return lanes_multiply_add(*n, (lanes_t)2.12194440e-4f, r);
}

// 2^n for whole n of -126 and more.
LANES_INLINE lanes_t lanes_power_of_2(lanes_t n) {
  typedef int numbers_t __attribute__((ext_vector_type(16)));
  numbers_t exponent = (__builtin_convertvector(n, numbers_t) + 127) << 23;
  lanes_t power;
  __builtin_memcpy(&power, &exponent, sizeof power);
  return power;
}

// e^x for x <= 0, to 2 units in the last place; 0 below -87: a polynomial in r, times 2^n.
LANES_INLINE lanes_t lanes_exp_of_negative(lanes_t x) {
  lanes_t n;
  lanes_t r = lanes_remainder_of_log_2(x, &n);
  lanes_t p = 1.0f / 720;
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 120));
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 24));
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 6));
  p = lanes_multiply_add(p, r, (lanes_t)0.5f);
  p = lanes_multiply_add(p, r, (lanes_t)1.0f);
  p = lanes_multiply_add(p, r, (lanes_t)1.0f);
  lanes_t result = p * lanes_power_of_2(n);
  return x < LANES_LOWEST ? (lanes_t)0.0f : result;
}

// e^x - 1 for x <= 0, to 2 units in the last place; -1 below -87. As above, with e^r - 1 in place of e^r: no digit
// of a small x is lost, since there n = 0.
LANES_INLINE lanes_t lanes_exp_minus_one_of_negative(lanes_t x) {
  lanes_t n;
  lanes_t r = lanes_remainder_of_log_2(x, &n);
  lanes_t p = 1.0f / 5040;
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 720));
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 120));
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 24));
  p = lanes_multiply_add(p, r, (lanes_t)(1.0f / 6));
  p = lanes_multiply_add(p, r, (lanes_t)0.5f);
  p = lanes_multiply_add(p * r, r, r);
  lanes_t scale = lanes_power_of_2(n);
  return lanes_multiply_add(p, scale, scale - 1.0f);
}

// log(1 + u) for 0 <= u <= 1, to 2 units in the last place: 2 artanh(u / (2 + u)).
LANES_INLINE lanes_t lanes_log_of_one_plus(lanes_t u) {
  lanes_t s = u / (2.0f + u);
  lanes_t q = s * s;
  lanes_t p = 1.0f / 15;
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 13));
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 11));
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 9));
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 7));
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 5));
  p = lanes_multiply_add(p, q, (lanes_t)(1.0f / 3));
  p = lanes_multiply_add(p, q, (lanes_t)1.0f);
  return 2.0f * s * p;
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
