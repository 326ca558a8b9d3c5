"""Results of long runs, read from the records that ship with the package."""

import json
from importlib.resources import files


def record(name):
    """The record `name` of `experiments/results`, as a dict.

    Raises
    ------
    FileNotFoundError
        If there is no such record; the message lists those there are.
    """
    folder = files("lrlib") / "results"
    if not folder.is_dir():  # a checkout: the records lie where the experiments write them
        folder = files("lrlib") / ".." / "experiments" / "results"
    path = folder / f"{name}.json"
    if not path.is_file():
        there = sorted(p.name.removesuffix(".json") for p in folder.iterdir() if p.name.endswith(".json"))
        raise FileNotFoundError(f"no record {name!r}; there are {', '.join(there) or 'none'}")
    return json.loads(path.read_text("utf8"))
