"""The phase diagram's map is the spectral radius, and its JavaScript runs the rule of lrlib."""

import base64
import io
import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from lrlib import SGD, Quadratic, minimize
from lrlib.plots.wording import number
from lrlib.widgets import axes, phase_diagram
from lrlib.widgets.phase import COLORS, MOMENTA, PACES, RATES, RULES, borders, kind, radius

ASK = """
import { radius, kind, run } from "./phase.mjs";
import { readFileSync } from "node:fs";
const asked = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(([rate, momentum, nesterov, start]) =>
  [radius(rate, momentum, nesterov), kind(rate, momentum, nesterov), run(rate, momentum, nesterov, 60, start)])));
"""
RNG = np.random.default_rng(0)
POINTS = np.stack([RNG.uniform(0, 4.2, 300), RNG.uniform(0.001, 1, 300), RNG.normal(size=300)])


def matrix(rate, momentum, nesterov):
    """What one step does to (θ now, θ before)."""
    left = 1 - rate
    first = [(1 + momentum) * left, -momentum * left] if nesterov else [left + momentum, -momentum]
    return np.array([first, [1.0, 0.0]])


def in_javascript(tmp_path, nesterov):
    """Radius, kind and run of each of the points, by the figure's module."""
    if not shutil.which("node"):
        pytest.skip("node is missing")
    (tmp_path / "phase.mjs").write_text(phase_diagram()._esm, "utf-8")
    (tmp_path / "ask.mjs").write_text(ASK, "utf-8")
    asked = json.dumps([[rate, momentum, nesterov, start] for rate, momentum, start in POINTS.T.tolist()])
    answer = subprocess.run(
        ["node", "ask.mjs"], input=asked, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    paces, kinds, runs = zip(*json.loads(answer.stdout), strict=True)
    return np.array(paces, float), list(kinds), np.array(runs, float)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_browser_runs_the_rule_of_lrlib(tmp_path, nesterov):
    rate, momentum, start = POINTS
    paces, kinds, runs = in_javascript(tmp_path, nesterov)
    rule = SGD(lr=rate[:, None], momentum=momentum[:, None], nesterov=nesterov)
    expected = minimize(Quadratic([1.0]), rule, steps=60, x0=start[:, None]).x[..., 0].T
    np.testing.assert_allclose(runs, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(paces, radius(rate, momentum, nesterov), rtol=1e-12)
    assert kinds == kind(rate, momentum, nesterov).tolist()
    assert set(kinds) == set(COLORS)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_radius_is_that_of_a_steps_matrix(nesterov):
    rate, momentum, _ = POINTS
    exact = [abs(np.linalg.eigvals(matrix(h, b, nesterov))).max() for h, b in zip(rate, momentum, strict=True)]
    np.testing.assert_allclose(radius(rate, momentum, nesterov), exact, rtol=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_kind_is_what_a_run_does(nesterov):
    rate, momentum, _ = POINTS
    rule = SGD(lr=rate[:, None], momentum=momentum[:, None], nesterov=nesterov)
    x = minimize(Quadratic([1.0]), rule, steps=400).x[..., 0]
    kinds, pace = kind(rate, momentum, nesterov), radius(rate, momentum, nesterov)
    alive = (x != 0) & (abs(x) > 1e-300) & np.isfinite(x)  # a sign can be read
    crosses = (np.sign(x[1:]) != np.sign(x[:-1])) & alive[1:] & alive[:-1]
    crossings, moves = crosses[20:60].sum(axis=0), (alive[1:] & alive[:-1])[20:60].sum(axis=0)
    clear = moves == 40
    assert (crossings[clear & (kinds == "creeps")] == 0).all()
    assert (crossings[clear & (kinds == "hops") & (pace > 0.5)] == 40).all()
    swings = crossings[clear & (kinds == "swings") & (rate > 0.5) & (rate < 2)]
    assert len(swings) > 20
    assert ((swings > 0) & (swings < 40)).all()
    far = abs(x[-1]) > 1
    assert (far == (kinds == "diverges"))[abs(pace - 1) > 0.02].all()


@pytest.mark.parametrize("nesterov", [False, True])
def test_kinds_change_at_the_borders_and_only_there(nesterov):
    first, second, third = (at[1:-1] for at, _ in borders(nesterov))
    beta = borders(nesterov)[0][1][1:-1]
    order = list(COLORS)
    for border, below, above in ((first, 0, 1), (second, 1, 2), (third, 2, 3)):
        gap = 1e-6 * border
        assert set(kind(border - gap, beta, nesterov)) == {order[below]}
        assert set(kind(border + gap, beta, nesterov)) == {order[above]}


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_map_has_the_colour_of_the_kind_and_is_deeper_where_a_run_is_faster(nesterov):
    sent = phase_diagram().spec["maps"][RULES[nesterov]]
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent["image"]))).convert("RGBA")).astype(int)
    rows, columns = image.shape[:2]
    rate = 4.2 * (np.arange(columns) + 0.5) / columns
    momentum = (1 - (np.arange(rows) + 0.5) / rows)[:, None]
    what, pace = kind(rate, momentum, nesterov), radius(rate, momentum, nesterov)
    for name, color in COLORS.items():
        assert (image[what == name][:, :3] == color).all()
    depth = image[..., 3]
    for slower, faster in zip(PACES[1:], PACES, strict=False):
        inside = what != "diverges"
        assert depth[inside & (pace > slower)].max(initial=0) < depth[inside & (pace < faster)].min()


def test_on_the_limit_a_run_stays():
    assert kind(2.0, 0.0, False) == "stays"
    assert kind(3.0, 0.5, False) == "stays"


def test_the_words_are_computed():
    alt = phase_diagram(start=(0.6, 0.5), steps=30).alt
    last = minimize(Quadratic([1.0]), SGD(lr=0.6, momentum=0.5), steps=30).x[-1, 0]
    assert f"θ starts at 1 and is {number(last)} after 30 steps" in alt
    assert "it swings, radius 0.707" in alt
    assert "meet at ηλ 0.0858, 2.91 and 3" in alt
    assert "meet at ηλ 0.111, 1 and 1.5" in phase_diagram(nesterov=True).alt


def test_the_start_is_a_position():
    figure = phase_diagram(start=(1.234, 0.567))
    assert (RATES[figure.index1], MOMENTA[figure.index2]) == (1.24, 0.57)


def test_the_figure_is_small_and_the_same_every_time():
    first, second = phase_diagram(), phase_diagram()
    assert len(json.dumps(first.spec)) + len(first._esm) < 50_000
    assert first.spec == second.spec
    assert first.still.png() == second.still.png()


def test_the_borders_end_on_the_map():
    for rule in RULES:
        shares = np.concatenate(phase_diagram().spec["maps"][rule]["borders"])
        assert (shares >= 0).all()
        assert (shares <= 1).all()
    assert axes.share({"log": False, "limits": (0.0, 4.2)}, np.array(4.2)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": (5.0, 0.5)}, "start must have ηλ from 0.02 to 4.2, got 5.0"),
        ({"start": (1.0, 1.0)}, "start must have β from 0 to 0.99, got 1.0"),
        ({"steps": 0}, "steps must be"),
    ],
)
def test_wrong_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        phase_diagram(**options)
