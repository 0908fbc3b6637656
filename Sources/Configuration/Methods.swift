import ADMM
import Networks
import Optimizers

extension Configuration {
  /// Every training method, in the order of their sections. To add one is a line here, and its own file.
  public static let methods: [any MethodSettings.Type] = [
    TaylorSettings.self,
    ConsistentSettings.self,
    AcceleratedSettings.self,
    SGDSettings.self,
    AdamSettings.self,
    ConjugateGradientSettings.self,
    LBFGSSettings.self,
  ]

  /// What `training.method` may be.
  static let methodNames = methods.map { $0.name }

  /// The settings of the method that trains.
  public var method: any MethodSettings { methods[named: training.method] }
}

/// The settings of every method.
public struct MethodTable: Sendable, Equatable {
  /// One value of each type of `Configuration.methods`, in its order.
  public private(set) var all: [any MethodSettings] = Configuration.methods.map { $0.init() }

  /// The settings of one method.
  public subscript<Settings: MethodSettings>(_ type: Settings.Type) -> Settings {
    get {
      guard let settings = all[place(of: type)] as? Settings else {
        preconditionFailure("the settings of \(type.name) are of another type")
      }
      return settings
    }
    set { all[place(of: type)] = newValue }
  }

  /// The settings of the method of this name.
  ///
  /// - Precondition: there is one.
  public subscript(named name: String) -> any MethodSettings {
    guard let place = Configuration.methodNames.firstIndex(of: name) else {
      preconditionFailure("there is no method \(name)")
    }
    return all[place]
  }

  private func place(of type: any MethodSettings.Type) -> Int {
    guard let place = Configuration.methods.firstIndex(where: { $0 == type }) else {
      preconditionFailure("\(type.name) is not in Configuration.methods")
    }
    return place
  }

  public static func == (a: MethodTable, b: MethodTable) -> Bool {
    a.all.indices.allSatisfy { areEqual(a.all[$0], b.all[$0]) }
  }

  private static func areEqual<Settings: MethodSettings>(_ a: Settings, _ b: any MethodSettings) -> Bool {
    a == b as? Settings
  }
}
