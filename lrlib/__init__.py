"""Learning rates from scratch: schedules, optimizers, problems, and what runs and shows them."""

from lrlib import optimizers, problems, schedules
from lrlib.claims import claim
from lrlib.minimize import Trajectory, minimize
from lrlib.optimizers import *  # noqa: F403
from lrlib.problems import *  # noqa: F403
from lrlib.records import record
from lrlib.schedules import *  # noqa: F403
from lrlib.sweep import Sweep, sweep

__version__ = "0.1.0"

__all__ = ["Sweep", "Trajectory", "claim", "minimize", "optimizers", "problems", "record", "schedules", "sweep"]
__all__ += optimizers.__all__ + problems.__all__ + schedules.__all__
