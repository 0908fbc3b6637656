"""What one core can do at most: the speed of single-precision products of 2048 × 2048 matrices by the system's OpenBLAS.

    python peak.py            prints {"kernel": …, "gflops": …} for the kernel that OpenBLAS chooses under this environment

OpenBLAS reads OPENBLAS_CORETYPE when it is loaded, so every kernel is a process of its own. A kernel that makes a mistake in a product of
small whole numbers, where every rounding is exact, doesn't count.
"""

import ctypes
import json
import os
import subprocess
import sys
import time
from ctypes.util import find_library
from pathlib import Path

KERNELS = {"Haswell": "avx2", "Zen": "avx2", "SkylakeX": "avx512f", "Cooperlake": "avx512_bf16"}


def candidates():
    """The kernels that this processor can run."""
    flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    return [kernel for kernel, flag in KERNELS.items() if flag in flags]


def measure(kernel=None):
    """The result of this script under `kernel`, or under the environment as it is; None where it failed."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    if kernel:
        environment["OPENBLAS_CORETYPE"] = kernel
    job = subprocess.run([sys.executable, __file__], env=environment, capture_output=True, text=True)
    return json.loads(job.stdout) if job.returncode == 0 else None


def main():
    import numpy as np

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    blas = ctypes.CDLL(find_library("openblas") or "libopenblas.so.0")
    blas.openblas_get_corename.restype = ctypes.c_char_p
    row_major, as_it_is = 101, 111

    def multiply(A, B, C):
        n = ctypes.c_int(len(A))
        pointers = [x.ctypes.data_as(ctypes.c_void_p) for x in (A, B, C)]
        blas.cblas_sgemm(
            row_major, as_it_is, as_it_is, n, n, n, ctypes.c_float(1), pointers[0], n, pointers[1], n, ctypes.c_float(0), pointers[2], n
        )

    def whole_numbers(n):
        return np.random.default_rng(n).integers(-3, 4, (n, n)).astype(np.float32)

    for n in (5, 64, 301):
        A, C = whole_numbers(n), np.empty((n, n), np.float32)
        multiply(A, A.T.copy(), C)
        if not (C == A.astype(int) @ A.T.astype(int)).all():
            sys.exit(f"kernel {blas.openblas_get_corename().decode()} multiplies wrongly")

    n = 2048
    A, C = whole_numbers(n), np.empty((n, n), np.float32)
    seconds = []
    for _ in range(6):
        start = time.perf_counter()
        multiply(A, A, C)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"kernel": blas.openblas_get_corename().decode(), "gflops": 2 * n**3 / min(seconds) / 1e9}))


if __name__ == "__main__":
    main()
