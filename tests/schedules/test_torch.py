"""Schedules equal torch's, step by step, for many parameters, and torch runs them as they are."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as theirs

from lrlib import (
    CosineDecay,
    CosineRestarts,
    Cyclical,
    ExponentialDecay,
    Join,
    LinearWarmup,
    MultiStepDecay,
    OneCycle,
    PolynomialDecay,
    ReduceOnPlateau,
    StepDecay,
)

LR = 0.1


def run(make, steps):
    """Rates and momenta that torch's scheduler gives."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR, momentum=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates how its own SequentialLR calls step
        scheduler, rates, momenta = make(optimizer), [], []
        for step in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            momenta.append(optimizer.param_groups[0]["momentum"])
            optimizer.step()
            if step < steps - 1:
                scheduler.step()
    return np.array(rates), np.array(momenta)


def assert_equal(schedule, make, steps):
    np.testing.assert_allclose(schedule(np.arange(steps)), run(make, steps)[0], rtol=1e-10, atol=1e-13)


many = settings(max_examples=25, deadline=None)
gammas, lengths = st.floats(0.1, 1.0), st.integers(1, 30)


@many
@given(lengths, gammas)
def test_step_decay(size, gamma):
    assert_equal(StepDecay(LR, size, gamma), lambda o: theirs.StepLR(o, size, gamma), 60)


@many
@given(st.lists(st.integers(1, 50), max_size=6), gammas)
def test_multi_step_decay_with_duplicates(milestones, gamma):
    assert_equal(MultiStepDecay(LR, milestones, gamma), lambda o: theirs.MultiStepLR(o, milestones, gamma), 60)


@many
@given(gammas)
def test_exponential_decay(gamma):
    assert_equal(ExponentialDecay(LR, 1, gamma), lambda o: theirs.ExponentialLR(o, gamma), 60)


@many
@given(lengths, st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]))
def test_polynomial_decay(steps, power):
    schedule = PolynomialDecay(LR, steps, end_lr=0.0, power=power)
    assert_equal(schedule, lambda o: theirs.PolynomialLR(o, steps, power), 60)


@many
@given(lengths, st.floats(0, 1))
def test_cosine_decay_up_to_its_end(steps, alpha):
    schedule = CosineDecay(LR, steps, alpha)
    assert_equal(schedule, lambda o: theirs.CosineAnnealingLR(o, steps, alpha * LR), steps + 1)


@many
@given(lengths, st.integers(1, 4), st.floats(0, 1))
def test_cosine_restarts(first, factor, alpha):
    schedule = CosineRestarts(LR, first, t_mul=factor, alpha=alpha)
    assert_equal(schedule, lambda o: theirs.CosineAnnealingWarmRestarts(o, first, factor, alpha * LR), 150)


@many
@given(lengths, st.floats(0.01, 1))
def test_a_linear_warm_up_and_a_constant_one(steps, start):
    assert_equal(LinearWarmup(LR, steps, start * LR), lambda o: theirs.LinearLR(o, start, 1.0, steps), 60)
    assert_equal(Join([start * LR, LR], [steps]), lambda o: theirs.ConstantLR(o, start, steps), 60)


@many
@given(
    st.integers(2, 20),
    st.integers(2, 20),
    st.sampled_from(["triangular", "triangular2", "exp_range"]),
    st.floats(0.9, 1.0),
)
def test_cycles_and_their_momentum(up, down, mode, gamma):
    def make(optimizer):
        return theirs.CyclicLR(optimizer, 0.01, 0.1, up, down, mode, gamma)

    rates, momenta = run(make, 90)
    np.testing.assert_allclose(Cyclical(0.01, 0.1, up, down, mode, gamma)(np.arange(90)), rates, rtol=1e-10)
    np.testing.assert_allclose(Cyclical(0.9, 0.8, up, down, mode, gamma)(np.arange(90)), momenta, rtol=1e-10)


@many
@given(st.integers(10, 100), st.floats(0.21, 0.5), st.sampled_from(["cos", "linear"]), st.floats(1, 30), st.booleans())
def test_one_cycle_and_its_momentum(steps, part, anneal, div, three):
    def make(optimizer):
        return theirs.OneCycleLR(
            optimizer, LR, steps, pct_start=part, anneal_strategy=anneal, div_factor=div, three_phase=three
        )

    rates, momenta = run(make, steps)
    cycle = OneCycle(LR, steps, part, anneal, div_factor=div, three_phase=three)
    np.testing.assert_allclose(cycle(np.arange(steps)), rates, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(cycle.momentum()(np.arange(steps)), momenta, rtol=1e-10)


@many
@given(st.integers(1, 20), st.integers(1, 20), gammas)
def test_joined_schedules(first, second, gamma):
    def make(optimizer):
        parts = [theirs.LinearLR(optimizer, 0.1, 1.0, first), theirs.ExponentialLR(optimizer, gamma)]
        parts.append(theirs.ConstantLR(optimizer, 0.5, 100))
        return theirs.SequentialLR(optimizer, parts, [first, first + second])

    parts = [LinearWarmup(LR, first, 0.1 * LR), ExponentialDecay(LR, 1, gamma), LR / 2]
    assert_equal(Join(parts, [first, first + second]), make, 60)


def test_one_cycle_past_its_last_index_stays_where_torch_rises_and_then_fails():
    rates, _ = run(lambda o: theirs.OneCycleLR(o, LR, 10), 11)
    assert rates[10] > rates[9]
    assert OneCycle(LR, 10)(10) == OneCycle(LR, 10)(9)
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        run(lambda o: theirs.OneCycleLR(o, LR, 10), 12)


def test_a_warm_up_from_zero_plugs_into_torch_at_the_rate_one():
    schedule = LinearWarmup(CosineDecay(LR, 20), 5)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = theirs.LambdaLR(optimizer, lambda t: float(schedule(t)))
    for step in range(30):
        assert optimizer.param_groups[0]["lr"] == schedule(step)
        optimizer.step()
        scheduler.step()


losses = st.lists(st.one_of(st.floats(-2, 2), st.sampled_from([np.nan, np.inf, -np.inf])), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    losses,
    st.sampled_from(["min", "max"]),
    st.sampled_from(["rel", "abs"]),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([0.0, 1e-4, 0.1, 1.0]),
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.0, 1e-8, 0.02]),
)
def test_reduce_on_plateau(reports, mode, threshold_mode, patience, cooldown, threshold, min_lr, eps):
    options = {"mode": mode, "threshold_mode": threshold_mode, "threshold": threshold}
    options |= {"cooldown": cooldown, "min_lr": min_lr, "eps": eps}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = theirs.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience, **options)
    rule = ReduceOnPlateau(LR, 0.5, patience, **options)
    state = rule.init()
    for loss in reports:
        scheduler.step(loss)
        rate, state = rule.observe(state, loss=loss)
        assert rate == optimizer.param_groups[0]["lr"]
        assert (state["bad"], state["cooldown"]) == (scheduler.num_bad_epochs, scheduler.cooldown_counter)
