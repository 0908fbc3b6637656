#pragma once

#include "../CMPI/shim.h"
#include <hdf5.h>

// HDF5's constants are macros, many of which open the library first, so each that we use gets a function.

static inline hid_t h5_default(void) { return H5P_DEFAULT; }
static inline hid_t h5_error_stack(void) { return H5E_DEFAULT; }
static inline hid_t h5_all(void) { return H5S_ALL; }

static inline hid_t h5_file_create_list(void) { return H5P_FILE_CREATE; }
static inline hid_t h5_file_access_list(void) { return H5P_FILE_ACCESS; }
static inline hid_t h5_dataset_create_list(void) { return H5P_DATASET_CREATE; }
static inline hid_t h5_dataset_access_list(void) { return H5P_DATASET_ACCESS; }

static inline unsigned h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned h5_truncate(void) { return H5F_ACC_TRUNC; }

static inline hid_t h5_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t h5_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t h5_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t h5_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t h5_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t h5_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t h5_c_string(void) { return H5T_C_S1; }
static inline size_t h5_variable_length(void) { return H5T_VARIABLE; }

// The kind of a link, an H5L_type_t; negative where HDF5 can't tell. (H5Lget_info is a macro since 1.12.)
static inline int h5_link_type(hid_t place, const char *name, hid_t access) {
  H5L_info_t info;
  return H5Lget_info(place, name, &info, access) < 0 ? -1 : (int)info.type;
}
static inline int h5_soft_link(void) { return H5L_TYPE_SOFT; }
static inline int h5_hard_link(void) { return H5L_TYPE_HARD; }
