"""The rules take the steps that torch, Keras, TensorFlow 1 and optax took."""

import json
from pathlib import Path

import numpy as np
import pytest

from lrlib import SGD, Adam, LogisticRegression, Quadratic, Rosenbrock

GOLDEN = Path(__file__).parents[1] / "golden"
PROBLEMS = json.loads((GOLDEN / "problems.json").read_text())
CASES = json.loads((GOLDEN / "optimizers.json").read_text())

#: How each library spells our parameters.
OURS = {"beta_1": "beta1", "beta_2": "beta2", "epsilon": "eps", "use_nesterov": "nesterov", "eps_root": "eps"}


def rule(name, case, lr):
    kwargs = dict(case["kwargs"])
    if "betas" in kwargs:
        kwargs["beta1"], kwargs["beta2"] = kwargs.pop("betas")
    if "eps_root" in kwargs:
        kwargs.pop("eps")
    kwargs = {OURS.get(key, key): value for key, value in kwargs.items()}
    if "adam" not in name:
        return SGD(lr, **kwargs)
    variant = {"keras": "eps_hat", "tf1": "eps_hat", "optax": "eps_in_sqrt"}.get(name.split("_")[0])
    return Adam(lr, **kwargs, **({variant: True} if variant else {}))


def gradients(name):
    """The start and the gradient at each 1-based step of a golden problem."""
    p = {key: np.array(value) for key, value in PROBLEMS[name].items() if not isinstance(value, str)}
    if name == "quadratic":
        quadratic = Quadratic(p["A"], p["x0"], p["x_star"])
        return p["x0"], lambda x, t: quadratic.grad(x)
    if name == "rosenbrock":
        return p["x0"], lambda x, t: Rosenbrock().grad(x)
    if name == "logreg":
        regression = LogisticRegression(p["X"], p["y"], l2=float(p["l2"]))
        return p["x0"], lambda x, t: regression.batch(p["batches"][t - 1]).grad(x)
    return p["x0"], lambda x, t: p["A"].T @ (p["A"] @ x - p["B"]) / len(p["A"])


@pytest.mark.parametrize(("name", "problem"), [(name, p) for name, case in CASES.items() for p in case["runs"]])
def test_equals_the_library(name, problem):
    run = CASES[name]["runs"][problem]
    optimizer, (x, grad) = rule(name, CASES[name], run["lr"]), gradients(problem)
    state, rows = optimizer.init(x), {0: x}
    for t in range(1, max(run["steps"]) + 1):
        x, state = optimizer.update(x, grad(x, t), state, t=t, lr=run["lr"])
        rows[t] = x
    ours = np.array([rows[step] for step in run["steps"]])
    np.testing.assert_allclose(ours, np.reshape(run["rows"], ours.shape), rtol=0, atol=run["tolerance"])
