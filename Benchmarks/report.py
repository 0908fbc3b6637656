"""The tables of `bench.py`, in Markdown."""

import datetime
import re
import statistics
import sys

import machine


def ours(ranks):
    return f"admm-mpi, {ranks} rank{'s' if ranks > 1 else ''}"


def median(results, of):
    return statistics.median(of(result) for result in results)


def bench(shapes, load):
    """Everything that `make bench` found. load: the machine's, before."""
    rounds = len(shapes[0]["rounds"])
    lines = [
        *busy(load),
        f"Seconds an iteration on the same cores, and how many times those of the program on 2 ranks; medians of {rounds} interleaved",
        "rounds.",
        "",
        row("", *(f"{s['shape']}, {s['samples']:,} samples" for s in shapes)),
        "|---|" + "---:|" * len(shapes),
    ]
    two = ours(2)
    for name in shapes[0]["rounds"][0]["seconds"]:
        cells = []
        for s in shapes:
            seconds = median(s["rounds"], lambda r: r["seconds"][name])
            ratio = median(s["rounds"], lambda r: r["seconds"][name] / r["seconds"][two])
            cells.append(f"{seconds:.4f} s" + ("" if name == two else f" ({ratio:.2f} ×)"))
        lines.append(row(name, *cells))

    lines += [
        "",
        "The program against the machine and the formulae. sgemm is the speed of 2048³ products on one core, by the system's OpenBLAS in",
        "the same rounds: the fastest kernel that computes rightly here, and the one in force.",
        "",
        row("", *(s["shape"] for s in shapes)),
        "|---|" + "---:|" * len(shapes),
    ]
    for name, cell in ROWS.items():
        lines.append(row(name, *(cell(s["rounds"], s) for s in shapes)))

    versions = shapes[0]["versions"]
    lines += ["", *where_and_when(shapes[0]["rounds"][0]["runs"][1], load), *(f"- {text}" for text in versions.values())]
    return "\n".join([*lines, "", "The command: `make bench`."])


def gflops(ranks):
    return lambda results, _: f"{median(results, lambda r: r['runs'][ranks]['gflops_per_rank']):.0f}"


def sgemm(which):
    def cell(results, _):
        kernels = "/".join(sorted({r[which]["kernel"] for r in results}))
        return f"{median(results, lambda r: r[which]['gflops']):.0f} ({kernels})"

    return cell


def share_of_sgemm(ranks):
    def cell(results, _):
        best, in_force = (
            median(results, lambda r: r["runs"][ranks]["gflops_per_rank"] / r[which]["gflops"]) for which in ("best", "in force")
        )
        return f"{best:.0%} ({in_force:.0%} of that in force)"

    return cell


def speed_up(results, _):
    return f"{median(results, lambda r: r['seconds'][ours(1)] / r['seconds'][ours(2)]):.2f}"


def communication(results, _):
    def share(result):
        run = result["runs"][2]
        seconds = {name: run["phases"].get(name, {}).get("mean", 0) for name in ("solve", "update", "sum", "reduce")}
        return seconds["reduce"] / sum(seconds.values())

    return f"{median(results, share):.1%}"


def reductions(results, _):
    return f"{results[0]['runs'][2]['reductions_per_iteration']}; 1"


def message_bytes(results, s):
    return f"{results[0]['runs'][2]['bytes_reduced_per_iteration']:,}; {expected_bytes(s['widths']):,}"


def memory(ranks):
    def cell(results, s):
        used = median(results, lambda r: r["runs"][ranks]["peak_rss_bytes"]["max"])
        return memory_words(used, expected_memory(s["widths"], s["samples"] / ranks))

    return cell


ROWS = {
    "useful GFLOP/s a rank, 1 rank": gflops(1),
    "useful GFLOP/s a rank, 2 ranks": gflops(2),
    "sgemm GFLOP/s, best kernel": sgemm("best"),
    "sgemm GFLOP/s, kernel in force": sgemm("in force"),
    "share of sgemm, 1 rank": share_of_sgemm(1),
    "share of sgemm, 2 ranks": share_of_sgemm(2),
    "speed-up, 2 ranks against 1": speed_up,
    "time in reductions, 2 ranks, waiting included": communication,
    "reductions an iteration; expected": reductions,
    "bytes a rank sends into them; expected": message_bytes,
    "peak memory of 1 rank; its samples by the formula": memory(1),
    "peak memory of each of 2 ranks; its samples": memory(2),
}


def expected_bytes(widths):
    """Of each layer z_l a_{l−1}ᵀ and, but for a_0, the upper triangle of a_l a_lᵀ, biases included, in 64-bit integers."""
    words = sum(d * (below + 1) for below, d in zip(widths, widths[1:]))
    words += sum((d + 1) * (d + 2) // 2 for d in widths[1:-1])
    return 8 * words


def expected_memory(widths, samples):
    """Every z_l and λ, the data and the targets, in single precision."""
    return 4 * samples * (sum(widths[1:]) + widths[-1] + widths[0] + widths[-1])


def memory_words(used, expected):
    return f"{used / 2**20:,.0f} MiB; {expected / 2**20:,.0f} MiB"


def full(run, speeds, configuration, load):
    """The run of a whole problem on 2 ranks. speeds: what `peak.measure` found, the kernel in force first."""
    best = max(speeds, key=lambda measured: measured["gflops"])
    samples, ranks = run["samples"]["train"], run["ranks"]
    reduce = run["phases"].get("reduce", {}).get("mean", 0)
    iterating = sum(run["phases"].get(name, {}).get("mean", 0) for name in ("solve", "update", "sum", "reduce"))
    expected = expected_memory(run["layers"], sum(run["samples"].values()) / ranks)
    lines = [
        *busy(load),
        f"{'-'.join(map(str, run['layers']))}, {samples:,} samples, {run['iterations']} iterations on {ranks} ranks:",
        "",
        "| | |",
        "|---|---:|",
        row("seconds an iteration", f"{run['seconds']['per_iteration']:.3f}"),
        row("useful GFLOP/s a rank", f"{run['gflops_per_rank']:.0f}"),
        row(f"share of sgemm 2048³, {best['gflops']:.0f} GFLOP/s by the best kernel, {best['kernel']}",
            f"{run['gflops_per_rank'] / best['gflops']:.0%}"),
        row(f"share of the kernel in force, {speeds[0]['gflops']:.0f} by {speeds[0]['kernel']}",
            f"{run['gflops_per_rank'] / speeds[0]['gflops']:.0%}"),
        row("time in reductions, waiting included", f"{reduce / iterating:.1%}"),
        row("peak memory of a rank; its samples by the formula", memory_words(run["peak_rss_bytes"]["max"], expected)),
        row("seconds in all", f"{run['seconds']['total']:.0f}"),
        "",
        *where_and_when(run, load),
    ]  # fmt: skip
    return "\n".join([*lines, "", f"The command: `make bench-full`, which runs `{configuration}`."])


def busy(load):
    """What a reader must know of figures from a machine with other work."""
    if load <= 0.5:
        return []
    return [
        f"**To be measured again: the machine was not idle ({load:.1f} cores were busy).** Threads that wait for each other suffer most from that, so",
        "the ratios of NumPy and of plain PyTorch are too large.",
        "",
    ]


def where_and_when(run, load):
    versions = run["versions"]
    return [
        f"- {datetime.date.today()}, {machine.processor()}; {load:.1f} cores busy with other work before the run",
        f"- admm-mpi {versions['program']} ({versions['commit']}): Swift {versions['swift']}, {versions['mpi']}, {versions['blas']}, "
        f"kernel {versions['blas_kernel']}, HDF5 {versions['hdf5']}, one thread a rank",
    ]


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def replace_section(path, name, text):
    """Puts the text between the comments `<!-- NAME: begin … -->` and `<!-- NAME: end -->`."""
    document = path.read_text()
    pattern = rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)"
    if not re.search(pattern, document, re.DOTALL):
        sys.exit(f"{path} has no section between <!-- {name}: begin --> and <!-- {name}: end -->")
    path.write_text(re.sub(pattern, lambda found: f"{found[1]}\n{text}\n\n{found[2]}", document, flags=re.DOTALL))
