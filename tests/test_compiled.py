"""A compiled run is the run that it would be without: the same records, up to rounding."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlib import (
    MLP,
    SGD,
    Adam,
    Beale,
    CosineDecay,
    Cyclical,
    Himmelblau,
    Lion,
    LogisticRegression,
    MonkeySaddle,
    Muon,
    NoisyQuadratic,
    PlateauSaddle,
    Problem,
    Quadratic,
    Rastrigin,
    Rosenbrock,
    Saddle,
    ScheduleFree,
    clip_by_norm,
    clip_by_value,
    compiled,
    minimize,
    sweep,
)

sys.path.insert(0, str(Path(__file__).parent / "optimizers"))  # the tests are not installed

from every_rule import RULES

BOWL = Quadratic([1.0, 3.0, 10.0], x0=[1.0, -2.0, 0.5], center=[0.1, 0.2, 0.3])
PROBLEMS = [
    Quadratic([[2.0, 0.5], [0.5, 1.0]]),
    Saddle(),
    Rosenbrock(),
    Beale(),
    Himmelblau(),
    Rastrigin(),
    PlateauSaddle(),
    MonkeySaddle(),
    LogisticRegression(np.random.default_rng(0).normal(size=(12, 3)), np.arange(12) % 2, l2=0.1),
]
RATES = [0.02, np.array([0.01, 0.05])[:, None, None], CosineDecay(0.05, 8)]
CLIPS = [None, lambda g: clip_by_norm(g, 1.0), lambda g: clip_by_value(g, 0.5)]


def both(call, **more):
    """The results of a call of `minimize` or `sweep` without and with compilation."""
    return call(**more), call(**more, compile=True)


def assert_same(plain, fast, rtol=1e-9):
    """All fields are equal up to rounding, of which a part of the largest entry of each is allowed."""
    for name in vars(plain):
        one, other = getattr(plain, name), getattr(fast, name)
        if isinstance(one, np.ndarray):
            assert one.shape == other.shape and one.dtype == other.dtype, name
            size = np.abs(one[np.isfinite(one)]).max(initial=0)
            np.testing.assert_allclose(other, one, rtol=rtol, atol=rtol * size, err_msg=name)
    assert np.array_equal(plain.diverged, fast.diverged)


@pytest.mark.parametrize("rule", {type(rule): rule for rule in RULES}.values(), ids=lambda rule: type(rule).__name__)
def test_every_rule_takes_the_same_steps_in_its_lanes(rule):
    rule = replace(rule, lr=np.array([0.3, 1.0])[:, None] * rule.lr)
    assert_same(*both(lambda **k: minimize(BOWL, rule, 12, every=5, **k)))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: type(problem).__name__)
def test_every_surface_is_walked_alike(problem):
    assert_same(*both(lambda **k: sweep(problem, Adam(), lr=[0.001, 0.01], steps=20, **k)))


@settings(max_examples=12, deadline=None)
@given(
    rule=st.sampled_from([SGD(momentum=0.9), Adam(amsgrad=True), Lion(), ScheduleFree(beta2=0.999), Muon()]),
    rate=st.sampled_from(RATES),
    decay=st.sampled_from([0.1, np.array([0.0, 0.2, 0.3])[:, None, None, None]]),
    clip=st.sampled_from(CLIPS),
    seed=st.sampled_from([None, [1, 5]]),
    steps=st.integers(0, 9),
    every=st.integers(1, 10),
)
def test_schedules_lanes_clips_seeds_and_records_are_those_of_a_run_without(
    rule, rate, decay, clip, seed, steps, every
):
    rule = replace(rule, lr=rate, weight_decay=decay)
    assert_same(*both(lambda **k: minimize(BOWL, rule, steps, seed=seed, every=every, clip=clip, **k)))


def test_starts_may_be_lanes_and_any_hyper_parameter_a_schedule():
    starts = np.random.default_rng(0).normal(size=(4, 3))
    rule = SGD(0.05, momentum=Cyclical(0.5, 0.9, step_size_up=3), weight_decay=lambda t: 0.1 / (t + 1))
    assert_same(*both(lambda **k: minimize(BOWL, rule, 9, x0=starts, **k)))


def test_a_product_of_grids_and_seeds_is_the_same():
    grids = {"lr": [0.01, 0.1], "beta1": [0.0, 0.9], "weight_decay": [0.0, 0.1, 0.2]}
    plain, fast = both(lambda **k: sweep(BOWL, Adam(), steps=30, seeds=2, **grids, **k))
    assert fast.loss.shape == (2, 2, 3, 2) and fast.best == plain.best
    assert_same(plain, fast)


def test_a_lane_that_overflows_is_data_and_leaves_its_neighbours_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain, fast = both(lambda **k: minimize(BOWL, SGD(np.array([[0.1], [1.0], [1e200]])), 400, every=50, **k))
    assert fast.diverged.tolist() == [False, True, True]
    assert (
        np.isinf(fast.loss[-1, 1:]).all() and np.isinf(fast.x[-1, 1:]).all() and np.isinf(fast.grad_norm[-1, 1:]).all()
    )
    assert np.array_equal(np.isinf(plain.loss), np.isinf(fast.loss))
    np.testing.assert_allclose(fast.x[:, 0], plain.x[:, 0], rtol=1e-9, atol=1e-15)


def test_single_precision_stays_single():
    class Flat(Problem):
        x0 = np.ones(3, np.float32)

        def loss(self, x):
            return (x * x).sum(-1)

        def grad(self, x):
            return 2 * x

    flat = Flat()
    plain, fast = both(lambda **k: minimize(flat, Adam(0.1), 10, **k))
    assert fast.x.dtype == np.float32
    np.testing.assert_allclose(fast.x, plain.x, rtol=1e-5)


class Counted(Quadratic):
    """A bowl that counts how often its gradient is asked for: when compiled, only while JAX traces it."""

    asked = 0

    def grad(self, x):
        type(self).asked += not isinstance(x, np.ndarray)
        return super().grad(x)


def test_other_rates_and_other_steps_are_not_compiled_again_and_another_shape_is():
    problem, before = Counted([1.0, 2.0]), Counted.asked
    sweep(problem, Adam(), lr=[0.1, 0.2], steps=5, compile=True)
    once = Counted.asked
    assert once > before
    sweep(problem, Adam(), lr=[0.3, 0.4], steps=50, compile=True)
    assert Counted.asked == once
    sweep(problem, Adam(), lr=[0.3, 0.4, 0.5], steps=5, compile=True)
    assert Counted.asked == 2 * once - before
    assert sweep(problem, Adam(beta1=0.5), lr=[0.1, 0.2], steps=5, compile=True).loss[0, 0] != pytest.approx(
        sweep(problem, Adam(), lr=[0.1, 0.2], steps=5, compile=True).loss[0, 0], rel=1e-6
    )


def test_a_run_with_another_rate_is_not_compiled_again():
    problem = Counted([1.0, 2.0])
    minimize(problem, SGD(0.1), 5, compile=True)
    once = Counted.asked
    minimize(problem, SGD(0.2), 5, compile=True)
    assert Counted.asked == once


def test_what_is_kept_for_later_runs_is_bounded():
    for i in range(compiled.LOOPS + 3):
        compiled.loop(Quadratic([1.0 + i]), SGD, (), None)
    assert compiled.loop.cache_info().currsize == compiled.LOOPS


def test_the_kind_of_numbers_that_jax_makes_elsewhere_stays_as_it_was():
    minimize(BOWL, SGD(0.1), 2, compile=True)
    assert jnp.zeros(1).dtype == jnp.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: minimize(NoisyQuadratic([1.0]), SGD(0.1), 2, compile=True),
            ValueError,
            "^compile must be False for mini-batches, and NoisyQuadratic draws them$",
        ),
        (
            lambda: minimize(MLP(hidden=(), batch_size=None), SGD(0.1), 2, compile=True),
            TypeError,
            "^compile needs what runs on JAX arrays, got MLP, SGD: .*array",
        ),
        (
            lambda: sweep(BOWL, SGD(), lr=[0.1], steps=2, clip=lambda g: g if g.max() < 1 else 0 * g, compile=True),
            TypeError,
            "^compile needs what runs on JAX arrays, got Quadratic, SGD and clip: ",
        ),
        (lambda: minimize(BOWL, SGD(0.1), 2, compile="yes"), TypeError, "^compile must be True or False, got 'yes'$"),
    ],
)
def test_what_cannot_be_compiled_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_full_batch_is_no_mini_batch():
    assert minimize(PROBLEMS[-1], SGD(0.1), 3, seed=[4, 5], compile=True).x.shape == (4, 2, 3)


def test_without_jax_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "lrlib.compiled")
    with pytest.raises(ImportError, match=r'^compile=True needs JAX: pip install "lrlib\[jax\]"$'):
        minimize(BOWL, SGD(0.1), 2, compile=True)
    assert minimize(BOWL, SGD(0.1), 2).x.shape == (3, 3)
