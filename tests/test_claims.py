"""A claim prints when it holds and raises when it does not."""

import numpy as np
import pytest

from lrlib import claim
from lrlib.claims import ClaimError


def test_prints_one_line_with_rounded_evidence(capsys):
    claim("gd-limit", "It converges below 2/L.", np.bool_(True), {"ratio": 0.123456, "steps": 12345})
    assert capsys.readouterr().out == "✓ gd-limit: It converges below 2/L. (ratio 0.1235, steps 12345)\n"


def test_raises_with_its_id_when_it_does_not_hold():
    with pytest.raises(ClaimError, match=r"claim gd-limit does not hold: It converges. \(2\)") as caught:
        claim("gd-limit", "It converges.", 1 > 2, 2)
    assert caught.value.id == "gd-limit"


@pytest.mark.parametrize("holds", [np.array([True, True]), "yes", 1, None])
def test_wants_one_truth_value(holds):
    with pytest.raises(TypeError, match="claim a: holds must be one truth value"):
        claim("a", "b", holds, 0)
