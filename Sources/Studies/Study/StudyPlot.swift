import Files
import Reports

/// A figure of a study: the measure along an axis, of every entry the seeds' median with the band between the worst
/// and the best seed.
///
/// Both files are text: rank 0 gives them to gnuplot, and whoever wants another figure edits them.
package struct StudyPlot: Sendable {
  /// Thinner than a hundredth of a line's width on a page.
  private static let ratio = 1.002
  /// Okabe & Ito's colours, which the colour-blind can tell apart.
  private static let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933"]

  package let axis: StudyAxis
  private let measure: StudyMeasure
  private let curves: [(name: String, bands: [StudyCurve.Band])]
  private let levels: [(name: String, value: Double)]

  /// nil where no curve has a point to draw.
  ///
  /// An entry without seeds, such as the linear model, is a level line.
  package init?(_ study: Study, _ axis: StudyAxis) {
    self.axis = axis
    measure = study.measure
    var (curves, levels): ([(String, [StudyCurve.Band])], [(String, Double)]) = ([], [])
    for entry in study.entries {
      guard entry.isTrained else {
        let value = entry.last(study.measure).mean
        if value.isFinite { levels.append((entry.name, value)) }
        continue
      }
      let bands = StudyCurve(entry, axis, study.measure).bands(ratio: Self.ratio).filter {
        $0.x > 0 && $0.min.isFinite && $0.max.isFinite
      }
      if !bands.isEmpty { curves.append((entry.name, bands)) }
    }
    guard !curves.isEmpty else { return nil }
    self.curves = curves
    self.levels = levels
  }

  /// Such as "passes": the files' names without extension.
  package var stem: String { axis.rawValue }

  /// The data: a block a curve, with both ends of every step.
  package var data: String {
    curves.map { name, bands in
      var text = "# \(oneLine(name))\n# \(axis.rawValue)\tmin\tmedian\tmax\n"
      for (i, band) in bands.enumerated() {
        for level in i > 0 ? [bands[i - 1], band] : [band] {
          text += "\(band.x)\t\(level.min)\t\(level.median)\t\(level.max)\n"
        }
      }
      return text
    }.joined(separator: "\n\n")
  }

  /// The commands, for a gnuplot in the directory of the files.
  package var script: String {
    let places = curves.flatMap { $0.bands.map(\.x) }
    let (first, last) = (places.min() ?? 1, places.max() ?? 1)
    let tics = logarithmicPlaces(from: first, to: last, atMost: 12).map { general($0, 6) }
    let file = quote("\(stem).dat")
    var parts: [String] = []
    for (i, curve) in curves.enumerated() {
      let colour = "linecolor rgb '\(Self.colours[i % Self.colours.count])'"
      let dash = "dashtype \(i / Self.colours.count + 1)"
      parts.append("\(file) index \(i) using 1:2:4 with filledcurves \(colour) notitle")
      parts.append(
        "\(file) index \(i) using 1:3 with lines \(colour) linewidth 2 \(dash) title \(quote(curve.name))")
    }
    for (i, level) in levels.enumerated() {
      parts.append(
        "\(level.value) with lines linecolor rgb 'black' dashtype \(i + 2) title \(quote(level.name))")
    }
    let meaning =
      axis == .seconds ? "seconds of training, without evaluation" : "passes over the training set"
    return """
      # \(oneLine(measure.title)): the median over the seeds, and the band from the worst to the best of them.
      # gnuplot \(stem).gp
      set terminal svg size 800,500 noenhanced background rgb 'white'
      if (!exists("figure")) figure = \(quote("\(stem).svg"))
      set output figure
      set logscale x
      set xrange [\(first < last ? first : 0.9 * first):\(first < last ? last : 1.1 * last)]
      \(tics.isEmpty ? "" : "set xtics (\(tics.joined(separator: ", ")))")
      set xlabel \(quote(meaning))
      set ylabel \(quote(measure.title))
      set grid
      set key \(measure.isAccuracy ? "bottom" : "top") right
      set style fill transparent solid 0.2 noborder
      plot \(parts.joined(separator: ", \\\n  "))

      """
  }
}

/// Text in gnuplot's single quotes.
package func quote(_ text: String) -> String {
  "'" + oneLine(text).split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}

/// Text without control characters.
private func oneLine(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
}
