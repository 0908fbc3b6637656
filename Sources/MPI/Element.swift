import COpenMPI

/// A number that MPI can send and reduce: it knows its MPI datatype, so that pointer, count and type can't disagree.
public protocol Element: BitwiseCopyable {
  /// The predefined MPI datatype of the same size and meaning.
  static var datatype: MPI_Datatype { get }
}

extension UInt8: Element { public static var datatype: MPI_Datatype { shim_uint8() } }
extension Int32: Element { public static var datatype: MPI_Datatype { shim_int32() } }
extension Int64: Element { public static var datatype: MPI_Datatype { shim_int64() } }
extension Int: Element { public static var datatype: MPI_Datatype { shim_int64() } }
extension Float: Element { public static var datatype: MPI_Datatype { shim_float() } }
extension Double: Element { public static var datatype: MPI_Datatype { shim_double() } }
