"""Every problem: gradients, Hessians, minima, lanes, sampling, good errors."""

import numpy as np
import pytest
import torch

from lrlib import MLP, LogisticRegression, NoisyQuadratic, Problem, Quadratic, Rosenbrock
from lrlib.data import digits

RNG = np.random.default_rng(0)
LABELS = (RNG.random(20) < 0.5).astype(float)
MATRIX = np.array([[2.0, 0.5], [0.5, 1.0]])
PROBLEMS = [
    Quadratic([1.0, 10.0], center=[0.5, -1.0]),
    Quadratic(MATRIX, center=[0.5, -1.0]),
    NoisyQuadratic([1.0, 10.0], sigma=0.3),
    Rosenbrock(),
    LogisticRegression(RNG.normal(size=(20, 3)), LABELS, l2=0.1),
    MLP(hidden=(5,), batch_size=None, images=RNG.random((6, 64)), labels=np.eye(10)[:6]),
    MLP(hidden=(4, 3), batch_size=None, images=RNG.random((6, 64)), labels=np.eye(10)[:6]),
]
IDS = [f"{type(p).__name__}{i}" for i, p in enumerate(PROBLEMS)]


def points(problem, *lanes):
    return RNG.normal(size=(*lanes, problem.dim)) / 2


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_gradient_equals_central_differences_of_the_loss(problem):
    x, h = points(problem), 1e-6
    moves = h * np.eye(problem.dim)
    numeric = (problem.loss(x + moves) - problem.loss(x - moves)) / (2 * h)
    np.testing.assert_allclose(problem.grad(x), numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_hessian_equals_central_differences_of_the_gradient(problem):
    x, h = points(problem), 1e-5
    moves = h * np.eye(problem.dim)
    numeric = (problem.grad(x + moves) - problem.grad(x - moves)) / (2 * h)
    np.testing.assert_allclose(problem.hessian(x), numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_lanes_equal_one_point_at_a_time(problem):
    x = points(problem, 3, 2)
    for function in (problem.loss, problem.grad):
        alone = np.array([[function(x[i, j]) for j in range(2)] for i in range(3)])
        np.testing.assert_allclose(function(x), alone, rtol=1e-10, atol=1e-12)
    assert problem.hessian(x[:, 0]).shape == (3, problem.dim, problem.dim)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_stated_minima_have_no_slope_and_no_downward_curvature(problem):
    for minimum in problem.minima:
        np.testing.assert_allclose(problem.grad(minimum), 0, atol=1e-12)
        assert (np.linalg.eigvalsh(problem.hessian(minimum)) > 0).all()
    assert isinstance(problem, Problem) and problem.x0.shape == (problem.dim,)


def test_a_saddle_has_no_minimum():
    assert len(Quadratic([1.0, -1.0]).minima) == 0


def test_back_propagation_equals_torch():
    net = MLP(hidden=(7, 6), batch_size=None)
    x = net.x0 + 0.1 * RNG.normal(size=net.dim)
    layers = [[torch.tensor(a, requires_grad=True) for a in layer] for layer in net.layers(x)]
    a = torch.tensor(net.images)
    for weights, biases in layers[:-1]:
        a = torch.tanh(a @ weights + biases)
    weights, biases = layers[-1]
    loss = torch.nn.functional.cross_entropy(a @ weights + biases, torch.tensor(net.labels.argmax(-1)))
    loss.backward()
    gradient = np.concatenate([p.grad.numpy().ravel() for layer in layers for p in layer])
    assert net.loss(x) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(net.grad(x), gradient, rtol=1e-9, atol=1e-12)


def test_logistic_regression_does_not_overflow_at_large_scores():
    problem = LogisticRegression(np.array([[1e4], [-1e4]]), np.array([1, 0]))
    with np.errstate(all="raise", under="ignore"):
        assert problem.loss(np.array([-1.0])) == pytest.approx(1e4)
        assert problem.loss(np.array([1.0])) == 0


def test_mini_batches_average_to_the_full_gradient():
    problem = LogisticRegression(RNG.normal(size=(50, 3)), (RNG.random(50) < 0.5) * 1.0, batch_size=10)
    x, rng = points(problem), np.random.default_rng(1)
    draws = np.array([problem.sample(rng).grad(x) for _ in range(4000)])
    error = draws.std(0) / 4000**0.5
    assert (abs(draws.mean(0) - problem.grad(x)) < 4 * error).all()


@pytest.mark.parametrize(
    "problem",
    [NoisyQuadratic([1.0, 2.0], sigma=0.3), LogisticRegression(RNG.normal(size=(20, 3)), LABELS, batch_size=4), MLP()],
    ids=["quadratic", "logistic", "mlp"],
)
def test_a_seed_sees_the_same_mini_batches_whichever_others_run_beside_it(problem):
    x = points(problem)
    alone = [problem.sample(np.random.default_rng(seed)).grad(x) for seed in (3, 5)]
    beside = problem.sample([np.random.default_rng(seed) for seed in (3, 5)]).grad(np.stack([x, x]))
    np.testing.assert_allclose(beside, alone, rtol=1e-12, atol=1e-15)


def test_noise_has_the_stated_deviation():
    noisy, rng = NoisyQuadratic([1.0, 2.0], sigma=0.3), np.random.default_rng(0)
    noise = np.array([noisy.sample(rng).grad(np.zeros(2)) for _ in range(20_000)])
    np.testing.assert_allclose(noise.std(0), 0.3, rtol=0.02)  # 4 standard errors of a deviation: 4 / sqrt(2 n)


def test_the_digits_are_split_once_and_for_all():
    data = digits()
    assert data.train_images.shape == (1437, 64) and data.test_images.shape == (360, 64)
    assert data.train_images.min() == 0 and data.train_images.max() == 1
    assert not {row.tobytes() for row in data.train_images} & {row.tobytes() for row in data.test_images}


def test_accuracy_is_chance_at_zero_and_one_for_the_right_answers():
    net = MLP(hidden=())
    assert net.accuracy(np.zeros(net.dim)) == pytest.approx((digits().test_labels == 0).mean())
    with pytest.raises(ValueError, match="hidden must be a whole number of at least 1, got 0"):
        MLP(hidden=(0,))


def test_large_lane_counts_give_the_loss_of_each_lane():
    for net in (MLP(hidden=(3,)), MLP(hidden=())):
        x = points(net, 400)
        np.testing.assert_allclose(net.loss(x)[[0, 399]], [net.loss(x[0]), net.loss(x[399])], rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quadratic([[1.0, 2.0], [0.0, 1.0]]), "curvature must be symmetric"),
        (lambda: Quadratic([[1.0, 2.0]]), r"curvature must be a vector or a square matrix, got shape \(1, 2\)"),
        (lambda: Quadratic([1.0, float("nan")]), "curvature must be finite"),
        (lambda: Quadratic([1.0, 2.0], x0=[1.0]), r"x0 must be a vector of length 2, got shape \(1,\)"),
        (lambda: Rosenbrock(x0=[float("inf"), 0]), r"x0 must be finite, got \[inf, 0.0\]"),
        (lambda: NoisyQuadratic([1.0], sigma=-1), "sigma must be finite and not negative, got -1"),
        (lambda: LogisticRegression(np.ones((3, 2)), np.ones(2)), r"got shapes \(3, 2\) and \(2,\)"),
        (lambda: LogisticRegression(np.ones((2, 2)), [0, 3]), "labels must be 0 or 1, got 3"),
        (lambda: LogisticRegression(np.ones((2, 2)), [0, 1], l2=-1), "l2 must be finite and not negative, got -1"),
        (lambda: MLP(batch_size=0), "batch_size must be a whole number of at least 1, got 0"),
        (lambda: MLP(images=np.ones((1, 64))), "images and labels belong together"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
