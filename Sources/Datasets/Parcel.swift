/// Consecutive samples as one rank has read them, before they go to their owners.
package struct Parcel {
  /// What comes with the features.
  enum LabelKind {
    case classes([String])
    case targets
    case none
  }

  /// About how many numbers a parcel holds at most: 1 Mi, 4 MiB.
  static let limit = 1 << 20

  /// The place of the parcel in the file: all ranks' parcels are in the order of this number.
  let order: Int
  /// How many samples.
  var count = 0
  /// count × d numbers, a sample after the other.
  var features: [Float] = []
  /// The classes of the samples; empty where there are none.
  var codes: [Int32] = []
  /// The targets of the samples; empty where there are none.
  var targets: [Float] = []

  init(order: Int) { self.order = order }

  /// The order of parcels where each rank reads one consecutive part of the file.
  static func order(rank: Int, index: Int) -> Int { rank << 32 | index }
}
