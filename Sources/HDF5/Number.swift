import CHDF5

/// A type of number that HDF5 can move between memory and file, converting from and to any other.
public protocol Number: BitwiseCopyable {
  /// HDF5's native type.
  static var type: hid_t { get }
  /// The number 0.
  static var zero: Self { get }
}

extension UInt8: Number { public static var type: hid_t { h5_uint8() } }
extension Int32: Number { public static var type: hid_t { h5_int32() } }
extension Int64: Number { public static var type: hid_t { h5_int64() } }
extension Int: Number { public static var type: hid_t { h5_int64() } }
extension UInt64: Number { public static var type: hid_t { h5_uint64() } }
extension Float: Number { public static var type: hid_t { h5_float() } }
extension Double: Number { public static var type: hid_t { h5_double() } }

/// What an array in a file holds.
public enum ElementClass: Sendable {
  /// Floating-point numbers of any size.
  case float
  /// Integers of any size, signed or not.
  case integer
  /// Text of fixed or variable length.
  case string
  /// Something that this program doesn't read.
  case other

  init(_ type: borrowing Handle) {
    switch H5Tget_class(type.id) {
    case H5T_FLOAT: self = .float
    case H5T_INTEGER: self = .integer
    case H5T_STRING: self = .string
    default: self = .other
    }
  }

  var isNumeric: Bool { self == .float || self == .integer }
}
