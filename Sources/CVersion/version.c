#include "CVersion.h"

const char *source_commit(void) { return ADMM_COMMIT; }
