"""Join: one schedule after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lrlib import checks
from lrlib.schedules.constant import as_schedule
from lrlib.schedules.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Join(Schedule):
    r"""Let each schedule start, at its own step 0, AT the boundary where the one before ends.

    .. math:: \eta_t = \sigma_i(t - b_i), \qquad i = \#\{b \,:\, b \le t\}, \quad b_0 = 0

    Parameters
    ----------
    schedules : sequence of Schedule, float or array
        What follows each other, one more than `boundaries`; a number is a constant rate.
    boundaries : sequence of float or array
        The first steps of all schedules but the first; increasing.

    Raises
    ------
    TypeError, ValueError
        For something that is neither a schedule nor a rate, boundaries that do not increase, or a number of schedules
        that does not fit.

    Notes
    -----
    torch's ``SequentialLR``, optax' ``join_schedules``.

    Examples
    --------
    >>> Join([0.1, PolynomialDecay(0.2, 10, end_lr=0.0)], [5])([4, 5, 10, 15])
    array([0.1, 0.2, 0.1, 0. ])
    """

    not_negative: ClassVar = ()

    schedules: Sequence[Schedule | float | np.ndarray]
    boundaries: Sequence[float | np.ndarray]

    def __post_init__(self):
        schedules = checks.sequence("schedules", self.schedules, as_schedule)
        boundaries = checks.sequence("boundaries", self.boundaries, checks.not_negative)
        self.keep("boundaries", checks.increasing("boundaries", boundaries))
        self.keep("schedules", checks.one_more("schedules", schedules, "boundaries", boundaries))

    def at(self, t):
        rate = self.schedules[0](t)
        for start, schedule in zip(self.boundaries, self.schedules[1:], strict=True):
            rate = np.where(t >= start, schedule(np.maximum(t - start, 0)), rate)
        return rate
