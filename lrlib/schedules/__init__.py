"""Learning-rate schedules: pure functions of the 0-based step, one topic a file."""

from lrlib.schedules.constant import Constant
from lrlib.schedules.cosine import CosineDecay, CosineRestarts
from lrlib.schedules.cyclical import Cyclical, OneCycle
from lrlib.schedules.exponential import ExponentialDecay
from lrlib.schedules.feedback import GradientThreshold, ReduceOnPlateau
from lrlib.schedules.inverse_time import CaffeInverseDecay, InverseTimeDecay
from lrlib.schedules.join import Join
from lrlib.schedules.linear_cosine import LinearCosineDecay
from lrlib.schedules.natural_exponential import NaturalExponentialDecay
from lrlib.schedules.noisy_linear_cosine import NoisyLinearCosineDecay
from lrlib.schedules.piecewise_constant import MultiStepDecay, PiecewiseConstant, StepDecay
from lrlib.schedules.polynomial import PolynomialDecay
from lrlib.schedules.schedule import Schedule
from lrlib.schedules.warmup import InverseSquareRoot, LinearWarmup, SigmoidRamp, WarmupStableDecay

__all__ = [
    "CaffeInverseDecay",
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "Cyclical",
    "ExponentialDecay",
    "GradientThreshold",
    "InverseSquareRoot",
    "InverseTimeDecay",
    "Join",
    "LinearCosineDecay",
    "LinearWarmup",
    "MultiStepDecay",
    "NaturalExponentialDecay",
    "NoisyLinearCosineDecay",
    "OneCycle",
    "PiecewiseConstant",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "Schedule",
    "SigmoidRamp",
    "StepDecay",
    "WarmupStableDecay",
]
