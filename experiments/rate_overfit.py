"""Does a larger learning rate over-fit? The same network at a rate and at a tenth of it, on clean and on wrong labels.

Each seed draws 200 training digits, the first weights and, where they are used, the mini-batches; on one side of the
question 40 of the 200 labels are made wrong. The tuning seeds choose the large rate: the one whose training loss after
300 steps is lowest in the worst of them. The small rate is a tenth of it. The reporting seeds, which chose nothing,
compare the two on the 360 test digits, whose labels are right, seed by seed:

- after the same number of steps, 300;
- at the same training loss: each run is read where its training loss, over all 200 digits, first is at or below a
  level. The small rate gets ten times the steps for this. A seed counts where both runs reach the level.

The protocol was fixed before the first run; what suggested it were sketches with the seeds 0 to 2 on other digits.
"""

import numpy as np

from experiments.decay_duel import interval
from lrlib import MLP, SGD, minimize
from lrlib.data import digits

HIDDEN = (32,)
IMAGES = 200
STEPS = 300
WRONG_LABELS = [0, 40]
BATCH_SIZES = [None, 20]
RATES = np.geomspace(0.1, 6.4, 13)
SLOWER = 10
LEVELS = [1.0, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05]
TUNING_SEEDS = list(range(10, 15))
REPORTING_SEEDS = list(range(100, 130))


def network(seed, wrong_labels, batch_size, images=IMAGES, hidden=HIDDEN):
    """The network on digits of this seed's own, `wrong_labels` of them labelled as another digit."""
    rng = np.random.default_rng([seed, wrong_labels])
    rows = rng.permutation(len(digits().train_labels))[:images]
    labels = digits().train_labels[rows]
    labels[:wrong_labels] = (labels[:wrong_labels] + rng.integers(1, 10, wrong_labels)) % 10
    chosen = {"images": digits().train_images[rows], "labels": np.eye(10)[labels]}
    return MLP(hidden=hidden, batch_size=batch_size, **chosen)


def choose(wrong_labels, batch_size, steps=STEPS, seeds=TUNING_SEEDS, rates=RATES, **size):
    """Training loss after `steps` for each rate and tuning seed, and the rate that is best in its worst seed."""
    loss = np.empty((len(rates), len(seeds)))
    for i, seed in enumerate(seeds):
        net = network(seed, wrong_labels, batch_size, **size)
        loss[:, i] = minimize(net, SGD(lr=rates[:, None]), steps, seed=seed, every=steps).loss[-1]
    return {"loss": loss, "rate": float(rates[loss.max(axis=1).argmin()])}


def follow(rate, steps, every, seeds, wrong_labels, batch_size, levels, **size):
    """What each seed's run is worth at its end and where its training loss first reaches each level."""
    end, reached = [], []
    for seed in seeds:
        net = network(seed, wrong_labels, batch_size, **size)
        run = minimize(net, SGD(lr=rate), steps, seed=seed, every=every)
        measured = np.stack([run.step, run.loss, net.test_loss(run.x), net.accuracy(run.x)], axis=-1)
        end.append(measured[-1])
        below = run.loss[:, None] <= levels
        reached.append(np.where(below.any(axis=0)[:, None], measured[below.argmax(axis=0)], np.nan))
    return np.array(end), np.array(reached)


def comparison(large, small):
    """Interval of the mean of large - small, for loss and accuracy on the test digits, (steps, loss, ...) last."""
    both = np.isfinite(large[:, 1]) & np.isfinite(small[:, 1])
    gaps = (large - small)[both, 2:].T
    loss, accuracy = (interval(gap) if len(gap) > 1 else np.full(3, np.nan) for gap in gaps)
    return {"seeds": int(both.sum()), "test_loss_difference": loss, "test_accuracy_difference": accuracy}


def case(wrong_labels, batch_size, steps=STEPS, levels=LEVELS, reporting_seeds=REPORTING_SEEDS, **options):
    """One kind of labels and one batch size: the choice of the rate, the runs and what they say."""
    size = {name: options.pop(name) for name in ("images", "hidden") if name in options}
    tuning = choose(wrong_labels, batch_size, steps, **options, **size)
    setting = {"wrong_labels": wrong_labels, "batch_size": batch_size, "seeds": reporting_seeds, **size}
    rate, slow = tuning["rate"], tuning["rate"] / SLOWER
    large, large_at = follow(rate, steps, 1, levels=levels, **setting)
    small, _ = follow(slow, steps, steps, levels=levels, **setting)
    _, small_at = follow(slow, SLOWER * steps, SLOWER, levels=levels, **setting)
    columns = ["step", "training loss", "test loss", "test accuracy"]
    return {
        "wrong_labels": wrong_labels,
        "batch_size": batch_size,
        "tuning": tuning,
        "rates": {"large": rate, "small": slow},
        "columns": columns,
        "same_steps": {"large": large, "small": small, **comparison(large, small)},
        "same_training_loss": [
            {"level": level, **comparison(large_at[:, i], small_at[:, i])} for i, level in enumerate(levels)
        ],
        "at_level": {"large": large_at, "small": small_at},
    }


def run(**options):
    return {
        "setting": {"problem": f"MLP(hidden={HIDDEN}) on {IMAGES} digits", "selection": "training loss, worst seed"},
        "steps": STEPS,
        "levels": LEVELS,
        "tuning_rates": RATES,
        "tuning_seeds": TUNING_SEEDS,
        "reporting_seeds": REPORTING_SEEDS,
        "cases": [case(wrong, batch, **options) for wrong in WRONG_LABELS for batch in BATCH_SIZES],
    }
