"""What `import backends` takes, in a new process, compared with httpx2 and the openai SDK.

    python benchmarks/serving/import_time.py [--rounds 20]

Each round starts one process per package, in random order. The time of the import is measured inside of it, on the
clock and of the processor.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks/, with the harness
from harness.tables import table, write

PACKAGES = ("backends", "httpx2", "openai")
LIMIT_MS = 60.0
IMPORT = """
import time
clock, processor = time.perf_counter(), time.process_time()
import {name}
print(time.perf_counter() - clock, time.process_time() - processor)
"""


def import_milliseconds(name: str) -> tuple[float, float]:
    """Return the time on the clock and of the processor for one import in a new process."""
    output = subprocess.check_output([sys.executable, "-c", IMPORT.format(name=name)], text=True)
    clock, processor = map(float, output.split())
    return clock * 1000, processor * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in PACKAGES}
    for turn in range(rounds + 1):
        for name in random.sample(PACKAGES, len(PACKAGES)):
            sample = import_milliseconds(name)
            if turn:  # the first round compiles, and fills the disk's cache
                samples[name].append(sample)
    figures = {
        name: {
            "median_ms": median(clock for clock, _ in times),
            "best_ms": min(clock for clock, _ in times),
            "cpu_ms": median(processor for _, processor in times),
        }
        for name, times in samples.items()
    }
    rows = [[name, *(f"{figure:.0f}" for figure in each.values())] for name, each in figures.items()]
    print(table(["package", "median ms", "best ms", "CPU ms"], rows))
    result = figures["backends"]["cpu_ms"]
    print(f"\n{'met   ' if result <= LIMIT_MS else 'MISSED'}  at most {LIMIT_MS:.0f} ms of CPU time for backends")
    write("import_time", {"rounds": rounds, "packages": figures})


if __name__ == "__main__":
    main()
