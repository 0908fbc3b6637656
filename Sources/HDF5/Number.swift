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
public enum ElementClass: Sendable, Equatable {
  /// Floating-point numbers of any size.
  case float
  /// Integers of up to eight bytes.
  case integer
  /// Integers of eight bytes without a sign.
  case unsigned64
  /// Integers that stand for names, such as h5py's booleans.
  case enumeration
  /// Text of fixed or variable length.
  case string
  /// Something that this program doesn't read, in the plural.
  case other(String)

  init(_ type: borrowing Handle) {
    switch H5Tget_class(type.id) {
    case H5T_FLOAT: self = .float
    case H5T_INTEGER where H5Tget_size(type.id) > 8: self = .other("integers of more than 64 bits")
    case H5T_INTEGER where H5Tget_size(type.id) == 8 && H5Tget_sign(type.id) == H5T_SGN_NONE:
      self = .unsigned64
    case H5T_INTEGER: self = .integer
    case H5T_ENUM: self = .enumeration
    case H5T_STRING: self = .string
    case H5T_COMPOUND: self = .other("records")
    case H5T_ARRAY: self = .other("arrays as elements")
    case H5T_VLEN: self = .other("lists of different lengths")
    case H5T_REFERENCE: self = .other("references to other objects")
    case H5T_BITFIELD: self = .other("bit fields")
    default: self = .other("opaque data")
    }
  }

  /// Whether the elements can be read as numbers.
  public var isNumeric: Bool { [.float, .integer, .unsigned64, .enumeration].contains(self) }

  /// The elements, in the plural.
  var words: String {
    switch self {
    case .float, .integer, .unsigned64, .enumeration: "numbers"
    case .string: "text"
    case .other(let words): words
    }
  }
}
