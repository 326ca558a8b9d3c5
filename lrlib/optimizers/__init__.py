"""Update rules: pure functions of arrays, one rule a file."""

from lrlib.optimizers.adam import Adam
from lrlib.optimizers.optimizer import Optimizer
from lrlib.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
