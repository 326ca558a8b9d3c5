"""Records are what their command makes."""

import json

import numpy as np
import pytest

from experiments import adam_sensitivity
from experiments.record import fingerprint, plain, save
from lrlib import MLP, minimize, record
from lrlib.data import digits


def test_the_record_of_adams_sensitivity_is_what_its_code_makes():
    made = record("adam_sensitivity")
    assert made["command"] == "python -m experiments run adam_sensitivity"
    assert made["steps"] == adam_sensitivity.STEPS and made["seeds"] == adam_sensitivity.SEEDS
    np.testing.assert_allclose(made["rates"], adam_sensitivity.RATES, rtol=1e-5)
    assert made["provenance"]["data_sha256"] == fingerprint(digits())
    for label, rule in adam_sensitivity.RULES.items():
        rate, loss = adam_sensitivity.RATES[12], made["loss"][label][12][3]
        alone = minimize(MLP(), type(rule)(**{**vars(rule), "lr": rate}), made["steps"], seed=3, every=made["steps"])
        assert alone.loss[-1] == pytest.approx(loss, rel=1e-4)  # the record has 6 digits; rounding grows along the run
        assert MLP().accuracy(alone.x[-1]) == pytest.approx(made["test_accuracy"][label][12][3], abs=1 / 360)


def test_a_short_run_has_the_shape_of_the_record():
    results = adam_sensitivity.run(steps=3, rates=[0.01, 0.1], seeds=[0, 1, 2])
    assert results["loss"]["Adam"].shape == (2, 3) and results["loss_over_time"]["SGD"].shape == (4, 2, 3)


def test_diverged_runs_are_null_in_a_record(tmp_path):
    path = save({"name": "tiny", "loss": np.array([1.23456789, np.inf, np.nan])}, tmp_path)
    assert json.loads(path.read_text("utf8")) == {"name": "tiny", "loss": [1.23457, None, None]}
    assert plain({"a": (np.int64(3), "x", True)}) == {"a": [3, "x", True]}


@pytest.mark.slow
def test_the_whole_record_of_adams_sensitivity_is_what_its_command_makes():
    made, again = record("adam_sensitivity"), adam_sensitivity.run()
    for label in adam_sensitivity.RULES:
        old, new = (np.median(np.array(run["loss"][label], dtype=float), axis=1) for run in (made, again))
        calm = np.arange(len(old)) <= np.nanargmin(old) - 4  # near the edge of divergence rounding decides the run
        np.testing.assert_allclose(new[calm], old[calm], rtol=1e-2)
