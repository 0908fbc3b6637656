#pragma once

// How many heap allocations this process has made so far, by any thread and in any library.
long allocation_count(void);
