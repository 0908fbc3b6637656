#pragma once

#include <stdbool.h>

// Whether allocations are counted and threads refused: not beside a sanitizer, which has functions of its own.
bool counts_allocations(void);

// How many heap allocations watched threads have made so far, in any library. What MPI allocates within a call is
// its own affair.
long allocation_count(void);

// Whether the allocations of the calling thread count from here on, and those of the threads that it starts. Not at
// first.
void watch_allocations(bool is_watched);

// The calling thread can start so many more threads, then the system seems to give none. Negative: as many as it
// likes, as at first.
void allow_threads(int count);

// Brackets a call of MPI, in which nothing counts.
void enter_mpi(void);
void leave_mpi(void);

// How many times this process has called MPI_Allreduce so far, and how many bytes it has given to it in all.
long reduction_count(void);
long reduced_bytes(void);
