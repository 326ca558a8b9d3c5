"""Predicted numbers are kept sealed: comparable, not readable."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlib.exercises.sealed import opens, seal

answers = st.floats(1e-12, 1e12).flatmap(lambda size: st.sampled_from([size, -size]))
few = settings(max_examples=40, deadline=None)


@few
@given(answers, st.floats(1e-4, 0.05), st.floats(-0.99, 0.99))
def test_a_guess_within_the_tolerance_opens(answer, rtol, part):
    guess = answer * (1 + rtol) ** part
    assert opens(seal(answer, rtol=rtol, salt="q"), guess, rtol=rtol, salt="q")


@few
@given(answers, st.floats(1e-4, 0.05), st.sampled_from([-1.01, 1.01, 2.0, -3.0, 40.0]))
def test_a_guess_beyond_the_tolerance_does_not(answer, rtol, part):
    guess = answer * (1 + rtol) ** part
    assert not opens(seal(answer, rtol=rtol, salt="q"), guess, rtol=rtol, salt="q")


@pytest.mark.parametrize("guess", [-0.3, 0.0, float("nan"), float("inf")])
def test_sign_zero_and_not_numbers_are_wrong(guess):
    assert not opens(seal(0.3, rtol=0.01, salt="q"), guess, rtol=0.01, salt="q")


def test_the_same_number_looks_different_in_another_question():
    assert seal(0.3, rtol=0.01, salt="a")["digest"] != seal(0.3, rtol=0.01, salt="b")["digest"]


def test_the_number_cannot_be_read():
    assert "333" not in json.dumps(seal(1 / 3, rtol=0.002, salt="q"))


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_number_that_has_no_logarithm_is_refused(value):
    with pytest.raises(ValueError, match="finite and not 0"):
        seal(value, rtol=0.01, salt="q")
