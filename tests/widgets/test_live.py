"""A live figure carries exactly the runs it was given, and says in words what it shows."""

import re

import numpy as np
import pytest

from lrlib import SGD, Adam, DoubleWell, ExponentialDecay, Quadratic, minimize
from lrlib.plots.wording import number
from lrlib.widgets import live

RATES = np.linspace(0.02, 0.24, 12)
PROBLEM = Quadratic([1.0, 10.0], x0=[4.0, 1.5])
DESCENT = minimize(PROBLEM, SGD(lr=RATES[:, None]), steps=40)


def figure(**options):
    return live(PROBLEM, {"SGD": DESCENT}, {"learning rate": RATES}, **options)


def sent(widget, series=0):
    """What a figure carries of a series: by name the numbers (rows, lanes), read from their axes."""
    planes = np.frombuffer(widget.data, dtype=np.uint8).reshape(2, -1).astype(np.uint16)
    moves = planes[0] + 256 * planes[1]
    lanes = int(np.prod([len(slider["values"]) for slider in widget.spec["sliders"]]))
    begin, found = 0, []
    for one in widget.spec["series"]:
        found.append({})
        for name, rows in one["rows"].items():
            part = moves[begin : begin + rows * lanes].reshape(lanes, rows)
            share = np.cumsum(part, axis=1, dtype=np.uint16).view(np.int16).T / widget.spec["resolution"] + 0.5
            axis = widget.spec["axes"][name]
            low, high = axis["limits"]
            found[-1][name] = low * (high / low) ** share if axis["log"] else low + (high - low) * share
            begin += rows * lanes
    assert begin == len(moves)
    return found[series]


def assert_sent(widget, name, values, series=0):
    """The numbers within reach are sent to within half a 4096th of their axis."""
    axis = widget.spec["axes"][name]
    got, values = sent(widget, series)[name], np.reshape(values, (len(values), -1))
    low, high = axis["limits"]
    if axis["log"]:
        with np.errstate(divide="ignore"):
            got, values, low, high = np.log(got), np.log(values), np.log(low), np.log(high)
    within = np.abs(values - (low + high) / 2) <= 7.9 * (high - low)
    assert within.mean() > 0.5
    np.testing.assert_allclose(got[within], values[within], rtol=1e-9, atol=(high - low) / 8192)


def test_the_data_are_the_trajectory_to_a_fraction_of_a_pixel():
    widget = figure()
    assert widget.spec["series"][0]["step"] == DESCENT.step.tolist()
    assert_sent(widget, "loss", DESCENT.loss)
    near = np.abs(DESCENT.x).max(axis=-1) < 30  # a point out of reach is drawn nearer in both coordinates
    assert_sent(widget, "x", np.where(near, DESCENT.x[..., 0], np.inf))
    assert_sent(widget, "y", np.where(near, DESCENT.x[..., 1], np.inf))


def test_a_constant_rate_is_sent_once():
    assert len(sent(figure())["lr"]) == 1
    assert_sent(figure(), "lr", RATES[None])


def test_a_changing_rate_is_sent_for_each_record():
    decay = np.array([0.5, 0.9])
    run = minimize(PROBLEM, SGD(lr=ExponentialDecay(0.1, 10, decay[:, None])), steps=45, every=10)
    widget = live(PROBLEM, run, {"decay rate": decay})
    assert run.step.tolist() == [0, 10, 20, 30, 40, 45]
    assert_sent(widget, "lr", run.lr[[0, 10, 20, 30, 40]])


def test_two_sliders_are_the_two_lane_axes_in_their_order():
    rates, momentum = np.array([0.01, 0.02, 0.03]), np.array([0.0, 0.9])
    run = minimize(PROBLEM, SGD(lr=rates[:, None, None], momentum=momentum[:, None]), steps=5)
    widget = live(PROBLEM, run, {"learning rate": rates, "momentum": momentum}, start=(0.03, 0.9))
    assert (widget.index1, widget.index2) == (2, 1)
    assert_sent(widget, "loss", run.loss)


def test_two_trajectories_are_both_sent():
    adam = minimize(PROBLEM, Adam(lr=RATES[:, None]), steps=20)
    widget = live(PROBLEM, {"SGD": DESCENT, "Adam": adam}, {"learning rate": RATES})
    assert [s["label"] for s in widget.spec["series"]] == ["SGD", "Adam"]
    assert_sent(widget, "loss", DESCENT.loss, 0)
    assert_sent(widget, "loss", adam.loss, 1)


def test_the_words_come_from_the_numbers_before_they_are_rounded_to_pixels():
    series = figure().spec["series"][0]
    for lane in np.flatnonzero(~DESCENT.diverged):
        assert series["outcome"][lane].startswith(f"final loss {number(DESCENT.loss[-1, lane])} after 40 steps")
        assert series["rate"][lane] == number(RATES[lane])


def test_a_leap_out_of_reach_is_sent_in_its_direction():
    run = minimize(PROBLEM, SGD(lr=np.array([[0.1], [300.0]])), steps=3)
    (x0, y0), (x1, y1) = run.x[:2, 1]
    widget = live(PROBLEM, run, {"learning rate": [0.1, 300.0]})
    got = sent(widget)
    a, b = (got[axis][:2, 1] for axis in "xy")
    assert abs(a[1]) < abs(x1) and abs(b[1]) < abs(y1)
    assert np.arctan2(*np.diff([b, a])[:, 0]) == pytest.approx(np.arctan2(y1 - y0, x1 - x0), abs=1e-3)


def test_more_than_two_dimensions_are_shown_without_a_plane():
    problem = Quadratic([1.0, 2.0, 3.0])
    widget = live(problem, minimize(problem, SGD(lr=RATES[:, None]), steps=5), {"learning rate": RATES})
    assert not {"x", "y"} & set(widget.spec["axes"]) and not widget.spec["contours"]
    assert set(sent(widget)) == {"loss", "lr"}
    assert widget.still.png().startswith(b"\x89PNG")


def test_the_same_runs_give_the_same_bytes():
    first, second = figure(), figure()
    assert (first.spec, first.data, first.alt) == (second.spec, second.data, second.alt)
    assert first.still.png() == second.still.png()


def test_axes_do_not_depend_on_the_runs_that_diverge():
    calm = RATES < 0.2
    run = minimize(PROBLEM, SGD(lr=RATES[calm][:, None]), steps=40)
    alone = live(PROBLEM, {"SGD": run}, {"learning rate": RATES[calm]})
    assert DESCENT.diverged.any()
    for name in ("contours", "minima"):
        assert figure().spec[name] == alone.spec[name]
    assert all(figure().spec["axes"][axis] == alone.spec["axes"][axis] for axis in "xy")
    assert figure().spec["axes"]["loss"]["limits"][0] == alone.spec["axes"]["loss"]["limits"][0]


def test_the_loss_axis_has_the_limits_asked_for():
    spec = figure(limits=(1e-3, 1e3)).spec
    assert spec["axes"]["loss"] | {"ticks": []} == {"log": True, "limits": (1e-3, 1e3), "ticks": []}
    assert_sent(figure(limits=(1e-3, 1e3)), "loss", DESCENT.loss)


@pytest.mark.parametrize("limits", [(0, 1), (-1.0, 1.0)])
def test_limits_of_the_loss_axis_are_positive(limits):
    with pytest.raises(ValueError, match=r"limits must be positive, got \("):
        figure(limits=limits)


def test_saddles_within_the_frame_are_marked_in_the_plane_and_in_the_still_image():
    wells = DoubleWell()
    runs = minimize(wells, SGD(lr=RATES[:, None]), steps=5)

    def seen_in(view):
        return live(wells, runs, {"learning rate": RATES}, view=view)

    around, beside = seen_in(((-1, 3), (-2, 2))), seen_in(((1, 3), (-2, 2)))
    assert around.spec["saddles"] == [[0.25, 0.5]]
    assert beside.spec["saddles"] == figure().spec["saddles"] == []
    key = around.still.figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in key] == ["start", "minimum", "saddle"]


def test_a_contour_is_a_line_of_equal_loss():
    spec = figure().spec
    low, high = np.transpose([spec["axes"][axis]["limits"] for axis in "xy"])
    for region in spec["contours"]:
        points = low + (high - low) * np.concatenate([np.reshape(ring, (-1, 2)) for ring in region]) / 4000
        points = points[((points > low) & (points < high)).all(axis=1)]
        losses = PROBLEM.loss(points)
        a_thousandth = np.abs(PROBLEM.grad(points)) @ (high - low) / 1000
        assert (np.abs(losses - np.median(losses)) < a_thousandth).all()


def test_the_step_of_divergence_is_the_first_record_that_counts_as_diverged():
    run = minimize(PROBLEM, SGD(lr=np.array([[0.1], [0.5], [3.0]])), steps=500, every=10)
    widget = live(PROBLEM, run, {"learning rate": [0.1, 0.5, 3.0]})
    beyond = run.loss > 1e6 * run.loss[0]
    expected = [-1, run.step[beyond[:, 1].argmax()], run.step[beyond[:, 2].argmax()]]
    assert widget.spec["series"][0]["lost"] == expected


def test_the_alternative_text_has_the_numbers_of_the_data():
    alt = figure(start=0.1, title="Descent").alt
    assert alt.startswith("Descent.")
    assert "Slider learning rate: 12 positions from 0.02 to 0.24." in alt
    assert f"At learning rate 0.1: SGD: final loss {number(DESCENT.loss[-1, 4])} after 40 steps." in alt
    lost = RATES[DESCENT.diverged]
    assert f"SGD: diverges at {len(lost)} of 12 positions, learning rate {lost[0]:.3g} to {lost[-1]:.3g}." in alt


def test_a_run_that_ends_above_its_start_is_said_to():
    alt = figure(start=0.20).alt
    assert DESCENT.loss[-1, 9] <= DESCENT.loss[0, 9]
    assert "more than at the start" not in alt
    run = minimize(PROBLEM, SGD(lr=np.array([[0.205]])), steps=40)
    assert "more than at the start" in live(PROBLEM, run, {"learning rate": [0.205]}).alt


def test_the_bundle_holds_the_widget_a_still_image_and_words():
    widget = figure()
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == widget.alt
    assert data["image/png"].startswith("iVBORw0KGgo")


def test_slider_values_are_told_apart():
    values = [0.1, 0.1001, 0.1002]
    run = minimize(PROBLEM, SGD(lr=np.array(values)[:, None]), steps=2)
    assert live(PROBLEM, run, {"learning rate": values}).spec["sliders"][0]["values"] == ["0.1", "0.1001", "0.1002"]


def test_slider_positions_may_be_words():
    run = minimize(PROBLEM, SGD(lr=np.array([[0.1], [0.2]])), steps=2)
    assert live(PROBLEM, run, {"rate": ["half", "full"]}, start="full").index1 == 1


def test_too_much_data_is_refused_with_its_size():
    run = minimize(PROBLEM, SGD(lr=RATES[:, None]), steps=3000)
    size = (3001 * 3 * 12 + 12) * 2 / 1000
    with pytest.raises(ValueError, match=rf"at most 150 KB, got {size:.0f} KB: 3001 records for 12 \(learning rate\)"):
        live(PROBLEM, run, {"learning rate": RATES})


@pytest.mark.parametrize(
    ("sliders", "options", "message"),
    [
        ({}, {}, "sliders must be a dict of one or two names to values, got {}"),
        ({"a": [1], "b": [1], "c": [1]}, {}, "sliders must be a dict of one or two"),
        ({"learning rate": 0.1}, {}, "slider 'learning rate' must have a list of values, got 0.1"),
        (
            {"learning rate": RATES[:-1]},
            {},
            "'SGD' must be the positions, 11 of slider 'learning rate', got lanes of shape",
        ),
        ({"learning rate": RATES, "b": [1, 2]}, {}, "12 of slider 'learning rate' and 2 of slider 'b', got"),
        ({"learning rate": RATES}, {"start": 0.5}, "start must lie within slider 'learning rate', 0.02 to 0.24, got"),
        ({"learning rate": RATES}, {"start": (0.1, 0.2)}, "start must have one value for each of 1 sliders"),
        ({"learning rate": RATES}, {"start": "big"}, "start must be a value of slider 'learning rate', got 'big'"),
        ({"learning rate": RATES}, {"view": ((0, 1), (1, 1))}, "view must be ((low, high), (low, high)), got"),
    ],
)
def test_wrong_input_is_named(sliders, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        live(PROBLEM, {"SGD": DESCENT}, sliders, **options)


def test_no_trajectory_is_refused():
    with pytest.raises(ValueError, match="trajectories must not be empty"):
        live(PROBLEM, {}, {"learning rate": RATES})


def test_a_run_without_steps_is_refused():
    run = minimize(PROBLEM, SGD(lr=RATES[:, None]), steps=0)
    with pytest.raises(ValueError, match="trajectory 'SGD' must have at least one step"):
        live(PROBLEM, {"SGD": run}, {"learning rate": RATES})


def test_the_position_can_be_read_and_set_from_python():
    widget = figure(start=0.02)
    assert widget.index1 == 0
    widget.index1 = 7
    assert widget.get_state()["index1"] == 7
