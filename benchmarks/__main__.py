"""`python -m benchmarks [a] [b] [c] [book] [grading]`: ratios, peak memory, times of the book and of grading.

The numbers are this machine's. a: sweeps, b: the torch bridge, c: many parameters.

Ends with exit status 1 if a ratio misses its target.
"""

import os

os.environ.update(  # one thread for all sides, set before their libraries are loaded
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
)

import platform
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import Row, one_core

SECTIONS = {"a": "sweeps", "b": "bridge", "c": "large"}
TIMES = ("book", "grading")


def timed(*command):
    """Seconds that a command takes; its output is shown only if it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def compare(section):
    """Print the section's ratios and peaks; return the rows that miss their targets."""
    module, missed = import_module(f"benchmarks.{SECTIONS[section]}"), []
    print(f"\n{module.__doc__}")
    print(f"{'processor time':62} {'lrlib':>11} {'other':>11} {'ratio':>8} {'target':>8}")
    for row in (Row(*row) for row in module.rows()):
        target = "" if row.target is None else f"{row.target:8.4g}"
        line = f"{row.what:62} {row.ours:10.6f}s {row.theirs:10.6f}s {row.ratio:8.4g} {target:>8} {row.verdict}"
        print(line, flush=True)
        missed += [row] if row.verdict == "missed" else []
    if hasattr(module, "peaks"):
        print(f"\n{'peak memory, above what the imports take':62} {'lrlib':>11} {'other':>11}")
        for what, ours, theirs in module.peaks():
            print(f"{what:62} {ours:8.1f}MiB {theirs:8.1f}MiB")
    return missed


def book():
    print("\nexecuting a chapter, kernel start included")
    for chapter in sorted(Path("chapters").rglob("*.md")):
        print(f"{chapter!s:62} {timed(sys.executable, '-m', 'publishing', '--force', str(chapter)):10.1f}s")
    print("\nbuilding the HTML edition from the committed notebooks")
    print(f"{'make book':62} {timed('make', 'book'):10.1f}s")


def of_grading():
    from benchmarks import grading  # not above: the other sections need no grader

    print()
    for what, number, unit, aim in grading.rows():
        print(f"{what:62} {number:10.2f} {unit:3} {aim}")


def main(names):
    known = [*SECTIONS, *TIMES]
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no section {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    names = names or known
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "jax", "optax"))
    print(f"{libraries}, Python {platform.python_version()}, one thread on one core")
    print("ratio: the other's time over lrlib's")
    with one_core():
        missed = [row for section in SECTIONS if section in names for row in compare(section)]
    if "book" in names:
        book()
    if "grading" in names:
        of_grading()
    if missed:
        print(f"\n{len(missed)} below target:", *(f"{row.what}: {row.ratio:.3g}" for row in missed), sep="\n  ")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
