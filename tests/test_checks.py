"""What a parameter may be: numbers, lists, arrays, and arrays of other libraries as they are."""

import numpy as np
import pytest
import torch

from lrlib import checks
from lrlib.problems.problem import point, points


def test_a_list_becomes_an_array_of_floats_and_a_number_or_an_array_stays_what_it_is():
    listed, array = checks.positive("lr", [[1], [2]]), np.array([1, 2])
    assert listed.dtype == float and listed.tolist() == [[1.0], [2.0]]
    assert type(checks.positive("lr", 3)) is int
    assert checks.positive("lr", array) is array


def test_zero_is_neither_negative_nor_positive():
    assert checks.not_negative("lr", 0.0) == checks.not_positive("beta2_decay", 0.0) == 0.0
    with pytest.raises(ValueError, match="^eps must be finite and positive, got 0$"):
        checks.positive("eps", 0.0)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_an_array_of_another_library_passes_unread_since_it_may_have_no_numbers_to_read(device):
    elsewhere = torch.tensor([-1.0], device=device)
    assert checks.positive("lr", elsewhere) is elsewhere


@pytest.mark.parametrize("value", [1j, [[1], [1, 2]], "0.1", [0.1, "fast"], {"lr": 0.1}, abs])
def test_what_is_no_array_of_numbers_is_named(value):
    with pytest.raises(TypeError, match=r"^lr must be a number or an array, got "):
        checks.positive("lr", value)


def test_a_point_has_finite_coordinates_and_lanes_where_they_are_allowed():
    assert points("x", [[1, 2], [3, 4]], dim=2).shape == (2, 2) and points("x", [1.0]).tolist() == [1.0]
    assert points("x", [1.0], dtype=np.float32).dtype == np.float32
    for value, error, message in [
        ("here", TypeError, "^x must hold numbers, got 'here'$"),
        (1.0, ValueError, r"^x must have shape \(..., 2\), got \(\)$"),
        ([[1.0]], ValueError, r"^x must have shape \(..., 2\), got \(1, 1\)$"),
        ([[1.0, np.inf]], ValueError, "^x must be finite, got inf$"),
    ]:
        with pytest.raises(error, match=message):
            points("x", value, dim=2)
    for value, error, message in [
        ("here", TypeError, "^x must hold numbers, got 'here'$"),
        ([[1.0, 2.0]], ValueError, r"^x must be a vector of length 2, got shape \(1, 2\)$"),
        ([1.0, np.nan], ValueError, "^x must be finite, got nan$"),
    ]:
        with pytest.raises(error, match=message):
            point("x", value, dim=2)
