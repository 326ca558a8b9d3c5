"""What every record says about how it was made."""

import hashlib
import json
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lrlib.data import digits

RESULTS = Path(__file__).parent / "results"


def measure(name, experiment):
    """Run an experiment and give back its record: its results and their provenance."""
    began = time.perf_counter()
    results = experiment()
    return {
        "name": name,
        "command": f"python -m experiments run {name}",
        **results,
        "provenance": {
            "device": f"CPU {processor()}, {platform.system()} {platform.machine()}",
            "wall_seconds": round(time.perf_counter() - began, 1),
            "python": sys.version.split()[0],
            "versions": {package: version(package) for package in ("numpy", "scikit-learn")},
            "commit": commit(),
            "data_sha256": fingerprint(digits()),
        },
    }


def save(record, folder=RESULTS):
    """Write a record; numbers that are not finite (diverged runs) become null."""
    path = Path(folder) / f"{record['name']}.json"
    path.write_text(json.dumps(plain(record), indent=1, allow_nan=False) + "\n", "utf8")
    return path


def plain(value):
    """Arrays as lists, floats with 6 significant digits, what is not finite as None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def fingerprint(data):
    """SHA-256 of a data set's arrays."""
    digest = hashlib.sha256()
    for array in vars(data).values():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def commit():
    """The commit of the working tree, marked if the tree had changes."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    return subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout.strip()


def processor():
    """The processor's name, as Linux tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    return names[0].split(": ", 1)[1] if names else platform.processor()
