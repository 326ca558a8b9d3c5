"""A sweep of 50 rates as lanes, against the same 50 runs one after another with torch.optim.

Both sides compute the same gradients from the same formulas in float64 on one thread, see the same mini-batches and
end at the same losses, which is checked. torch's loop is given its gradients by hand too, without autograd.
"""

import time

import numpy as np
import torch

from lrlib import MLP, SGD, Adam, Quadratic, minimize, sweep

RATES = np.logspace(-3, -1, 50)
RULES = {"SGD": (SGD(), torch.optim.SGD), "Adam": (Adam(), torch.optim.Adam)}


def quadratic_loop(make, steps):
    """The losses of 50 torch runs on the quadratic with curvatures 1 and 10."""
    curvature, losses = torch.tensor([1.0, 10.0], dtype=torch.float64), []
    for rate in RATES:
        x = torch.ones(2, dtype=torch.float64)
        optimizer = make([x], lr=float(rate))
        for _ in range(steps):
            x.grad = curvature * x
            optimizer.step()
        losses.append(0.5 * float((curvature * x * x).sum()))
    return losses


def digits_loop(make, steps):
    """The losses of 50 torch runs of the digits network, back-propagation written out."""
    net, losses = MLP(), []
    noise = np.random.default_rng(0).spawn(1)[0]
    batches = [net.sample(noise) for _ in range(steps)]
    batches = [(torch.tensor(b.images), torch.tensor(b.labels)) for b in batches]
    for rate in RATES:
        parts = [torch.tensor(array.copy()) for layer in net.layers(net.x0) for array in layer]
        optimizer = make(parts, lr=float(rate))
        weights, biases, out_weights, out_biases = parts
        for images, labels in batches:
            hidden = torch.tanh(images @ weights + biases)
            error = (torch.softmax(hidden @ out_weights + out_biases, -1) - labels) / len(labels)
            back = (error @ out_weights.T) * (1 - hidden * hidden)
            weights.grad, biases.grad = images.T @ back, back.sum(0)
            out_weights.grad, out_biases.grad = hidden.T @ error, error.sum(0)
            optimizer.step()
        losses.append(float(net.loss(np.concatenate([part.numpy().ravel() for part in parts]))))
    return losses


def seconds(run, repeats):
    """The least processor time of several runs, and the last result: other processes do not count."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        result = run()
        times.append(time.process_time() - began)
    return min(times), result


def ratios():
    """Rows of (what, seconds as lanes, seconds as a loop)."""
    torch.set_num_threads(1)
    problems = {
        "2-D quadratic": (Quadratic([1.0, 10.0]), quadratic_loop, 500),
        "digits network": (MLP(), digits_loop, 300),
    }
    with torch.no_grad():
        for problem_name, (problem, loop, steps) in problems.items():
            for rule_name, (rule, make) in RULES.items():
                minimize(problem, rule, 5)  # neither side pays for its imports
                loop(make, 1)
                ours, result = seconds(lambda p=problem, r=rule, n=steps: sweep(p, r, lr=RATES, steps=n), 5)
                theirs, losses = seconds(lambda run=loop, m=make, n=steps: run(m, n), 2)
                np.testing.assert_allclose(result.loss[:, 0], losses, rtol=1e-3)  # rounding grows at the largest rates
                yield f"{rule_name}, 50 rates, {steps} steps, {problem_name}", ours, theirs
