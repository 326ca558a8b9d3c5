"""The torch bridge against torch.optim's own Adam and SGD: time of a step, and memory beyond the parameters.

Both sides get the same parameters and gradients, float32, and end at the same parameters, which is checked. Each side
runs in a process of its own, the smallest parameters first, so that neither finds memory that the other has made ready.
"""

import json
import os
import subprocess
import sys
import time
from functools import cache

import numpy as np
import torch

from lrlib import SGD, Adam
from lrlib.torch import Optimizer

SIZES = ((10, 100), (50, 1_000), (50, 100_000))
SIDES = {
    "Adam, bridge": lambda p: Optimizer(p, Adam(1e-3)),
    "Adam, foreach": lambda p: torch.optim.Adam(p, 1e-3, foreach=True),
    "Adam, bridge compiled": lambda p: Optimizer(p, Adam(1e-3), compile=True),
    "Adam, fused": lambda p: torch.optim.Adam(p, 1e-3, fused=True),
    "SGD with momentum, bridge": lambda p: Optimizer(p, SGD(1e-3, momentum=0.9)),
    "SGD with momentum, foreach": lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, foreach=True),
    "SGD with momentum, bridge compiled": lambda p: Optimizer(p, SGD(1e-3, momentum=0.9), compile=True),
    "SGD with momentum, fused": lambda p: torch.optim.SGD(p, 1e-3, momentum=0.9, fused=True),
}
#: The least torch's time over ours that will do: as fast as foreach, and within 1.3 times of fused when compiled.
TARGETS = {"Adam, bridge": 1.0, "Adam, bridge compiled": 1 / 1.3}
PAIRS = list(zip(list(SIDES)[::2], list(SIDES)[1::2], strict=True))


def resident():
    """Bytes of this process that lie in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(side, count, size, threads, device):
    """Seconds of a step, bytes that the steps needed beyond parameters and gradients, and a sum of the parameters."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    params = [torch.randn(size, device=device).requires_grad_() for _ in range(count)]
    for p in params:
        p.grad = torch.randn(size, device=device)
    clock = time.process_time if (threads, device) == (1, "cpu") else time.perf_counter  # others' load does not count
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    warm = SIDES[side]([torch.zeros(size, device=device, requires_grad=True)])  # what is loaded is no memory of a step
    warm.param_groups[0]["params"][0].grad = torch.zeros(size, device=device)
    warm.step()
    before = torch.cuda.memory_allocated() if device == "cuda" else resident()
    optimizer, repeats = SIDES[side](params), max(3, 300_000 // (count * size)) * 10
    times, peak = [], 0
    for i in range(repeats):
        wait()
        began = clock()
        optimizer.step()
        wait()
        times.append(clock() - began)
        if i < 10:
            peak = max(peak, torch.cuda.max_memory_allocated() if device == "cuda" else resident())
    total = float(sum(p.detach().double().abs().sum() for p in params))
    return min(times), max(0, peak - before), total


def in_a_process(side, threads, device):
    """`measure` of a side at each of the `SIZES`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bridge", side, str(threads), device]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


@cache
def measured(pair, threads=1, device="cpu", rounds=2):
    """For each of the `SIZES`, a row of ours and one of torch's: seconds of a step, extra bytes, sum of the parameters.

    The least of `rounds` processes counts, taken in turn, so that a busy moment hits both sides. Extra bytes are what
    the state and the step itself need beyond parameters and gradients.
    """
    runs = [[in_a_process(side, threads, device) for side in pair] for _ in range(rounds)]
    least = np.min(runs, axis=0)
    for (count, size), here, there in zip(SIZES, *least[..., 2], strict=True):
        if abs(here - there) > 1e-5 * there:
            raise AssertionError(f"{pair[0]} ends at {here}, {pair[1]} at {there}, with {count} x {size}")
    return least.swapaxes(0, 1)


def cases():
    """What is compared, our side, and its measured rows: pair by pair."""
    for pair in PAIRS:
        for (count, size), both in zip(SIZES, measured(pair), strict=True):
            yield f"{pair[0]} / {pair[1].split(', ')[1]}, {count} x {size}", pair[0], both


def rows():
    """Rows of (what, our seconds, torch's seconds, target), each pair's as soon as they are measured."""
    for what, side, both in cases():
        yield what, *both[:, 0], TARGETS.get(side)


def peaks():
    """Rows of (what, our MiB, torch's MiB)."""
    for what, _, both in cases():
        yield what, *(both[:, 1] / 2**20)


def main(side, threads, device):
    print(json.dumps([measure(side, count, size, int(threads), device) for count, size in SIZES]))


if __name__ == "__main__":
    main(*sys.argv[1:])
