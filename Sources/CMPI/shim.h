#pragma once

#include <mpi.h>
#include <stddef.h>

// A handle is a pointer in Open MPI and a number in MPICH, and any constant may be a macro. So that Swift sees
// neither, a handle lies in a struct of ours, which Swift passes on as it is; each constant and call that we use is
// a function. A call's function has its name in lower case and returns its code.

typedef struct { MPI_Comm handle; } mpi_communicator;
typedef struct { MPI_Request handle; } mpi_request;
typedef struct { MPI_Datatype handle; } mpi_datatype;
typedef struct { MPI_Op handle; } mpi_operation;

// Constants

static inline int mpi_success(void) { return MPI_SUCCESS; }
static inline int mpi_thread_funneled(void) { return MPI_THREAD_FUNNELED; }
static inline int mpi_thread_serialized(void) { return MPI_THREAD_SERIALIZED; }
static inline int mpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int mpi_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }
static inline int mpi_max_library_version_string(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }

static inline mpi_communicator mpi_comm_world(void) { return (mpi_communicator){MPI_COMM_WORLD}; }
static inline mpi_communicator mpi_comm_self(void) { return (mpi_communicator){MPI_COMM_SELF}; }

static inline mpi_datatype mpi_uint8(void) { return (mpi_datatype){MPI_UINT8_T}; }
static inline mpi_datatype mpi_int32(void) { return (mpi_datatype){MPI_INT32_T}; }
static inline mpi_datatype mpi_int64(void) { return (mpi_datatype){MPI_INT64_T}; }
static inline mpi_datatype mpi_float(void) { return (mpi_datatype){MPI_FLOAT}; }
static inline mpi_datatype mpi_double(void) { return (mpi_datatype){MPI_DOUBLE}; }

static inline mpi_operation mpi_sum(void) { return (mpi_operation){MPI_SUM}; }
static inline mpi_operation mpi_max(void) { return (mpi_operation){MPI_MAX}; }
static inline mpi_operation mpi_min(void) { return (mpi_operation){MPI_MIN}; }

// The job

static inline int mpi_init_thread(int required, int *provided) {
  return MPI_Init_thread(NULL, NULL, required, provided);
}

static inline int mpi_finalize(void) { return MPI_Finalize(); }

static inline int mpi_abort(mpi_communicator ranks, int status) { return MPI_Abort(ranks.handle, status); }

// Texts: `text` has room for as many bytes as the constant says, and `length` of them are written.

static inline int mpi_error_string(int code, char *text, int *length) {
  return MPI_Error_string(code, text, length);
}

static inline int mpi_get_processor_name(char *text, int *length) { return MPI_Get_processor_name(text, length); }

static inline int mpi_get_library_version(char *text, int *length) { return MPI_Get_library_version(text, length); }

// Communicators

static inline int mpi_comm_dup(mpi_communicator ranks, mpi_communicator *copy) {
  return MPI_Comm_dup(ranks.handle, &copy->handle);
}

static inline int mpi_comm_free(mpi_communicator ranks) { return MPI_Comm_free(&ranks.handle); }

// Errors in calls on these ranks are returned, not fatal.
static inline int mpi_comm_set_errors_return(mpi_communicator ranks) {
  return MPI_Comm_set_errhandler(ranks.handle, MPI_ERRORS_RETURN);
}

static inline int mpi_comm_rank(mpi_communicator ranks, int *rank) { return MPI_Comm_rank(ranks.handle, rank); }

static inline int mpi_comm_size(mpi_communicator ranks, int *size) { return MPI_Comm_size(ranks.handle, size); }

// Collective calls

static inline int mpi_barrier(mpi_communicator ranks) { return MPI_Barrier(ranks.handle); }

static inline int mpi_allreduce_in_place(
    void *x, int count, mpi_datatype type, mpi_operation operation, mpi_communicator ranks) {
  return MPI_Allreduce(MPI_IN_PLACE, x, count, type.handle, operation.handle, ranks.handle);
}

static inline int mpi_exscan(
    const void *x, void *before, int count, mpi_datatype type, mpi_operation operation, mpi_communicator ranks) {
  return MPI_Exscan(x, before, count, type.handle, operation.handle, ranks.handle);
}

static inline int mpi_bcast(void *x, int count, mpi_datatype type, int root, mpi_communicator ranks) {
  return MPI_Bcast(x, count, type.handle, root, ranks.handle);
}

// `count` elements of each rank to every rank.
static inline int mpi_allgather(
    const void *x, void *all, int count, mpi_datatype type, mpi_communicator ranks) {
  return MPI_Allgather(x, count, type.handle, all, count, type.handle, ranks.handle);
}

static inline int mpi_allgatherv(
    const void *x, int count, void *all, const int *counts, const int *starts, mpi_datatype type,
    mpi_communicator ranks) {
  return MPI_Allgatherv(x, count, type.handle, all, counts, starts, type.handle, ranks.handle);
}

// `count` elements from each rank to each.
static inline int mpi_alltoall(
    const void *x, void *received, int count, mpi_datatype type, mpi_communicator ranks) {
  return MPI_Alltoall(x, count, type.handle, received, count, type.handle, ranks.handle);
}

// From one rank to another, always with tag 0

static inline int mpi_send(const void *x, int count, mpi_datatype type, int to, mpi_communicator ranks) {
  return MPI_Send(x, count, type.handle, to, 0, ranks.handle);
}

static inline int mpi_recv(void *x, int count, mpi_datatype type, int from, mpi_communicator ranks) {
  return MPI_Recv(x, count, type.handle, from, 0, ranks.handle, MPI_STATUS_IGNORE);
}

static inline int mpi_isend(
    const void *x, int count, mpi_datatype type, int to, mpi_communicator ranks, mpi_request *request) {
  return MPI_Isend(x, count, type.handle, to, 0, ranks.handle, &request->handle);
}

static inline int mpi_irecv(
    void *x, int count, mpi_datatype type, int from, mpi_communicator ranks, mpi_request *request) {
  return MPI_Irecv(x, count, type.handle, from, 0, ranks.handle, &request->handle);
}

static inline int mpi_wait(mpi_request *request) { return MPI_Wait(&request->handle, MPI_STATUS_IGNORE); }
