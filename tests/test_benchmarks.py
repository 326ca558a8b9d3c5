"""The benchmarks compare like with like: both sides end at the same losses, or no time is printed."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from lrlib import Adam

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks is not installed

from benchmarks import bridge, large, sweeps
from benchmarks.__main__ import main
from benchmarks.measuring import Row, one_core, peak, seconds


@pytest.mark.parametrize("rule", sweeps.RULES)
def test_lanes_loop_and_jax_agree_on_the_quadratic(rule):
    rows = list(sweeps.quadratic_rows(rule, 3, 7, steps=40, repeats=1))
    assert len(rows) == 6 and all(row.ours >= 0 and row.theirs >= 0 for row in rows)


def test_the_faster_of_two_ways_has_the_target_and_each_row_names_its_way():
    rows = list(sweeps.quadratic_rows("Adam", 3, 50, steps=20, repeats=1))
    assert all(", NumPy, " in row.what or ", compil" in row.what for row in rows)
    loops = [row for row in rows if row.what.endswith("torch's loop")]
    assert [row.target for row in sorted(loops, key=lambda row: row.ours)] == [200, None]
    first, second = large.size_rows(100, steps=20, repeats=1)
    assert {first.target, second.target} == {1, None} and (first.target == 1) == (first.ours < second.ours)


@pytest.mark.parametrize("rule", sweeps.RULES)
def test_lanes_and_loop_agree_on_the_digits_network(rule):
    (row,) = sweeps.digits_rows(rule, count=4, steps=5, repeats=1)
    assert "digits" in row.what


def test_both_sides_agree_on_one_large_x():
    assert len(list(large.size_rows(3000, steps=20, repeats=1))) == 2


@pytest.mark.parametrize(
    ("module", "run"),
    [
        (sweeps, lambda: sweeps.quadratic_rows("Adam", 2, 3, steps=20, repeats=1)),
        (sweeps, lambda: sweeps.digits_rows("Adam", 3, steps=5, repeats=1)),
    ],
)
def test_sides_that_disagree_have_no_times(module, run, monkeypatch):
    monkeypatch.setitem(module.RULES, "Adam", (Adam(beta1=0.8), *module.RULES["Adam"][1:]))
    with pytest.raises(AssertionError, match="the two sides do not compute the same"):
        list(run())


def test_a_large_x_that_disagrees_has_no_times(monkeypatch):
    monkeypatch.setattr(large, "Adam", lambda lr: Adam(lr, beta1=0.8))
    with pytest.raises(AssertionError, match="the two sides do not compute the same"):
        list(large.size_rows(100, steps=20, repeats=1))


def test_the_least_time_of_each_run_counts(monkeypatch):
    clock = iter([0, 5, 10, 12, 20, 29, 30, 31])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    assert seconds([lambda: "a", lambda: "b"], 2) == ([2, 1], ["a", "b"])


def test_a_short_run_is_repeated_until_its_times_add_up(monkeypatch):
    clock = iter([0, 3, 10, 12, 20, 24])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    assert seconds([lambda: "a"], 1, least=9) == ([2], ["a"])


def test_a_row_meets_its_target_or_misses_it():
    verdicts = [Row("", 1.0, 3.0, 3.0).verdict, Row("", 1.0, 2.9, 3.0).verdict, Row("", 1.0, 2.9).verdict]
    assert verdicts == ["met", "missed", ""]


def test_a_missed_target_ends_in_failure(monkeypatch, capsys):
    monkeypatch.setattr(large, "peaks", list)
    monkeypatch.setattr(large, "rows", lambda: [Row("slow", 2.0, 1.0, 1.0)])
    assert main(["c"]) == 1
    assert "1 below target:\n  slow: 0.5" in capsys.readouterr().out
    monkeypatch.setattr(large, "rows", lambda: [Row("fast", 1.0, 1.0, 1.0)])
    assert main(["c"]) == 0


def test_an_unknown_section_is_named():
    with pytest.raises(SystemExit, match="no section d; there are a, b, c, book, grading"):
        main(["d"])


@pytest.mark.skipif(sys.platform != "linux", reason="cores are chosen on Linux only")
def test_one_core_is_used_and_the_others_come_back():
    before = os.sched_getaffinity(0)
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_peak_memory_is_that_of_the_call():
    assert 76 < peak(np.ones, (10,), (10_000_000,)) < 80  # 80 MB


def processes(drift):
    """Stand-ins for the bridge's processes: ours take 1, 2 and 3 s and 1 MiB, torch's twice that."""

    def answer(side, threads, device):
        times = 1 if "bridge" in side else 2
        return [(times * (i + 1), times * 2**20, 5.0 + (times - 1) * drift) for i in range(len(bridge.SIZES))]

    return answer


def test_the_bridge_has_a_row_for_each_pair_and_size(monkeypatch):
    monkeypatch.setattr(bridge, "in_a_process", processes(drift=0.0))
    monkeypatch.setattr(bridge, "measured", bridge.measured.__wrapped__)  # nothing is kept for other tests
    rows, peaks = list(bridge.rows()), list(bridge.peaks())
    assert len(rows) == len(peaks) == len(bridge.PAIRS) * len(bridge.SIZES)
    assert rows[1] == ("Adam, bridge / foreach, 50 x 1000", 2.0, 4.0, 1.0)
    assert peaks[1] == ("Adam, bridge / foreach, 50 x 1000", 1.0, 2.0)


def test_a_bridge_that_ends_elsewhere_has_no_times(monkeypatch):
    monkeypatch.setattr(bridge, "in_a_process", processes(drift=1e-3))
    monkeypatch.setattr(bridge, "measured", bridge.measured.__wrapped__)
    with pytest.raises(AssertionError, match="Adam, bridge ends at 5.0, Adam, foreach at 5.001, with 10 x 100"):
        list(bridge.rows())
