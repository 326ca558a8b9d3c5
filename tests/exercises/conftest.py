"""The masters of the course, each run once for all tests."""

import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # neither grader nor publishing is installed

from grader.make import COURSE, masters_in  # noqa: E402
from grader.masters import load  # noqa: E402

MASTERS = masters_in(COURSE)
load_once = cache(load)


@pytest.fixture(params=MASTERS, ids=lambda path: path.stem)
def master(request):
    return load_once(request.param)


@pytest.fixture(autouse=True)
def no_mistake_made_before():
    """Hints get more specific, and sets are loaded, within one Python; each test begins anew."""
    sys.modules["lrlib.exercises.check"]._seen.clear()
    sys.modules["lrlib.exercises.questions"]._loaded.clear()
