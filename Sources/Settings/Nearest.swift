/// The word that is nearest to `word` by edit distance, if any is near.
package func nearest(to word: String, among words: [String]) -> String? {
  guard word.utf8.count <= 100 else { return nil }
  let ranked = words.map { (word: $0, distance: editDistance(word.lowercased(), $0)) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(2, best.word.count / 3) && best.distance < best.word.count ? best.word : nil
}

/// The fewest insertions, deletions and changes of a character that turn `a` into `b`.
private func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let above = row[j + 1]
      row[j + 1] = Swift.min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
      diagonal = above
    }
  }
  return row[b.count]
}
