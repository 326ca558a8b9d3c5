"""How much the final loss of the digits network depends on the rate, for SGD, SGD with momentum and Adam."""

import numpy as np

from lrlib import MLP, SGD, Adam, minimize

RATES = np.logspace(-5, 1, 49)
SEEDS = [0, 1, 2, 3, 4]
STEPS = 2000
RULES = {"SGD": SGD(), "SGD momentum": SGD(momentum=0.9), "Adam": Adam()}


def run(steps=STEPS, rates=RATES, seeds=SEEDS, hidden=(32,)):
    """Loss and test accuracy of every rule at every rate and seed: one batched run a rule."""
    net, results = MLP(hidden=hidden), {"loss": {}, "test_accuracy": {}, "loss_over_time": {}}
    for label, rule in RULES.items():
        lanes = type(rule)(**{**vars(rule), "lr": np.asarray(rates)[:, None, None]})
        way = minimize(net, lanes, steps, seed=list(seeds), every=max(steps // 4, 1))
        results["loss"][label] = way.loss[-1]
        results["test_accuracy"][label] = np.where(np.isfinite(way.loss[-1]), net.accuracy(way.x[-1]), np.nan)
        results["loss_over_time"][label] = way.loss
    setting = {"problem": f"MLP(hidden={hidden}) on the digits, mini-batches of 32", "rules": list(RULES)}
    return {"setting": setting, "rates": rates, "steps": steps, "seeds": seeds, "record_steps": way.step, **results}
