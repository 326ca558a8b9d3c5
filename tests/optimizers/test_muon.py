"""Muon: every singular direction of the momentum moves alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlib import Muon

RNG = np.random.default_rng(0)


def first_step(rule, g):
    """What the first step subtracts for a rate of 1."""
    x = np.zeros_like(g)
    return -rule.update(x, g, rule.init(x), t=1, lr=1.0)[0]


def newton_schulz(s, coefficients=(3.4445, -4.775, 2.0315), steps=5):
    a, b, c = coefficients
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return s


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12), (6, 10, 4)])
def test_the_step_has_singular_values_near_one_where_those_of_the_gradient_were_not_tiny(shape):
    g = RNG.normal(size=shape)
    s = np.linalg.svd(g / np.linalg.norm(g, axis=(-2, -1), keepdims=True), compute_uv=False)
    assert (s > 0.01).all()
    step = Muon(weight_decay=0.0).orthogonal(g)
    assert ((np.linalg.svd(step, compute_uv=False) > 0.68) & (np.linalg.svd(step, compute_uv=False) < 1.14)).all()


def test_the_band_holds_for_every_singular_value_above_one_percent():
    s = newton_schulz(np.linspace(0.01, 1, 100_001))
    assert s.min() > 0.68 and s.max() < 1.14


@pytest.mark.parametrize("shape", [(7, 4), (4, 7)])
def test_keeps_the_singular_vectors(shape):
    g = RNG.normal(size=shape)
    u, s, v = np.linalg.svd(g, full_matrices=False)
    expected = u * newton_schulz(s / np.linalg.norm(s)) @ v
    np.testing.assert_allclose(Muon(eps=0.0).orthogonal(g), expected, rtol=1e-10, atol=1e-12)


def test_other_coefficients_make_the_classical_cubic_iteration_which_converges_to_the_orthogonal_factor():
    g = RNG.normal(size=(4, 4))
    u, _, v = np.linalg.svd(g)
    rule = Muon(ns_coefficients=(1.5, -0.5, 0.0), ns_steps=60)
    np.testing.assert_allclose(rule.orthogonal(g), u @ v, atol=1e-12)


@given(st.floats(1e-3, 1e6))
def test_the_size_of_the_gradient_does_not_matter(scale):
    g = np.random.default_rng(1).normal(size=(3, 4))
    np.testing.assert_allclose(first_step(Muon(eps=0.0), scale * g), first_step(Muon(eps=0.0), g), rtol=1e-9)


def test_the_momentum_looks_ahead_only_with_nesterov():
    g1, g2 = RNG.normal(size=(2, 3, 3))
    m = 0.8 * 0.2 * g1 + 0.2 * g2
    for nesterov, along in ((True, 0.8 * m + 0.2 * g2), (False, m)):
        rule = Muon(weight_decay=0.0, momentum=0.8, nesterov=nesterov, eps=0.0)
        x, state = rule.update(np.zeros((3, 3)), g1, rule.init(g1), t=1, lr=1.0)
        after, _ = rule.update(x, g2, state, t=2, lr=1.0)
        np.testing.assert_allclose(x - after, rule.orthogonal(along), rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({}, 4.0**0.5),
        ({"inputs_first": True}, 1.0),
        ({"adjust_lr_fn": "match_rms_adamw"}, 0.2 * 8**0.5),
        ({"adjust_lr_fn": "match_rms_adamw", "inputs_first": True}, 0.2 * 8**0.5),
    ],
)
def test_the_step_is_scaled_by_the_shape(options, factor):
    g = RNG.normal(size=(8, 2))
    rule = Muon(**options)
    np.testing.assert_allclose(first_step(rule, g), factor * rule.orthogonal(0.0975 * g), rtol=1e-6)


def test_weights_stored_the_other_way_round_take_the_same_step():
    g = RNG.normal(size=(8, 2))
    np.testing.assert_allclose(first_step(Muon(inputs_first=True), g.T), first_step(Muon(), g).T, rtol=1e-12)


def test_a_column_moves_along_its_gradient_by_the_same_length_whatever_it_is():
    g = np.array([[3.0], [4.0]])
    step = first_step(Muon(eps=0.0, inputs_first=True), g)
    np.testing.assert_allclose(step, newton_schulz(1.0) * g / 5, rtol=1e-12)
    assert newton_schulz(1.0) == pytest.approx(0.7, abs=0.005)


def test_no_gradient_moves_by_the_weight_decay_only():
    rule, x = Muon(), np.ones((2, 2))
    assert (rule.update(x, 0 * x, rule.init(x), t=1, lr=0.5)[0] == 0.95).all()


def test_rejects_what_is_no_iteration():
    for wrong, words in (
        ((1.0, 2.0), "ns_coefficients must be three numbers, got 2"),
        ((1.0, 2.0, float("nan")), r"ns_coefficients\[2\] must be finite, got nan"),
        ((1.0, float("-inf"), 2.0), r"ns_coefficients\[1\] must be finite, got -inf"),
    ):
        with pytest.raises(ValueError, match=words):
            Muon(ns_coefficients=wrong)
    for wrong in (1.0, "abc"):
        with pytest.raises(TypeError, match=f"ns_coefficients must be a sequence, got {wrong!r}"):
            Muon(ns_coefficients=wrong)
    with pytest.raises(TypeError, match=r"ns_coefficients\[0\] must be a number or an array, got <"):
        Muon(ns_coefficients=(lambda step: 1.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="ns_steps must be a whole number of at least 1, got 0"):
        Muon(ns_steps=0)
    with pytest.raises(ValueError, match="adjust_lr_fn must be one of original, match_rms_adamw, got 'none'"):
        Muon(adjust_lr_fn="none")


def test_coefficients_are_kept_as_three_floats_from_whatever_sequence_they_come():
    assert Muon(ns_coefficients=np.array([3, -4, 2])).ns_coefficients == (3.0, -4.0, 2.0)
    given = [3, -4, 2]
    rule = Muon(ns_coefficients=given)
    given[0] = 0
    assert rule.ns_coefficients == (3.0, -4.0, 2.0)
