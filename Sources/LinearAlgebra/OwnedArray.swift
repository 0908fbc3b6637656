/// An array for values that can't be copied, numbered from any whole number.
///
/// Its subscript lends an element in place, so that one can be written while others are read.
public struct OwnedArray<Value: ~Copyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Value>
  /// The numbers that have a value; may be empty.
  public let indices: Range<Int>

  /// `value(i)` for each i of `indices`, in order.
  public init<E: Error>(_ indices: Range<Int>, _ value: (Int) throws(E) -> Value) throws(E) {
    // Until `self` is whole, a throw does not run `deinit`.
    let base = UnsafeMutablePointer<Value>.allocate(capacity: indices.count)
    var made = 0
    do throws(E) {
      for i in indices {
        (base + made).initialize(to: try value(i))
        made += 1
      }
    } catch {
      base.deinitialize(count: made)
      base.deallocate()
      throw error
    }
    self.base = base
    self.indices = indices
  }

  deinit {
    base.deinitialize(count: indices.count)
    base.deallocate()
  }

  /// Value i.
  public subscript(i: Int) -> Value {
    _read {
      precondition(indices.contains(i), "element \(i) of \(indices)")
      yield base[i - indices.lowerBound]
    }
    _modify {
      precondition(indices.contains(i), "element \(i) of \(indices)")
      yield &base[i - indices.lowerBound]
    }
  }
}

/// One value a layer, numbered as in the paper: `W[1]` … `W[L]`.
public typealias Layers<Value: ~Copyable> = OwnedArray<Value>
