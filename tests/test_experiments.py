"""Records are what their command makes."""

import json

import numpy as np
import pytest

from experiments import adam_sensitivity, decay_duel
from experiments.record import fingerprint, plain, save
from lrlib import MLP, SGD, ExponentialDecay, minimize, record
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


def test_the_record_of_the_decay_duel_is_what_its_code_makes():
    made = record("decay_duel")
    assert (made["steps"], made["tuning_seeds"]) == (decay_duel.STEPS, decay_duel.TUNING_SEEDS)
    assert made["reporting_seeds"] == decay_duel.REPORTING_SEEDS
    assert made["provenance"]["data_sha256"] == fingerprint(digits())
    for side, configurations in decay_duel.SIDES.items():
        np.testing.assert_allclose(made["configurations"][side], configurations, rtol=1e-5)
    start, end = decay_duel.SIDES["decay"][24]
    net, rates = MLP(hidden=(32,), batch_size=32), ExponentialDecay(start, decay_steps=1000, decay_rate=end)
    alone = minimize(net, SGD(lr=rates), 1000, seed=2, every=1000)
    tuning = made["duels"][1]["tuning"]["decay"]
    assert alone.loss[-1] == pytest.approx(tuning["loss"][24][2], rel=1e-4)  # as for Adam's sensitivity
    assert net.accuracy(alone.x[-1]) == pytest.approx(tuning["test_accuracy"][24][2], abs=1 / 360)


def test_the_decay_duel_reports_what_its_recorded_runs_say():
    made = record("decay_duel")
    for one in made["duels"]:
        losses = {}
        for side, configurations in made["configurations"].items():
            winner = configurations[np.argmin(np.median(one["tuning"][side]["loss"], axis=1))]
            assert one["winner"][side] == winner
            losses[side] = np.array(one["reporting"][side]["loss"][one["finalists"][side].index(winner)])
        for side, found in one["against_constant"].items():
            logs = np.log(losses[side] / losses["constant"])
            half = 2.045 * logs.std(ddof=1) / np.sqrt(30)  # Student's t with 29 degrees of freedom
            ends = np.exp([logs.mean() - half, logs.mean(), logs.mean() + half])
            np.testing.assert_allclose(found["loss_ratio"], ends, rtol=1e-3)


def test_the_sides_of_the_decay_duel_have_equal_budgets_and_no_seed_both_tunes_and_reports():
    assert {len(configurations) for configurations in decay_duel.SIDES.values()} == {56}
    assert not set(decay_duel.TUNING_SEEDS) & set(decay_duel.REPORTING_SEEDS)


def test_a_short_duel_has_the_shape_of_the_record():
    one = decay_duel.duel(8, steps=2, hidden=(4,), tuning_seeds=[0, 1], reporting_seeds=[2, 3, 4])
    assert one.keys() == record("decay_duel")["duels"][0].keys()
    assert one["tuning"]["decay"]["loss"].shape == (56, 2)
    assert one["reporting"]["decay"]["test_loss"].shape == (len(one["finalists"]["decay"]), 3)


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
