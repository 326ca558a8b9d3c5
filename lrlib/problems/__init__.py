"""Functions to minimize, one a file; all take leading lane axes."""

from lrlib.problems.logistic_regression import LogisticRegression
from lrlib.problems.mlp import MLP
from lrlib.problems.noisy_quadratic import NoisyQuadratic
from lrlib.problems.problem import Problem
from lrlib.problems.quadratic import Quadratic
from lrlib.problems.rosenbrock import Rosenbrock

__all__ = ["MLP", "LogisticRegression", "NoisyQuadratic", "Problem", "Quadratic", "Rosenbrock"]
