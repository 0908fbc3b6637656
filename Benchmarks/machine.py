"""What the figures were measured on."""

import os
import platform
import time
from pathlib import Path

CPU = Path("/sys/devices/system/cpu/cpu0/cache")


def processor():
    """Model, cores that we may use, caches and memory, in a line."""
    model = field("/proc/cpuinfo", "model name") or platform.processor()
    family = field("/proc/cpuinfo", "cpu family")
    caches = []
    for index in sorted(CPU.glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    return (
        f"{model} (family {family}), {len(os.sched_getaffinity(0))} cores, caches {', '.join(caches)}, {memory:.0f} GiB of memory; "
        f"{field('/etc/os-release', 'PRETTY_NAME', '=')}, Linux {platform.release()}"
    )


def busy_cores(seconds=2):
    """How many cores other work keeps busy, on average over some seconds in which this process sleeps."""

    def ticks():
        numbers = [int(number) for number in field("/proc/stat", "cpu", " ").split()]
        return sum(numbers[:8]) - numbers[3] - numbers[4], sum(numbers[:8])

    before = ticks()
    time.sleep(seconds)
    busy, every = (after - start for start, after in zip(before, ticks()))
    return busy / max(every, 1) * os.cpu_count()


def field(path, name, separator=":"):
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(separator)
        if key.strip() == name:
            return value.strip(' "')
    return ""
