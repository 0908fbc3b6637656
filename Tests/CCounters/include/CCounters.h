#pragma once

// How many heap allocations this process has made so far, by any thread and in any library.
long allocation_count(void);

// How many times this process has called MPI_Allreduce so far, and how many bytes it has given to it in all.
long reduction_count(void);
long reduced_bytes(void);
