import ADMM
import Configuration
import Networks
import Optimizers
import Testing

@Suite struct MethodTableTests {
  /// Each method says all that a run asks it.
  @Test func methodsDescribeThemselves() {
    #expect(Set(Configuration.methods.map { $0.name }).count == Configuration.methods.count)
    let table = Configuration().methods
    for method in Configuration.methods {
      #expect(Configuration.keys.contains { $0.section == method.name })
      let settings = table[named: method.name]
      #expect(type(of: settings) == method && !settings.summary.isEmpty)
      #expect(settings.advice(.rising).hasSuffix("."))
      // What the advice names are keys; methods that search along lines have none that would help.
      let words = settings.advice(.rising).split(separator: " ").filter { $0.contains("\(method.name).") }
      #expect(words.isEmpty == ["cg", "lbfgs"].contains(method.name), "\(method.name) names \(words)")
      for word in words {
        #expect(
          Configuration.keys.contains { $0.path == word.filter { $0 != "," }.trimmingSuffix(".") }, "\(word)")
      }
    }
  }

  @Test func settingsAreKeptByType() {
    var table = Configuration().methods
    table[SGDSettings.self].momentum = 0.25
    table[TaylorSettings.self].warmStart = 3
    #expect(table[SGDSettings.self].momentum == 0.25 && table[TaylorSettings.self].warmStart == 3)
    #expect(table != Configuration().methods)
    table[SGDSettings.self] = SGDSettings()
    table[TaylorSettings.self] = TaylorSettings()
    #expect(table == Configuration().methods)
  }
}

extension String {
  /// Without `suffix`, if it ends so.
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
