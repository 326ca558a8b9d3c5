"""The schedules give the rates that TensorFlow 1, Keras, torch, optax, Caffe, timm and pytorch_optimizer gave."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrlib import (
    CaffeInverseDecay,
    Constant,
    CosineDecay,
    CosineRestarts,
    Cyclical,
    ExponentialDecay,
    InverseTimeDecay,
    Join,
    LinearCosineDecay,
    LinearWarmup,
    MultiStepDecay,
    NaturalExponentialDecay,
    NoisyLinearCosineDecay,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    ReduceOnPlateau,
    SigmoidRamp,
    StepDecay,
    WarmupStableDecay,
)

CASES = json.loads((Path(__file__).parents[1] / "golden" / "schedules.json").read_text())
*CASES, NOISE = CASES


def decay(kind):
    """A decay of TensorFlow, Keras or optax with a base or a rate constant."""

    def make(lr, k, number):
        steps = k.get("decay_steps", k.get("transition_steps"))
        return kind(k.get("init_value", lr), steps, number(k["decay_rate"]), k.get("staircase", False))

    return make


def polynomial(lr, k, number):
    end, power, cycle = number(k.get("end_learning_rate", 1e-4)), k.get("power", 1.0), k.get("cycle", False)
    return PolynomialDecay(lr, k["decay_steps"], end, power, cycle)


def restarts(lr, k, number):
    return CosineRestarts(lr, k["first_decay_steps"], k.get("t_mul", 2.0), k.get("m_mul", 1.0), k.get("alpha", 0.0))


def piecewise(lr, k, number):
    return PiecewiseConstant(k["boundaries"], [number(v) for v in k["values"]])


def scaled(lr, k, number):
    """optax gives factors: the rates between its boundaries."""
    return np.cumprod([k["init_value"], *k["boundaries_and_scales"].values()])


def scaled_steps(lr, k, number):
    # optax switches AT the boundary, a step before TensorFlow.
    return PiecewiseConstant([int(b) - 1 for b in k["boundaries_and_scales"]], scaled(lr, k, number))


def interpolated(lr, k, number):
    (a, b, c), (first, second) = scaled(lr, k, number), map(int, k["boundaries_and_scales"])
    return Join([PolynomialDecay(a, first, b), PolynomialDecay(b, second - first, c)], [first])


def optax_linear_onecycle(lr, k, number):
    # Unlike torch's: the peak at 30 % of the steps, back at the start at 85 %, and 1e4 times lower at the end.
    peak, low, n = k["peak_value"], k["peak_value"] / 25, k["transition_steps"]
    up, down = int(0.3 * n), int(0.85 * n)
    lines = [PolynomialDecay(low, up, peak), PolynomialDecay(peak, down - up, low)]
    return Join([*lines, PolynomialDecay(low, n - down, low / 1e4)], [up, down])


def optax_cosine_onecycle(lr, k, number):
    # One step later than torch's: the peak at 30 % of the steps, the end at all of them.
    peak, n = k["peak_value"], k["transition_steps"]
    up = int(0.3 * n)
    return Join([CosineDecay(peak / 25, up, alpha=25), CosineDecay(peak, n - up, alpha=1 / 25e4)], [up])


def optax_warmup_cosine(k):
    # Its decay_steps contain the warm-up.
    fall = CosineDecay(k["peak_value"], k["decay_steps"] - k["warmup_steps"], k["end_value"] / k["peak_value"])
    return LinearWarmup(fall, k["warmup_steps"], k["init_value"])


def optax_sgdr(lr, k, number):
    parts = k["cosine_kwargs"]
    return Join([optax_warmup_cosine(part) for part in parts], np.cumsum([part["decay_steps"] for part in parts])[:-1])


def one_cycle(lr, k, number):
    return OneCycle(**k)


def wsd(lr, k, number):
    end = lr * k["min_lr_ratio"] if k["cooldown_type"] == "cosine" else 0.0
    steps = k["num_warmup_steps"], k["num_stable_steps"], k["num_decay_steps"]
    return WarmupStableDecay(lr, *steps, end, k["cooldown_type"])


def timm_wsd(lr, k, number):
    # Its t_initial contains the decay, but not the warm-up.
    steps = k["warmup_t"], k["t_initial"] - k["decay_t"], k["decay_t"]
    return WarmupStableDecay(lr, *steps, k.get("lr_min", 0.0), k.get("decay_fn", "1-sqrt"))


def timm_cosine(lr, k, number):
    fall = CosineDecay(lr, k["t_initial"], k.get("lr_min", 0.0) / lr)
    return LinearWarmup(fall, k.get("warmup_t", 0))


#: Every call of the libraries that lrlib has, and how its arguments are said here.
OURS = {
    "exponential_decay": decay(ExponentialDecay),
    "ExponentialDecay": decay(ExponentialDecay),
    "natural_exp_decay": decay(NaturalExponentialDecay),
    "inverse_time_decay": decay(InverseTimeDecay),
    "InverseTimeDecay": decay(InverseTimeDecay),
    "polynomial_decay": polynomial,
    "PolynomialDecay": polynomial,
    "piecewise_constant": piecewise,
    "PiecewiseConstantDecay": piecewise,
    "cosine_decay": lambda lr, k, number: CosineDecay(lr, k["decay_steps"], k["alpha"]),
    "CosineDecay": lambda lr, k, number: CosineDecay(lr, k["decay_steps"], k["alpha"]),
    "cosine_decay_restarts": restarts,
    "CosineDecayRestarts": restarts,
    "linear_cosine_decay": lambda lr, k, number: LinearCosineDecay(lr, **k),
    "noisy_linear_cosine_decay": lambda lr, k, number: NoisyLinearCosineDecay(lr, **k),
    "StepLR": lambda lr, k, number: StepDecay(lr, **k),
    "MultiStepLR": lambda lr, k, number: MultiStepDecay(lr, **k),
    "ConstantLR": lambda lr, k, number: Join([lr / 3, lr], [5]),
    "LinearLR": lambda lr, k, number: LinearWarmup(lr, k.get("total_iters", 5), lr * k.get("start_factor", 1 / 3)),
    "ExponentialLR": lambda lr, k, number: ExponentialDecay(lr, 1, k["gamma"]),
    "PolynomialLR": lambda lr, k, number: PolynomialDecay(lr, k["total_iters"], end_lr=0.0, power=k["power"]),
    "CosineAnnealingLR": lambda lr, k, number: CosineDecay(lr, k["T_max"]),
    "CosineAnnealingWarmRestarts": lambda lr, k, number: CosineRestarts(lr, k["T_0"], t_mul=1),
    "OneCycleLR": one_cycle,
    "CyclicLR": lambda lr, k, number: Cyclical(**k),
    "SequentialLR(LinearLR 0.1->1 in 5, CosineAnnealingLR T_max=20)": lambda lr, k, number: Join(
        [LinearWarmup(lr, 5, lr / 10), CosineDecay(lr, 20)], [5]
    ),
    "SequentialLR(ConstantLR .1x2, ExponentialLR .9) milestones [2]": lambda lr, k, number: Join(
        [lr / 10, ExponentialDecay(lr, 1, 0.9)], [2]
    ),
    "LambdaLR(0.95**t)": lambda lr, k, number: ExponentialDecay(lr, 1, 0.95),
    "MultiplicativeLR(0.95)": lambda lr, k, number: ExponentialDecay(lr, 1, 0.95),
    "polynomial_schedule": lambda lr, k, number: PolynomialDecay(
        k["init_value"], k["transition_steps"], k["end_value"], k["power"]
    ),
    "linear_schedule": lambda lr, k, number: LinearWarmup(k["end_value"], k["transition_steps"], k["init_value"]),
    "cosine_decay_schedule": lambda lr, k, number: CosineDecay(k["init_value"], k["decay_steps"], k["alpha"]),
    "piecewise_constant_schedule": scaled_steps,
    "piecewise_interpolate_schedule": interpolated,
    "linear_onecycle_schedule": optax_linear_onecycle,
    "cosine_onecycle_schedule": optax_cosine_onecycle,
    "warmup_constant_schedule": lambda lr, k, number: LinearWarmup(k["peak_value"], k["warmup_steps"], k["init_value"]),
    "warmup_cosine_decay_schedule": lambda lr, k, number: optax_warmup_cosine(k),
    "warmup_exponential_decay_schedule": lambda lr, k, number: LinearWarmup(
        ExponentialDecay(k["peak_value"], k["transition_steps"], k["decay_rate"]), k["warmup_steps"], k["init_value"]
    ),
    "sgdr_schedule": optax_sgdr,
    "lr_policy:fixed": lambda lr, k, number: Constant(lr),
    "lr_policy:step": lambda lr, k, number: StepDecay(lr, k["stepsize"], k["gamma"]),
    "lr_policy:exp": lambda lr, k, number: ExponentialDecay(lr, 1, k["gamma"]),
    "lr_policy:inv": lambda lr, k, number: CaffeInverseDecay(lr, k["gamma"], k["power"]),
    "lr_policy:multistep": lambda lr, k, number: MultiStepDecay(lr, k["stepvalue"], k["gamma"]),
    "lr_policy:poly": lambda lr, k, number: PolynomialDecay(lr, k["max_iter"], end_lr=0.0, power=k["power"]),
    "lr_policy:sigmoid": lambda lr, k, number: SigmoidRamp(lr, k["gamma"], k["stepsize"]),
    "get_wsd_schedule": wsd,
    "WSDLRScheduler": timm_wsd,
    "CosineLRScheduler": timm_cosine,
}

#: Where a library goes on to compute something else: the last step that is compared, and why.
UNTIL = {
    "CosineAnnealingLR": (10, "torch rises again after T_max"),
    "SequentialLR(LinearLR 0.1->1 in 5, CosineAnnealingLR T_max=20)": (25, "torch rises again after T_max"),
    "OneCycleLR": (lambda k: k["total_steps"] - 1, "torch computes one step more, beyond the end of the cosine"),
    "lr_policy:poly": (100, "Caffe takes a root of a negative number after max_iter"),
    "get_wsd_schedule": (
        lambda k: 30 if k["cooldown_type"] == "cosine" else 24,
        "pytorch_optimizer falls to 0 and then jumps up to its lowest rate",
    ),
}

#: Cases that no schedule of lrlib computes, and why.
NOT_OURS = {
    "ChainedScheduler(ConstantLR .1x5, ExponentialLR .9)": "a product of schedules; lrlib only joins them in time",
    "WSDLRScheduler rsqrt": "the stable phase falls like one over the square root of the step; lrlib's is stable",
}


def topic(case):
    """The name under which a case stands in the tables above."""
    call = case["call"].removeprefix("torch.optim.lr_scheduler.")
    call = call if "(" in call else call.split(".")[-1]
    return f"{call} rsqrt" if case["kwargs"].get("stable_fn") == "rsqrt" else call


def title(case):
    return f"{topic(case)}-{case['dtype']}-{case['kwargs']}"


def ours(case):
    number = float if case["dtype"] == "float64" else np.dtype(case["dtype"]).type
    lr = case.get("lr")
    return OURS[topic(case)](None if lr is None else number(lr), case["kwargs"], number)


def compared(case):
    """The steps, and the library's values at them, up to where the library goes its own way."""
    until = UNTIL.get(topic(case), (np.inf, ""))[0]
    steps = np.array(case["steps"])
    here = steps <= (until(case["kwargs"]) if callable(until) else until)
    return steps[here], np.array(case["values"], dtype=float)[here]


SCHEDULED = [c for c in CASES if topic(c) in OURS]
PLATEAUS = [c for c in CASES if topic(c) == "ReduceLROnPlateau"]


def test_every_case_is_ours_or_listed_with_the_reason():
    others = [topic(c) for c in CASES if topic(c) not in OURS and topic(c) != "ReduceLROnPlateau"]
    assert sorted(others) == sorted(NOT_OURS)
    assert {topic(c) for c in SCHEDULED} == set(OURS)
    assert (len(SCHEDULED), len(PLATEAUS), len(others)) == (87, 3, 2)


@pytest.mark.parametrize("case", SCHEDULED, ids=title)
def test_equals_the_library(case):
    schedule, (steps, values) = ours(case), compared(case)
    assert len(steps) >= 10
    lr = np.nanmax(values)
    # float64: torch recurs from step to step. float32: a few last digits, of which a decay to zero leaves none, and
    # the last digit of the exponent t / D = 143 makes 1e-5 of the power.
    rtol, atol = (1e-13, 2e-14 * lr) if case["dtype"] == "float64" else (1e-5, 3e-7 * lr)
    np.testing.assert_allclose(schedule(steps), values, rtol=rtol, atol=atol)
    assert schedule(steps).dtype == case["dtype"]


@pytest.mark.parametrize("case", [c for c in SCHEDULED if "xponential" in c["call"] or "exp" in c["call"]], ids=title)
def test_exponential_decays_equal_the_library_in_every_digit_that_a_relative_tolerance_sees(case):
    schedule, (steps, values) = ours(case), compared(case)
    # TensorFlow flushes float32 numbers below the smallest normal one to zero.
    rtol, atol = (1e-13, 0) if case["dtype"] == "float64" else (1e-5, np.finfo(np.float32).tiny)
    np.testing.assert_allclose(schedule(steps), values, rtol=rtol, atol=atol)
    early = steps <= 50
    np.testing.assert_allclose(schedule(steps[early]), values[early], rtol=min(rtol, 5e-7))


@pytest.mark.parametrize("case", [c for c in SCHEDULED if "momentum" in c], ids=title)
def test_momentum_cycles_against_the_rate_as_in_torch(case):
    steps, _ = compared(case)
    k = case["kwargs"]
    momentum = ours(case).momentum() if topic(case) == "OneCycleLR" else Cyclical(**k | {"base_lr": 0.9, "max_lr": 0.8})
    np.testing.assert_allclose(momentum(steps), np.array(case["momentum"])[steps], rtol=1e-13)


@pytest.mark.parametrize("case", PLATEAUS, ids=title)
def test_reduces_on_a_plateau_where_torch_does(case):
    rule = ReduceOnPlateau(case["lr"], **case["kwargs"])
    state, rates = rule.init(), []
    for loss in case["metrics"]:
        rate, state = rule.observe(state, loss=np.nan if loss is None else loss)
        rates.append(rate)
    np.testing.assert_allclose(rates, case["values"], rtol=1e-13)


def test_noise_has_the_mean_and_the_deviation_that_tensorflow_has_and_theory_says():
    seeds, steps = 2000, np.array(NOISE["steps"])
    rates = np.array([NoisyLinearCosineDecay(NOISE["lr"], **NOISE["kwargs"], seed=s)(steps) for s in range(seeds)])
    std = NOISE["lr"] * np.sqrt(1 / (1 + steps) ** 0.55) * 0.5 * (1 + np.cos(np.pi * steps / 20))
    mean = LinearCosineDecay(NOISE["lr"], 20)(steps)
    error = std / np.sqrt(seeds) + 1e-12
    assert (np.abs(rates.mean(0) - mean) < 4 * error).all()
    assert (np.abs(rates.std(0) - std) < 4 * error).all()
    assert (np.abs(rates.mean(0) - NOISE["mean"]) < 6 * error + 1e-8).all()
    assert (np.abs(rates.std(0) - NOISE["std"]) < 6 * error).all()
    assert (rates[:, 0] < 0).mean() == pytest.approx(0.158, abs=0.03)
