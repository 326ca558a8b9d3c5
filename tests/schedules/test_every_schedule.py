"""What holds for every schedule: purity, scalars and arrays, bounds, lanes, good errors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrlib import Constant, ExponentialDecay, NaturalExponentialDecay

SCHEDULES = [
    Constant(0.1),
    ExponentialDecay(0.1, 10, 0.9),
    ExponentialDecay(0.1, 10, 0.9, staircase=True),
    ExponentialDecay(0.1, 7.5, 0.5, staircase=True),
    NaturalExponentialDecay(0.1, 10, 0.9),
    NaturalExponentialDecay(0.1, 10, 0.9, staircase=True),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20))
def test_gives_the_same_rate_alone_and_in_an_array_in_any_order(schedule, steps):
    together = schedule(np.array(steps))
    np.testing.assert_allclose(together, [schedule(step) for step in steps], rtol=1e-14)
    np.testing.assert_allclose(schedule(np.array(steps[::-1])), together[::-1], rtol=0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_number_gives_a_float_and_float32_parameters_give_float32(schedule):
    assert type(schedule(3)) is float
    values = {
        name: np.float32(v) if isinstance(v, float) else v for name, v in vars(schedule).items() if name != "dtype"
    }
    assert type(type(schedule)(**values)(3)) is np.float32


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_falls_from_the_initial_rate_and_stays_above_zero(schedule):
    rates = schedule(np.arange(500))
    assert rates[0] == 0.1
    assert (np.diff(rates) <= 0).all()
    assert (rates > 0).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rejects_steps_that_are_none(schedule):
    with pytest.raises(ValueError, match="step must not be negative, got -1"):
        schedule(np.array([0, -1]))
    with pytest.raises(ValueError, match="step must not be negative, got nan"):
        schedule(float("nan"))
    with pytest.raises(TypeError, match="step must be a number or an array of numbers, got 'first'"):
        schedule("first")


@pytest.mark.parametrize("kind", [ExponentialDecay, NaturalExponentialDecay])
def test_rejects_parameters_outside_their_range_and_names_them(kind):
    with pytest.raises(ValueError, match="initial_lr must be finite and not negative, got -0.1"):
        kind(-0.1, 10, 0.9)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"decay_steps must be finite and positive, got {wrong:g}"):
            kind(0.1, wrong, 0.9)
    with pytest.raises(ValueError, match="decay_rate must be finite and .*, got -0.5"):
        kind(0.1, 10, -0.5)
    with pytest.raises(TypeError, match="decay_rate must be a number, an array or a schedule, got '0.9'"):
        kind(0.1, 10, "0.9")


def test_constant_rejects_a_negative_rate():
    with pytest.raises(ValueError, match="initial_lr must be finite and not negative, got -1"):
        Constant(-1)


def test_staircase_changes_only_at_multiples_and_meets_the_continuous_decay_there():
    steps = np.arange(1000)
    stairs, smooth = ExponentialDecay(0.01, 100, 0.9, staircase=True)(steps), ExponentialDecay(0.01, 100, 0.9)(steps)
    assert np.flatnonzero(np.diff(stairs)).tolist() == [99, 199, 299, 399, 499, 599, 699, 799, 899]
    np.testing.assert_allclose(stairs[::100], smooth[::100], rtol=1e-14)


def test_the_printed_rates_of_tensorflow_in_float32_digit_for_digit():
    schedule = ExponentialDecay(np.float32(0.01), 10, np.float32(0.9))
    printed = (
        "0.009895192 0.009791483 0.009688861 0.009587315 0.009486833"
        " 0.009387404 0.009289017 0.00919166 0.009095325 0.009"
    )
    assert " ".join(str(schedule(step)) for step in range(1, 11)) == printed


@given(st.floats(0.01, 3), st.integers(1, 100), st.integers(0, 1000))
def test_a_rate_constant_is_minus_the_logarithm_of_the_base(k, every, step):
    natural, base = NaturalExponentialDecay(0.1, every, k), ExponentialDecay(0.1, every, np.exp(-k))
    assert natural(step) == pytest.approx(base(step), rel=1e-9, abs=1e-300)


def test_lanes_of_a_schedule_are_its_array_parameters():
    schedule = ExponentialDecay(np.array([[0.1], [0.2]]), 10, 0.5)
    np.testing.assert_allclose(schedule(10), [[0.05], [0.1]])
    assert schedule(np.arange(4)).shape == (2, 4)


def test_plugs_into_torch_as_it_is():
    schedule, p = ExponentialDecay(0.1, 10, 0.9), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: float(schedule(t)))
    for step in range(20):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(schedule(step), rel=1e-14)
        optimizer.step()
        scheduler.step()
