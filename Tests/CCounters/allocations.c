#define _GNU_SOURCE

#include "CCounters.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

// Sanitizers have functions of their own in these places.

bool counts_allocations(void) { return false; }
long allocation_count(void) { return 0; }
void watch_allocations(bool is_watched_now) { (void)is_watched_now; }
void allow_threads(int number) { (void)number; }
void enter_mpi(void) {}
void leave_mpi(void) {}

#else

// The program's own definitions of the allocation functions take the place of the C library's, for all libraries of
// the process; they count and pass on to glibc's other names for them.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static atomic_long count;
static _Thread_local bool is_watched;
static _Thread_local int calls_of_mpi;
static _Thread_local int allowed_threads = -1;

bool counts_allocations(void) { return true; }

long allocation_count(void) { return atomic_load(&count); }

void watch_allocations(bool is_watched_now) { is_watched = is_watched_now; }

void allow_threads(int number) { allowed_threads = number; }

void enter_mpi(void) { calls_of_mpi += 1; }
void leave_mpi(void) { calls_of_mpi -= 1; }

static void note(void) {
  if (is_watched && calls_of_mpi == 0) atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  note();
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  note();
  void *result = __libc_memalign(alignment, size);
  if (!result) return ENOMEM;
  *memory = result;
  return 0;
}

// A thread that a watched one starts is watched.

typedef void *(*Body)(void *);
typedef int (*Create)(pthread_t *, const pthread_attr_t *, Body, void *);

struct start {
  Body body;
  void *argument;
};

static void *run_watched(void *memory) {
  struct start start = *(struct start *)memory;
  __libc_free(memory);
  is_watched = true;
  return start.body(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, Body body, void *argument) {
  Create create = (Create)dlsym(RTLD_NEXT, "pthread_create");
  if (!create) return ENOSYS;
  if (allowed_threads == 0) return EAGAIN;
  if (allowed_threads > 0) allowed_threads -= 1;
  if (!is_watched) return create(thread, attributes, body, argument);
  struct start *start = __libc_malloc(sizeof *start);
  if (!start) return EAGAIN;
  *start = (struct start){body, argument};
  int code = create(thread, attributes, run_watched, start);
  if (code != 0) __libc_free(start);
  return code;
}

#endif
