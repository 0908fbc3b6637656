#pragma once

#include <mpi.h>

// MPI leaves open whether its constants are macros, so each that we use gets a function.

static inline MPI_Comm shim_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm shim_comm_self(void) { return MPI_COMM_SELF; }
static inline MPI_Comm shim_comm_null(void) { return MPI_COMM_NULL; }
static inline MPI_Errhandler shim_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Info shim_info_null(void) { return MPI_INFO_NULL; }

static inline MPI_Datatype shim_uint8(void) { return MPI_UINT8_T; }
static inline MPI_Datatype shim_int32(void) { return MPI_INT32_T; }
static inline MPI_Datatype shim_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype shim_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype shim_double(void) { return MPI_DOUBLE; }

static inline MPI_Op shim_sum(void) { return MPI_SUM; }
static inline MPI_Op shim_max(void) { return MPI_MAX; }
static inline MPI_Op shim_min(void) { return MPI_MIN; }

static inline const void *shim_in_place(void) { return MPI_IN_PLACE; }
static inline MPI_Status *shim_status_ignore(void) { return MPI_STATUS_IGNORE; }
static inline int shim_comm_type_shared(void) { return MPI_COMM_TYPE_SHARED; }
static inline int shim_thread_funneled(void) { return MPI_THREAD_FUNNELED; }
static inline int shim_thread_serialized(void) { return MPI_THREAD_SERIALIZED; }
static inline int shim_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int shim_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }
static inline int shim_max_library_version(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }
