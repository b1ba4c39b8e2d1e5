"""`make bench` runs every part, `make bench PART=web` one of them. They measure and print; nothing is asserted.

A part is a module `tests/bench/<name>_bench.py` with `run()`, which yields lines to print, already rounded.
"""

import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Final

PARTS: Final = (
    "rules",
    "web",
    "start",
    "planning",
    "drain",
    "digest",
    "api",
)


def main(wanted: Sequence[str]) -> int:
    """Run the parts asked for, or all; returns the exit code."""
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.stderr.write(f"There is no part {unknown[0]}. There are {', '.join(PARTS)}.\n")
        return 2
    for name in wanted or PARTS:
        begun = time.perf_counter()
        sys.stdout.write(f"== {name} ==\n")
        for line in import_module(f"tests.bench.{name}_bench").run():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        sys.stdout.write(f"({name} took {time.perf_counter() - begun:.0f} s)\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
