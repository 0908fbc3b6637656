import MPI

/// The area under the ROC curve: how often a positive sample has a higher score than a negative one, ties counted
/// half.
///
/// Exact: U = #{(p, n): s_p > s_n} + ½ #{(p, n): s_p = s_n} is counted in integers, and AUC = U / (P N). The samples
/// are shared out anew by score, in a sort by regular sampling (Shi & Schaeffer 1992), so that equal scores meet on
/// one rank. Collective; the same number for any number of ranks. At most 4·10⁹ samples.
///
/// - Parameters:
///   - scores: one for each of this rank's samples, which may be none.
///   - isPositive: which of them are positive.
/// - Returns: nil where there are no positive or no negative samples, or where a score is NaN.
func areaUnderROC(
  _ scores: [Float], _ isPositive: [Bool], over ranks: borrowing Communicator
) throws(MPIError) -> Double? {
  precondition(scores.count == isPositive.count, "\(scores.count) scores, \(isPositive.count) labels")
  var totals = [isPositive.count { $0 }, isPositive.count { !$0 }, scores.count { $0.isNaN }]
  try ranks.sum(&totals)
  guard totals[0] > 0, totals[1] > 0, totals[2] == 0 else { return nil }

  var own = zip(scores, isPositive).map { ScoredLabel($0, isPositive: $1).code }
  own.sort()
  own = try shareOut(own, over: ranks)
  own.sort()

  let negatives = own.count { !ScoredLabel(code: $0).isPositive }
  var below = try ranks.sumOfLowerRanks(negatives)
  var twiceU = 0
  var first = 0
  while first < own.count {
    let rank = ScoredLabel(code: own[first]).rank
    var (positive, negative) = (0, 0)
    while first < own.count, ScoredLabel(code: own[first]).rank == rank {
      if ScoredLabel(code: own[first]).isPositive { positive += 1 } else { negative += 1 }
      first += 1
    }
    twiceU += positive * (2 * below + negative)
    below += negative
  }
  return Double(try ranks.sum(twiceU)) / Double(2 * totals[0] * totals[1])
}

/// A score and its label as one integer, whose order is that of the scores.
private struct ScoredLabel {
  let code: Int

  init(code: Int) { self.code = code }

  init(_ score: Float, isPositive: Bool) {
    // The magnitudes of floating-point numbers are in the order of their bits; −0 and +0 are both 0.
    let magnitude = Int(score.magnitude.bitPattern)
    code = (score < 0 ? -magnitude : magnitude) << 1 | (isPositive ? 1 : 0)
  }

  /// Equal for equal scores, greater for greater ones.
  var rank: Int { code >> 1 }
  var isPositive: Bool { code & 1 == 1 }
}

/// Gives each rank the codes of one range of scores, the lower ranks the lower ones. Collective.
///
/// - Parameter sorted: this rank's codes in ascending order.
private func shareOut(_ sorted: [Int], over ranks: borrowing Communicator) throws(MPIError) -> [Int] {
  guard ranks.size > 1 else { return sorted }
  // As many evenly spaced samples as ranks make no rank's share more than twice the mean; 64 are enough in practice.
  let wanted = min(ranks.size, 64)
  let samples =
    sorted.isEmpty ? [] : (0..<wanted).map { ScoredLabel(code: sorted[$0 * sorted.count / wanted]).rank }
  let all = try ranks.gather(samples).joined().sorted()
  let splitters = (1..<ranks.size).map { all[$0 * all.count / ranks.size] }

  // Scores from splitter r − 1 on and below splitter r go to rank r.
  var ends: [Int] = []
  for splitter in splitters {
    var (low, high) = (ends.last ?? 0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if ScoredLabel(code: sorted[middle]).rank < splitter { low = middle + 1 } else { high = middle }
    }
    ends.append(low)
  }
  ends.append(sorted.count)
  let counts = ends.indices.map { ends[$0] - ($0 > 0 ? ends[$0 - 1] : 0) }
  return try sorted.withUnsafeBufferPointer { codes throws(MPIError) in
    try ranks.exchange(codes, sendCounts: counts).elements
  }
}
