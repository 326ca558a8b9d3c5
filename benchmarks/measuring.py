"""How both sides are measured: processor time, and peak memory, each in a fresh process."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One comparison, in seconds of processor time."""

    what: str
    ours: float
    theirs: float
    target: float | None = None  # the least theirs / ours that will do; None: for information

    @property
    def ratio(self):
        return self.theirs / self.ours

    @property
    def verdict(self):
        if self.target is None:
            return ""
        return "met" if self.ratio >= self.target else "missed"


@contextmanager
def one_core():
    """Keep this process, and with it every thread of every library, on one core (Linux only)."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def seconds(runs, repeats, least=0.0):
    """The least processor time of each run over several repeats, and its result.

    Processor time counts the work of all threads, and not that of other processes. The repeats of a run follow each
    other: compiled JAX takes up to five times as long right after something else ran. A short run has more of them, as
    many as take `least` seconds.
    """
    fastest, results = [], []
    for run in runs:
        times = []
        while len(times) < repeats or sum(times) < least:
            began = time.process_time()
            result = run()
            times.append(time.process_time() - began)
        fastest.append(min(times))
        results.append(result)
    return fastest, results


def peak(run, small, large):
    """MiB by which `run(*large)` raises the peak of a fresh process (Linux only) that has done `run(*small)`."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(growth, run, small, large).result()


def growth(run, small, large):
    run(*small)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = resident("VmRSS")
    run(*large)
    return resident("VmHWM") - before


def resident(key):
    """MiB of this process in memory: VmRSS now, VmHWM at the peak."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[key].split()[0]) / 1024
