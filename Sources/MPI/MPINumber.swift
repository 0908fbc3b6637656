import CMPI

/// A number that MPI can send and reduce: it knows its MPI datatype, so that pointer, count and type can't disagree.
public protocol MPINumber: BitwiseCopyable {
  /// The predefined MPI datatype of the same size and meaning.
  static var datatype: mpi_datatype { get }
}

extension UInt8: MPINumber { public static var datatype: mpi_datatype { mpi_uint8() } }
extension Int32: MPINumber { public static var datatype: mpi_datatype { mpi_int32() } }
extension Int64: MPINumber { public static var datatype: mpi_datatype { mpi_int64() } }
extension Int: MPINumber { public static var datatype: mpi_datatype { mpi_int64() } }
extension Float: MPINumber { public static var datatype: mpi_datatype { mpi_float() } }
extension Double: MPINumber { public static var datatype: mpi_datatype { mpi_double() } }
