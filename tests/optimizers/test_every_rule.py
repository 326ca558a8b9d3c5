"""What holds for every rule: purity, lanes, backends, blocks, good errors."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlib import SGD, Adam, ExponentialDecay, Optimizer, Quadratic, minimize
from lrlib.optimizers.layerwise import Layerwise

RULES = [
    SGD(0.1),
    SGD(0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    SGD(0.1, momentum=0.9, nesterov=True),
    Adam(0.1),
    Adam(0.1, weight_decay=0.01, amsgrad=True),
    Adam(0.1, eps=1e-3, eps_hat=True),
    Adam(0.1, eps=1e-3, eps_in_sqrt=True),
]
GRADIENTS = np.random.default_rng(0).normal(size=(30, 4))


def run(rule, convert=np.asarray, gradients=GRADIENTS):
    x = convert(np.ones(4))
    state = rule.init(x)
    for t, g in enumerate(gradients, start=1):
        x, state = rule.update(x, convert(g), state, t=t, lr=rule.rate(t))
    return x


@pytest.mark.parametrize("rule", RULES)
def test_takes_the_same_steps_on_numpy_torch_and_array_api_arrays(rule):
    expected = run(rule)
    np.testing.assert_allclose(run(rule, torch.tensor).numpy(), expected, rtol=1e-13)
    strict = run(rule, array_api_strict.asarray)
    np.testing.assert_allclose(np.asarray([float(v) for v in strict]), expected, rtol=1e-13)


@pytest.mark.parametrize("rule", RULES)
def test_keeps_the_dtype_of_its_parameters(rule):
    assert run(rule, lambda a: np.asarray(a, np.float32)).dtype == np.float32
    assert run(rule, lambda a: torch.tensor(a, dtype=torch.float32)).dtype == torch.float32


@pytest.mark.parametrize("rule", RULES)
def test_never_modifies_its_inputs(rule):
    x, g = np.ones(4), GRADIENTS[0]
    state = rule.init(x)
    x, state = rule.update(x, g, state, t=1, lr=0.1)
    for array in (x, g, *state.values()):
        array.setflags(write=False)
    rule.update(x, g, state, t=2, lr=0.1)


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(1e-4, 0.3), min_size=2, max_size=5))
def test_lanes_equal_separate_runs(rule, rates):
    problem = Quadratic([1.0, 3.0])
    together = minimize(problem, replace(rule, lr=np.array(rates)[:, None]), 20)
    for i, rate in enumerate(rates):
        alone = minimize(problem, replace(rule, lr=rate), 20)
        np.testing.assert_allclose(together.x[:, i], alone.x, rtol=1e-12)
        np.testing.assert_allclose(together.lr[:, i], alone.lr, rtol=0)


@pytest.mark.parametrize("rule", RULES)
def test_a_gradient_of_opposite_sign_takes_the_opposite_way(rule):
    rule = replace(rule, weight_decay=0.0)
    np.testing.assert_allclose(run(rule, gradients=-GRADIENTS) - 1, -(run(rule) - 1), rtol=1e-10, atol=1e-12)


def test_any_hyper_parameter_may_be_a_schedule():
    halving = ExponentialDecay(0.8, decay_steps=1, decay_rate=0.5)
    run = minimize(Quadratic([1.0]), SGD(0.1, momentum=halving), 3)
    x, v = 1.0, 0.0
    for t in range(3):
        v = 0.8 * 0.5**t * v + x
        x -= 0.1 * v
    assert run.x[-1, 0] == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("rule", [SGD, Adam])
def test_rejects_values_outside_their_range_and_names_them(rule):
    for field in fields(rule):
        if field.name in rule.below_one:
            for wrong in (1.0, -0.1, float("nan")):
                with pytest.raises(ValueError, match=rf"{field.name} must lie in \[0, 1\), got {wrong:g}"):
                    rule(**{field.name: wrong})
        elif field.name in rule.not_negative:
            for wrong in (-0.1, float("nan"), float("inf")):
                with pytest.raises(ValueError, match=f"{field.name} must be finite and not negative, got {wrong:g}"):
                    rule(**{field.name: wrong})
            with pytest.raises(TypeError, match=f"{field.name} must be a number, an array or a schedule, got 'fast'"):
                rule(**{field.name: "fast"})
        else:
            assert field.type is bool or field.type == "bool"


def test_the_wrong_lane_is_named():
    with pytest.raises(ValueError, match="lr must be finite and not negative, got -3"):
        SGD(lr=np.array([[0.1], [-3.0]]))


@dataclass(frozen=True, eq=False)
class Normalized(Optimizer):
    """The gradient's direction only: a rule with a norm, to try the core convention on."""

    core: ClassVar = 1
    not_negative: ClassVar = ("lr",)
    lr: object = 0.1

    def init(self, x):
        return {}

    def update(self, x, g, state, *, t, lr):
        return x - lr * g / (g * g).sum(-1, keepdims=True) ** 0.5, {}


@dataclass(frozen=True, eq=False)
class SumOfRows(Normalized):
    """A rule that sees matrices."""

    core: ClassVar = 2

    def update(self, x, g, state, *, t, lr):
        return x - lr * g.sum(-2, keepdims=True), {}


BLOCKS = ((slice(0, 6), (3, 2)), (slice(6, 8), (2,)))


def test_a_rule_with_a_norm_sees_each_layer_of_each_lane_by_itself():
    x, g = np.zeros((5, 8)), np.random.default_rng(0).normal(size=(5, 8))
    lr = np.arange(1.0, 6.0)[:, None]
    moved, _ = Layerwise(Normalized(), BLOCKS).update(x, g, [{}, {}], t=1, lr=lr)
    for part, _ in BLOCKS:
        np.testing.assert_allclose(np.linalg.norm(moved[:, part], axis=-1), lr[:, 0], rtol=1e-12)


def test_a_rule_with_matrices_sees_layers_as_matrices_and_biases_as_one_column():
    x, g = np.zeros((5, 8)), np.random.default_rng(0).normal(size=(5, 8))
    lr = np.arange(1.0, 6.0)[:, None]
    moved, _ = Layerwise(SumOfRows(), BLOCKS).update(x, g, [{}, {}], t=1, lr=lr)
    weights = g[:, :6].reshape(5, 3, 2).sum(1, keepdims=True).repeat(3, axis=1).reshape(5, 6)
    biases = g[:, 6:].sum(-1, keepdims=True).repeat(2, axis=1)
    np.testing.assert_allclose(moved, -lr * np.concatenate([weights, biases], axis=-1), rtol=1e-12)
