"""Learning-rate schedules: pure functions of the 0-based step, one schedule a file."""

from lrlib.schedules.constant import Constant
from lrlib.schedules.exponential import ExponentialDecay
from lrlib.schedules.natural_exponential import NaturalExponentialDecay
from lrlib.schedules.schedule import Schedule

__all__ = ["Constant", "ExponentialDecay", "NaturalExponentialDecay", "Schedule"]
