"""Limits, ticks and contour lines of a live figure: the same for every slider position, so that positions compare.

An axis is a dict: "log" (whether it is logarithmic), "limits" (low, high) and "ticks" [(value, label), ...].
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import contourpy
import numpy as np

from lrlib.plots.figure import log_ticks

GRID = 161  # points along one side of the contour grid
LEVELS = 10  # contour lines
DECADES = 3.0  # the lowest contour lies this many powers of ten below the highest
OVERSCAN = 0.03  # contours are computed a little beyond the frame, so that no line runs along its edge
EQUAL_SCALE_UP_TO = 3.0  # a plane less elongated is drawn with equal scales: gradients cross contours squarely

Limits = tuple[float, float]
Ticks = list[tuple[float, str]]


def plane_limits(points: np.ndarray, minima: np.ndarray) -> tuple[Limits, Limits]:
    """Frame around points of shape (n, 2) with room around minima; equal scales unless the frame is very elongated."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.25 * (high - low)
    around = np.concatenate([points, minima - room, minima + room])
    low, high = around.min(axis=0), around.max(axis=0)
    half = np.maximum((high - low) / 2, 1e-12)
    half = np.where(half <= 1e-9 * half.max(), half.max(), half) * 1.12
    centre = (low + high) / 2
    if half.max() / half.min() <= EQUAL_SCALE_UP_TO:
        half = np.full(2, half.max())
    (x0, y0), (x1, y1) = centre - half, centre + half
    return (float(x0), float(x1)), (float(y0), float(y1))


def contours(loss: Callable[[np.ndarray], np.ndarray], x: Limits, y: Limits) -> list[list[list[int]]]:
    """Regions of loss below log-spaced levels, highest first.

    Each region is a list of closed rings ``[x0, y0, x1, y1, ...]`` in 4000ths of the frame, from its lower left.
    """
    beyond = np.linspace(-OVERSCAN, 1 + OVERSCAN, GRID)
    xs, ys = (low + (high - low) * beyond for low, high in (x, y))
    z = np.asarray(loss(np.stack(np.meshgrid(xs, ys), axis=-1)), dtype=float)
    floor, span = z.min(), np.ptp(z)
    if not np.isfinite(span) or span == 0:
        return []
    generator = contourpy.contour_generator(4000 * beyond, 4000 * beyond, z, fill_type="OuterOffset")
    regions = []
    for level in floor + span * np.logspace(-DECADES, -0.15, LEVELS)[::-1]:
        rings = []
        for points, ends in zip(*generator.filled(floor - span, level), strict=True):
            for start, stop in itertools.pairwise(ends):
                rings.append(np.rint(_thin(points[start:stop], tolerance=1.2)).astype(int).ravel().tolist())
        if rings:
            regions.append(rings)
    return regions


def share(axis: dict, values: np.ndarray) -> np.ndarray:
    """Where values lie on an axis, from 0 at its lower end to 1; 0 on a logarithmic axis lies a little below it."""
    low, high = axis["limits"]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if axis["log"]:
            return np.where(values == 0, -0.1, np.log(values / low) / np.log(high / low))
        return (values - low) / (high - low)


def placed_ticks(axis: dict) -> Ticks:
    """Ticks of an axis with their shares of it instead of their values."""
    return [(round(float(share(axis, np.asarray(value))), 4), label) for value, label in axis["ticks"]]


def _thin(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """Drop points of a line that lie within `tolerance` of the line without them (Ramer, Douglas and Peucker)."""
    keep = np.zeros(len(ring), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(ring) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        chord = ring[last] - ring[first]
        length = np.hypot(*chord)
        offset = ring[first + 1 : last] - ring[first]
        if length > 0:
            distance = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / length
        else:
            distance = np.hypot(offset[:, 0], offset[:, 1])
        worst = int(np.argmax(distance))
        if distance[worst] > tolerance:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return ring[keep]


def linear_ticks(low: float, high: float, at_most: int = 5) -> Ticks:
    """Round values between two limits."""
    raw = (high - low) / at_most
    power = 10.0 ** math.floor(math.log10(raw))
    spacing = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
    return [(k * spacing, f"{k * spacing:.6g}".replace("-", "−")) for k in range(first, last + 1)]


def loss_axis(settled: np.ndarray, *, others_rise: bool) -> dict:
    """Axis of the loss panel for the losses of the runs that settle: logarithmic when none is negative.

    If other runs rise out of it, there is room above to see them rise.
    """
    low, high = float(settled.min()), float(settled.max())
    if low >= 0 and high > 0:
        top = high * (100 if others_rise else 3)
        positive = settled[settled > 0]
        bottom = max(float(positive.min()), high * 1e-12) / 1.5
        return log_axis(bottom, top)
    pad = 0.08 * (high - low) or 1.0
    return {"log": False, "limits": (low - pad, high + pad), "ticks": linear_ticks(low - pad, high + pad)}


def log_axis(low: float, high: float) -> dict:
    """Logarithmic axis between two positive limits."""
    return {"log": True, "limits": (low, high), "ticks": log_ticks(low, high)}


def rate_axis(rates: np.ndarray) -> dict:
    """Axis of the panel "learning rate actually used": logarmithic when the rates span more than a factor of 50."""
    low, high = float(rates.min()), float(rates.max())
    if low > 0 and high / low > 50:
        bottom, top = low / 1.5, high * 1.5
        return {"log": True, "limits": (bottom, top), "ticks": log_ticks(bottom, top, 3)}
    bottom, top = min(0.0, low * 1.12), max(high, 0.0) * 1.12 or 1.0
    return {"log": False, "limits": (bottom, top), "ticks": linear_ticks(bottom, top, 4)}


def step_axis(last: int) -> dict:
    """Axis of the optimizer step, from 0 to the last recorded one."""
    end = max(last, 1)
    return {"log": False, "limits": (0.0, float(end)), "ticks": [t for t in linear_ticks(0, end) if t[0] % 1 == 0]}
