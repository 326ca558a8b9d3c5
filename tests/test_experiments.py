"""Records are what their command makes."""

import json

import numpy as np
import pytest

from experiments import adam_sensitivity, decay_duel, rate_overfit
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


def test_the_record_of_over_fitting_rates_is_what_its_code_makes():
    made = record("rate_overfit")
    assert (made["steps"], made["horizons"]) == (rate_overfit.STEPS, rate_overfit.HORIZONS)
    assert made["tuning_seeds"] == rate_overfit.TUNING_SEEDS
    assert made["reporting_seeds"] == rate_overfit.REPORTING_SEEDS
    assert made["tuning_rates"] == rate_overfit.RATES
    assert made["provenance"]["data_sha256"] == fingerprint(digits())
    one = made["cases"][3]
    net, *_ = rate_overfit.networks(107, one["wrong_labels"], one["batch_size"])
    alone = minimize(net, SGD(lr=one["pairs"][0]["rates"]["small"]), 300, seed=107, every=300)
    end = one["pairs"][0]["small"][7][2]
    assert alone.loss[-1] == pytest.approx(end[1], rel=1e-4)  # as for Adam's sensitivity
    assert net.test_loss(alone.x[-1]) == pytest.approx(end[2], rel=1e-4)
    net, *_ = rate_overfit.networks(12, 40, 20)
    tried = minimize(net, SGD(lr=rate_overfit.RATES[2]), 300, seed=12, every=300)
    assert tried.loss[-1] == pytest.approx(one["tuning"]["loss"][2][2], rel=1e-4)


def test_the_record_of_over_fitting_rates_reports_what_its_recorded_runs_say():
    for one in record("rate_overfit")["cases"]:
        worst = np.array(one["tuning"]["loss"], dtype=float).max(axis=1)
        assert one["tuning"]["rate"] == rate_overfit.RATES[np.nanargmin(worst)]
        for pair, share in zip(one["pairs"], rate_overfit.SHARES, strict=True):
            assert pair["rates"]["large"] == pytest.approx(share * one["tuning"]["rate"])
            assert pair["rates"]["small"] == pytest.approx(pair["rates"]["large"] / 10)
            gaps = np.array(pair["large"]) - np.array(pair["small"])
            for place, found in enumerate([*pair["after"], *(pair[stop] for stop in rate_overfit.STOPS)]):
                for column, what in ((2, "test_loss_difference"), (3, "test_accuracy_difference")):
                    gap = gaps[:, place, column]
                    half = 2.045 * gap.std(ddof=1) / np.sqrt(30)  # Student's t with 29 degrees of freedom
                    ends = [gap.mean() - half, gap.mean(), gap.mean() + half]
                    np.testing.assert_allclose(found[what], ends, atol=2e-4)


def test_wrong_labels_are_as_many_as_asked_for_and_no_seed_both_tunes_and_reports():
    assert not set(rate_overfit.TUNING_SEEDS) & set(rate_overfit.REPORTING_SEEDS)
    for count in (0, 40):
        shown = []
        for net, expected in zip(rate_overfit.networks(100, count, None), (count, count, 0), strict=True):
            same = (net.images[:, None] == digits().train_images).all(axis=-1).argmax(axis=1)
            assert (net.labels.argmax(axis=1) != digits().train_labels[same]).sum() == expected
            shown += same.tolist()
        assert len(set(shown)) == 400  # no digit both trains and validates


def test_a_run_is_read_at_the_horizons_and_where_its_validation_loss_is_lowest():
    read = rate_overfit.follow([0.1, 1.0], 3, 40, None, steps=200, horizons=[20, 60])
    net, *others = rate_overfit.networks(3, 40, None)
    run = minimize(net, SGD(lr=np.array([[0.1], [1.0]])), 200, seed=3, every=10)
    losses = [validation.loss(run.x) for validation in others]
    for i in range(2):
        like, right = (loss[:, i].argmin() for loss in losses)
        assert read[i, :, 0].tolist() == [20, 60, 10 * like, 10 * right]
        np.testing.assert_array_equal(read[i, :, 1], run.loss[[2, 6, like, right], i])
        assert read[i, 2, 2] == net.test_loss(run.x[like, i])


def test_a_short_case_has_the_shape_of_the_record():
    size = {"images": 100, "hidden": (8,)}
    one = rate_overfit.case(4, 5, [2, 3, 4], horizons=[10, 20, 30], steps=40, seeds=[0, 1], **size)
    recorded = record("rate_overfit")["cases"][0]
    assert one.keys() == recorded.keys()
    assert [pair.keys() for pair in one["pairs"]] == [pair.keys() for pair in recorded["pairs"]]
    assert one["pairs"][0]["large"].shape == (3, 5, 4)


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
