"""The rule by which answers are compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrlib.exercises.comparison import difference

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
vectors = arrays.arrays(float, st.integers(1, 5), elements=numbers)
tolerances = st.floats(1e-9, 1e-2)


@given(vectors, tolerances, st.floats(0, 1e-3), st.floats(-0.99, 0.99), st.data())
def test_whatever_lies_within_the_tolerance_is_equal(expected, rtol, atol, part, data):
    assert difference(expected, expected + part * (atol + rtol * np.abs(expected)), rtol=rtol, atol=atol + 1e-9) is None


@given(vectors, tolerances, st.floats(1e-6, 1e-3), st.sampled_from([-1.01, 1.01]), st.data())
def test_one_entry_beyond_the_tolerance_is_found_and_named(expected, rtol, atol, part, data):
    place = data.draw(st.integers(0, len(expected) - 1))
    got = expected.copy()
    got[place] += part * (atol + rtol * abs(expected[place])) + np.sign(part) * 1e-9 * abs(expected[place])
    assert f"at [{place}]" in difference(expected, got, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (0.5, np.float32(0.5)),
        (0.5, np.array(0.5)),
        (2.0, 2),
        (2, 2.0),
        (np.array([1.0, 2.0]), [1, 2]),
        ((1.0, np.array([2.0])), [1.0, [2.0]]),
        ((1.0, 2.0), np.array([1.0, 2.0])),
        (None, None),
        (np.inf, np.inf),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])),
    ],
)
def test_the_same_value_in_another_type_is_equal(expected, got):
    assert difference(expected, got, rtol=1e-9) is None


@pytest.mark.parametrize(
    ("expected", "got", "reason"),
    [
        (0.5, None, "a number was expected, None came"),
        (0.5, "0.5", "a number was expected, text came"),
        (0.5, True, "a number was expected, True came"),
        (0.5, 0.5 + 0j, "a number was expected, an object of type complex came"),
        (0.5, np.array([0.5]), "a number was expected, an array of shape (1,) came"),
        (0.5, np.nan, "0.5 was expected, nan came"),
        (0.5, np.inf, "0.5 was expected, inf came"),
        (np.inf, -np.inf, "inf was expected, -inf came"),
        (3, 4, "3 was expected, 4 came"),
        (3, 3.0000001, "3 was expected, 3 came"),
        (None, 3, "None was expected, a number came"),
        (np.zeros(2), np.zeros((2, 1)), "an array of shape (2,) was expected, an array of shape (2, 1) came"),
        (np.zeros(2), [[0.0], [0.0, 1.0]], "an array of shape (2,) was expected, a list of 2 came"),
        (np.zeros(2), np.sum, "an array of shape (2,) was expected, a function came"),
        ((1.0, 2.0), (1.0, 3.0), "part 2 of 2: 2 was expected, 3 came; part 1 is right"),
        ((1.0, 2.0), (1.0,), "2 things were expected, a tuple of 1 came"),
        ((1.0, 2.0), 1.0, "2 things were expected, a number came"),
    ],
)
def test_what_differs_is_said(expected, got, reason):
    assert difference(expected, got, rtol=1e-9) == reason


def test_an_object_that_refuses_to_be_an_array_is_no_number():
    class Hostile:
        def __array__(self, *arguments, **options):
            raise RuntimeError("no")

    assert difference(1.0, Hostile(), rtol=1e-9) == "a number was expected, an object of type Hostile came"


@pytest.mark.parametrize(
    ("got", "reason"),
    [
        ((9.0, 2.0, 3.0), "part 1 of 3 (x): 1 was expected, 9 came; m and v are right"),
        ((1.0, 9.0, 9.0), "part 2 of 3 (m): 2 was expected, 9 came; v differs too; x is right"),
        ((9.0, 9.0, 9.0), "part 1 of 3 (x): 1 was expected, 9 came; m and v differ too"),
        ((1.0, 2.0), "3 things were expected, a tuple of 2 came"),
    ],
)
def test_it_is_said_which_parts_of_a_tuple_differ_and_which_are_right(got, reason):
    assert difference((1.0, 2.0, 3.0), got, rtol=1e-6, names=("x", "m", "v")) == reason
