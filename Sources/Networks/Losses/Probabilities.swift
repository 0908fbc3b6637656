import Glibc

/// log σ(z) = −log(1 + e^(−z)), without overflow.
func logSigmoid(_ z: Double) -> Double { min(z, 0) - log1p(exp(-abs(z))) }

/// log Σ_j e^(x_j), without overflow.
func logSumExp(_ count: Int, except left: Int? = nil, _ x: (Int) -> Double) -> Double {
  var largest = -Double.infinity
  for j in 0..<count where j != left { largest = max(largest, x(j)) }
  var sum = 0.0
  for j in 0..<count where j != left { sum += exp(x(j) - largest) }
  return largest + log(sum)
}
