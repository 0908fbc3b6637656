"""Computes the tables of a comparison anew from its series, with nothing of the program's own code.

    study.py INPUT.json OUTPUT.json
    INPUT:  {"directory": what `compare` left, "lower": whether less of the measure is better}
    OUTPUT: {"mistakes": [what differs], "lines": [name, seed, iteration, values … of each line, without times],
             "checked": how many numbers of table.json were compared, "titles": [texts in each SVG file, or null where there is none]}
"""

import json
import math
import statistics
import sys
import xml.dom.minidom
from pathlib import Path


def main(question):
    directory, lower = Path(question["directory"]), question["lower"]
    table = json.loads((directory / "table.json").read_text())
    text = (directory / "table.txt").read_text().splitlines()
    series = [json.loads(line) for line in (directory / "series.jsonl").read_text().splitlines()]
    key, factor = table["measure"], 1 if lower else 100
    choice = next(k for k in ("validation", "train") if f"{k}_{key.split('_')[1]}" in series[0])
    choice = f"{choice}_{key.split('_')[1]}"
    sign = -1 if lower else 1
    mistakes, checked = [], 0

    def compare(where, found, expected):
        nonlocal checked
        checked += 1
        if not math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12):
            mistakes.append(f"{where}: {found}, not {expected}")

    def compare_summary(where, found, values):
        compare(f"{where}.mean", found["mean"], statistics.fmean(values))
        compare(f"{where}.min", found["min"], min(values))
        compare(f"{where}.max", found["max"], max(values))
        compare(f"{where}.median", found["median"], statistics.median(values))
        if len(values) > 1:
            compare(f"{where}.deviation", found["deviation"], statistics.stdev(values))

    def value(line):
        return factor * line[key]

    for entry in table["entries"]:
        name = entry["name"]
        own = [line for line in series if line["name"] == name]
        runs = []
        for line in own:
            if not runs or runs[-1][-1]["seed"] != line["seed"]:
                runs.append([])
            runs[-1].append(line)
        best = [max(run, key=lambda line: sign * line[choice]) for run in runs]
        compare_summary(f"{name}.best", entry["best"], [value(line) for line in best])
        compare_summary(f"{name}.last", entry["last"], [value(run[-1]) for run in runs])
        compare_summary(f"{name}.peak", entry["peak"], [sign * max(sign * value(line) for line in run) for run in runs])
        compare_summary(f"{name}.seconds", entry["seconds"], [run[-1]["seconds"] for run in runs])
        compare_summary(f"{name}.passes", entry["passes"], [run[-1]["passes"] for run in runs])
        compare(f"{name}.runs", len(entry["runs"]), len(runs))
        for threshold in entry["thresholds"]:
            goal = threshold["threshold"]
            firsts = [next((line for line in run if sign * value(line) >= sign * goal - 1e-9), None) for run in runs]
            firsts = [line for line in firsts if line]
            where = f"{name}.{goal}"
            compare(f"{where}.reached", threshold["reached"], len(firsts))
            compare(f"{where}.of", threshold["of"], len(runs))
            if firsts:
                compare_summary(f"{where}.seconds", threshold["seconds"], [line["seconds"] for line in firsts])
                compare_summary(f"{where}.passes", threshold["passes"], [line["passes"] for line in firsts])
        # The row of table.txt.
        if not lower:
            values = [value(line) for line in best]
            shown = f"{statistics.fmean(values):.2f}"
            if len(values) > 1:
                shown += f" ± {statistics.stdev(values):.2f}"
            if not any(row.startswith(name + " ") and shown in row for row in text):
                mistakes.append(f"table.txt has no row of {name} with {shown}")

    titles = []
    for axis in ("seconds", "passes"):
        figure = directory / f"{axis}.svg"
        if not figure.exists():
            titles.append(None)
            continue
        document = xml.dom.minidom.parse(str(figure))
        nodes = document.getElementsByTagName("text")
        titles.append([
            "".join(part.data for child in [node, *node.getElementsByTagName("*")] for part in child.childNodes
                    if part.nodeType == part.TEXT_NODE).strip() for node in nodes
        ])
    timeless = [{k: v for k, v in line.items() if k != "seconds"} for line in series]
    return {
        "mistakes": mistakes, "lines": [json.dumps(line) for line in timeless], "checked": checked, "titles": titles
    }


if __name__ == "__main__":
    question = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(main(question)))
