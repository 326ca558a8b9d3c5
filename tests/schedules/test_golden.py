"""The schedules give the rates that TensorFlow 1, Keras, torch, optax and Caffe gave."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrlib import Constant, ExponentialDecay, NaturalExponentialDecay

CASES = json.loads((Path(__file__).parents[1] / "golden" / "schedules.json").read_text())


def ours(case):
    kwargs, number = case["kwargs"], np.dtype(case["dtype"]).type
    if case["dtype"] == "float64":
        number = float
    lr = number(case.get("lr", kwargs.get("init_value")))
    call = case["call"].split(".")[-1]
    if call == "lr_policy:fixed":
        return Constant(lr)
    if call in ("ExponentialLR", "lr_policy:exp"):
        return ExponentialDecay(lr, 1, kwargs["gamma"])
    kind = NaturalExponentialDecay if call == "natural_exp_decay" else ExponentialDecay
    steps = kwargs.get("decay_steps", kwargs.get("transition_steps"))
    return kind(lr, steps, number(kwargs["decay_rate"]), kwargs.get("staircase", False))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['call'].split('.')[-1]}-{c['dtype']}-{c['kwargs']}")
def test_equals_the_library(case):
    schedule, steps = ours(case), np.array(case["steps"])
    # float32: a few last digits, and the last digit of the exponent t / D = 143 makes 1e-5 of the power.
    # TensorFlow flushes float32 numbers below the smallest normal one to zero.
    rtol, atol = (1e-13, 0) if case["dtype"] == "float64" else (1e-5, np.finfo(np.float32).tiny)
    np.testing.assert_allclose(schedule(steps), case["values"], rtol=rtol, atol=atol)
    early = steps <= 50
    np.testing.assert_allclose(schedule(steps[early]), np.array(case["values"])[early], rtol=min(rtol, 5e-7))
    assert schedule(steps).dtype == case["dtype"]
