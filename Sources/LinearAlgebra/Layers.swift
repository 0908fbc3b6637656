/// One value a layer, numbered as in the paper: `W[1]` … `W[L]`.
///
/// An array for values that can't be copied. Its subscript lends an element in place, so that a step can write one variable while
/// it reads others.
public struct Layers<Value: ~Copyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Value>
  /// The layers that have a value; may be empty.
  public let indices: Range<Int>

  /// `value(l)` for each layer l of `indices`, in order.
  public init<E: Error>(_ indices: Range<Int>, _ value: (Int) throws(E) -> Value) throws(E) {
    // Until `self` is whole, a throw does not run `deinit`.
    let base = UnsafeMutablePointer<Value>.allocate(capacity: indices.count)
    var made = 0
    do throws(E) {
      for l in indices {
        (base + made).initialize(to: try value(l))
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

  /// The value of layer l.
  public subscript(l: Int) -> Value {
    _read {
      precondition(indices.contains(l), "layer \(l) of \(indices)")
      yield base[l - indices.lowerBound]
    }
    _modify {
      precondition(indices.contains(l), "layer \(l) of \(indices)")
      yield &base[l - indices.lowerBound]
    }
  }
}
