"""Every parameter of every schedule, set wrongly, is named with its rule and its value."""

import dataclasses
import re

import numpy as np
import pytest

from lrlib import (
    CaffeInverseDecay,
    Constant,
    CosineDecay,
    CosineRestarts,
    Cyclical,
    ExponentialDecay,
    GradientThreshold,
    InverseSquareRoot,
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
    Schedule,
    SigmoidRamp,
    StepDecay,
    WarmupStableDecay,
    schedules,
)

NOT_NEGATIVE = [
    (-0.5, "must be finite and not negative, got -0.5"),
    (np.inf, "must be finite and not negative, got inf"),
]
POSITIVE = [(0, "must be finite and positive, got 0"), (np.nan, "must be finite and positive, got nan")]
BELOW_ONE = [(1.0, "must lie in [0, 1), got 1"), (-0.1, "must lie in [0, 1), got -0.1")]
FLAG = [("no", "must be True or False, got 'no'"), (1, "must be True or False, got 1")]
NUMBER = [
    ("0.9", "must be a number or an array, got '0.9'"),
    (abs, "must be a number or an array, got <built-in function abs>"),
]


def word(*choices):
    rule = f"must be one of {', '.join(choices)}, got "
    return [("fast", f"{rule}'fast'"), (None, f"{rule}None")]


STEPS = [
    (10, "must be a sequence, got 10"),
    ("10", "must be a sequence, got '10'"),
    ([5, -1], "[1] must be finite and not negative, got -1"),
]


INCREASING = [([20, 10], "must increase, got 10 after 20"), ([10, 10], "must increase, got 10 after 10")]

#: For each kind: parameters that are right, and for each parameter wrong values with what is said of them.
WRONG = [
    (Constant, {"initial_lr": 0.1}, {"initial_lr": NOT_NEGATIVE + NUMBER}),
    (
        PiecewiseConstant,
        {"boundaries": [10, 20], "values": [0.1, 0.2, 0.3]},
        {
            "boundaries": STEPS + INCREASING,
            "values": [*STEPS, ([0.1, 0.2], "must be one more than boundaries, got 2 and 2")],
        },
    ),
    (
        StepDecay,
        {"initial_lr": 0.1, "step_size": 10},
        {"initial_lr": NOT_NEGATIVE + NUMBER, "step_size": POSITIVE, "gamma": NOT_NEGATIVE + NUMBER},
    ),
    (
        MultiStepDecay,
        {"initial_lr": 0.1, "milestones": [10]},
        {"initial_lr": NOT_NEGATIVE, "milestones": STEPS, "gamma": NOT_NEGATIVE + NUMBER},
    ),
    *(
        (
            kind,
            {"initial_lr": 0.1, "decay_steps": 10, "decay_rate": 0.9},
            {
                "initial_lr": NOT_NEGATIVE,
                "decay_steps": POSITIVE,
                "decay_rate": [*(POSITIVE if kind is ExponentialDecay else NOT_NEGATIVE), *NUMBER],
                "staircase": FLAG,
            },
        )
        for kind in (ExponentialDecay, NaturalExponentialDecay, InverseTimeDecay)
    ),
    (
        CaffeInverseDecay,
        {"initial_lr": 0.1, "gamma": 0.1, "power": 1},
        {"initial_lr": NOT_NEGATIVE, "gamma": NOT_NEGATIVE, "power": NOT_NEGATIVE + NUMBER},
    ),
    (
        PolynomialDecay,
        {"initial_lr": 0.1, "decay_steps": 10},
        {
            "initial_lr": NOT_NEGATIVE,
            "decay_steps": POSITIVE,
            "end_lr": NOT_NEGATIVE,
            "power": NOT_NEGATIVE + NUMBER,
            "cycle": FLAG,
        },
    ),
    (
        CosineDecay,
        {"initial_lr": 0.1, "decay_steps": 10},
        {"initial_lr": NOT_NEGATIVE, "decay_steps": POSITIVE, "alpha": NOT_NEGATIVE + NUMBER},
    ),
    (
        CosineRestarts,
        {"initial_lr": 0.1, "first_decay_steps": 10},
        {
            "initial_lr": NOT_NEGATIVE,
            "first_decay_steps": POSITIVE,
            "t_mul": [(0.5, "must be finite and at least 1, got 0.5"), *NUMBER],
            "m_mul": NOT_NEGATIVE,
            "alpha": NOT_NEGATIVE,
        },
    ),
    (
        LinearCosineDecay,
        {"initial_lr": 0.1, "decay_steps": 10},
        {
            "initial_lr": NOT_NEGATIVE,
            "decay_steps": POSITIVE,
            "num_periods": NOT_NEGATIVE + NUMBER,
            "alpha": NOT_NEGATIVE,
            "beta": NOT_NEGATIVE,
        },
    ),
    (
        NoisyLinearCosineDecay,
        {"initial_lr": 0.1, "decay_steps": 10},
        {
            "initial_lr": NOT_NEGATIVE,
            "decay_steps": POSITIVE,
            "initial_variance": NOT_NEGATIVE,
            "variance_decay": NOT_NEGATIVE,
            "num_periods": NOT_NEGATIVE + NUMBER,
            "alpha": NOT_NEGATIVE,
            "beta": NOT_NEGATIVE,
            "seed": [
                (-1, "must be a whole number of at least 0, got -1"),
                (0.5, "must be a whole number of at least 0, got 0.5"),
            ],
        },
    ),
    (
        LinearWarmup,
        {"schedule": 0.1, "warmup_steps": 10},
        {
            "schedule": [*NOT_NEGATIVE, (abs, "must be a schedule or a rate, got <built-in function abs>")],
            "warmup_steps": NOT_NEGATIVE + NUMBER,
            "start_lr": NOT_NEGATIVE,
        },
    ),
    (
        Cyclical,
        {"base_lr": 0.1, "max_lr": 0.2},
        {
            "base_lr": NOT_NEGATIVE,
            "max_lr": NOT_NEGATIVE,
            "step_size_up": POSITIVE,
            "step_size_down": POSITIVE + NUMBER,
            "mode": word("triangular", "triangular2", "exp_range"),
            "gamma": POSITIVE,
        },
    ),
    (
        OneCycle,
        {"max_lr": 0.1, "total_steps": 10},
        {
            "max_lr": NOT_NEGATIVE,
            "total_steps": [
                (1, "must be a whole number of at least 2, got 1"),
                (9.5, "must be a whole number of at least 2, got 9.5"),
                *NUMBER,
            ],
            "pct_start": [(1.5, "must lie in [0, 1], got 1.5"), (-0.5, "must lie in [0, 1], got -0.5"), *NUMBER],
            "anneal_strategy": word("cos", "linear"),
            "div_factor": POSITIVE,
            "final_div_factor": POSITIVE,
            "three_phase": FLAG,
        },
    ),
    (
        WarmupStableDecay,
        {"peak_lr": 0.1, "warmup_steps": 10, "stable_steps": 10, "decay_steps": 10},
        {
            "peak_lr": NOT_NEGATIVE,
            "warmup_steps": NOT_NEGATIVE,
            "stable_steps": NOT_NEGATIVE,
            "decay_steps": POSITIVE,
            "end_lr": NOT_NEGATIVE + NUMBER,
            "shape": word("linear", "cosine", "1-sqrt", "1-square"),
        },
    ),
    (
        InverseSquareRoot,
        {"peak_lr": 0.1, "warmup_steps": 10},
        {"peak_lr": NOT_NEGATIVE, "warmup_steps": POSITIVE + NUMBER},
    ),
    (
        SigmoidRamp,
        {"initial_lr": 0.1, "gamma": 0.5, "step_size": 10},
        {"initial_lr": NOT_NEGATIVE, "gamma": NOT_NEGATIVE, "step_size": NOT_NEGATIVE + NUMBER},
    ),
    (
        Join,
        {"schedules": [0.1, 0.2, 0.3], "boundaries": [10, 20]},
        {
            "schedules": [
                (0.1, "must be a sequence, got 0.1"),
                ([0.1, abs, 0.3], "[1] must be a schedule or a rate, got <built-in function abs>"),
                ([0.1, 0.2, -0.3], "[2] must be finite and not negative, got -0.3"),
                ([0.1], "must be one more than boundaries, got 1 and 2"),
            ],
            "boundaries": STEPS + INCREASING,
        },
    ),
    (
        ReduceOnPlateau,
        {"initial_lr": 0.1},
        {
            "initial_lr": NOT_NEGATIVE,
            "factor": BELOW_ONE + NUMBER,
            "patience": NOT_NEGATIVE,
            "mode": word("min", "max"),
            "threshold": NOT_NEGATIVE,
            "threshold_mode": word("rel", "abs"),
            "cooldown": NOT_NEGATIVE,
            "min_lr": NOT_NEGATIVE,
            "eps": NOT_NEGATIVE,
        },
    ),
    (
        GradientThreshold,
        {"threshold": 1.0, "lr_above": 0.01, "lr_below": 0.1},
        {
            "threshold": NOT_NEGATIVE + NUMBER,
            "lr_above": NOT_NEGATIVE,
            "lr_below": NOT_NEGATIVE,
            "per_coordinate": FLAG,
        },
    ),
]

CASES = [
    (kind, right, name, value, message)
    for kind, right, parameters in WRONG
    for name, mistakes in parameters.items()
    for value, message in mistakes
]


def test_every_parameter_of_every_schedule_is_set_wrongly_here():
    assert {kind for kind, _, _ in WRONG} == {getattr(schedules, name) for name in schedules.__all__} - {Schedule}
    for kind, _, parameters in WRONG:
        assert set(parameters) == {field.name for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("kind, right, name, value, message", CASES)
def test_a_wrong_value_is_named_with_its_parameter_and_its_rule(kind, right, name, value, message):
    kind(**right)
    said = name + message if message.startswith("[") else f"{name} {message}"
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(said)}$"):
        kind(**right | {name: value})


def test_one_wrong_lane_is_enough():
    with pytest.raises(ValueError, match="decay_steps must be finite and positive, got -2"):
        CosineDecay(0.1, np.array([[1], [-2]]))


def test_three_phases_leave_time_for_the_way_back():
    with pytest.raises(ValueError, match=re.escape("pct_start must lie in [0, 0.5] with three_phase, got 0.6")):
        OneCycle(0.1, 10, pct_start=0.6, three_phase=True)


def test_the_momentum_of_one_cycle_lies_below_one():
    for name in ("base_momentum", "max_momentum"):
        for value, message in BELOW_ONE + NUMBER:
            with pytest.raises((ValueError, TypeError), match=re.escape(f"{name} {message}")):
                OneCycle(0.1, 10).momentum(**{name: value})


def test_what_training_reports_must_be_numbers():
    rule = ReduceOnPlateau(0.1)
    with pytest.raises(TypeError, match="loss must be a number or an array, got None"):
        rule.observe(rule.init())
    rule = GradientThreshold(1.0, 0.01, 0.1)
    with pytest.raises(TypeError, match="grad must be a number or an array, got 'steep'"):
        rule.observe(rule.init(), grad="steep")
