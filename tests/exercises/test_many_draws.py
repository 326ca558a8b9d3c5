"""What holds for 20 draws of hidden cases holds for 300."""

import pytest

from grader.prove import faults


@pytest.mark.slow
def test_nothing_is_wrong_with_the_master_in_300_draws(master):
    assert faults(master, seeds=300) == []
