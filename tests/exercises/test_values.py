"""Values go through JSON and come back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrlib.exercises.values import decode, encode

plain = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats()
shapes = arrays.array_shapes(max_dims=3, max_side=3)
tables = arrays.arrays(float, shapes) | arrays.arrays(np.int64, shapes)


@given(st.recursive(plain | tables, lambda parts: st.lists(parts, max_size=3).map(tuple), max_leaves=6))
def test_nothing_is_lost(value):
    back = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
    np.testing.assert_equal(back, value)
    assert type(back) is type(value)


def test_digits_are_cut_only_where_asked():
    assert encode(1 / 3, digits=4) == 0.3333
    assert encode(np.array([1 / 3]), digits=4) == {"array": [0.3333]}


def test_what_a_case_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="got str"):
        encode("text")
