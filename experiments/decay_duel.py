"""A duel on the digits: the best of 56 constant rates against the best of 56 exponential decays, at three batch sizes.

The protocol was fixed before the first run, with 40 configurations a side. Its decays ended at 0.8 to 0.05 of their
start, and at batches of 32 and 128 the best stood at the edge, 0.8; so 0.95 and 0.9 were added, and as many constant
rates. All sides search the same range of initial rates. The tuning seeds choose one configuration of each side, by the
median of the final training loss. The reporting seeds, which chose nothing, compare them, seed by seed: a seed fixes
the first weights and the mini-batches of all.

The side "finer decay" is an afterthought, made when the results of the others were known: the same number of decays,
spent on more initial rates and fewer ends.
"""

from itertools import product

import numpy as np
from scipy import stats

from lrlib import MLP, SGD, ExponentialDecay, minimize

HIDDEN = (32,)
BATCH_SIZES = [8, 32, 128]
STEPS = 1000
TUNING_SEEDS = list(range(5))
REPORTING_SEEDS = list(range(100, 130))
# Each configuration is (initial rate, rate at the end / initial rate).
SIDES = {
    "constant": list(product(np.geomspace(0.1, 6.4, 56), [1.0])),
    "decay": list(product(np.geomspace(0.1, 6.4, 8), [0.95, 0.9, 0.8, 0.4, 0.2, 0.1, 0.05])),
    "finer decay": list(product(np.geomspace(0.1, 6.4, 28), [0.8, 0.4])),
}
REDRAWS = 10_000


def train(configurations, seeds, batch_size, steps=STEPS, hidden=HIDDEN):
    """Final losses and accuracy, each (configurations, seeds): one batched run."""
    net = MLP(hidden=hidden, batch_size=batch_size)
    start, end = np.array(configurations).T[:, :, None, None]
    rates = ExponentialDecay(start, decay_steps=steps, decay_rate=end)
    last = minimize(net, SGD(lr=rates), steps, seed=list(seeds), every=steps)
    x = last.x[-1]
    return {"loss": last.loss[-1], "test_loss": net.test_loss(x), "test_accuracy": net.accuracy(x)}


def duel(batch_size, steps=STEPS, hidden=HIDDEN, tuning_seeds=TUNING_SEEDS, reporting_seeds=REPORTING_SEEDS):
    """Tune both sides, let the winners meet on fresh seeds, and ask what other tuning seeds would have changed."""
    rng = np.random.default_rng(batch_size)
    again = rng.integers(len(tuning_seeds), size=(REDRAWS, len(tuning_seeds)))
    tuning, winner, rechosen, finalists, reporting = {}, {}, {}, {}, {}
    for side, configurations in SIDES.items():
        tuning[side] = train(configurations, tuning_seeds, batch_size, steps, hidden)
        loss = np.nan_to_num(tuning[side]["loss"], nan=np.inf)
        winner[side] = int(np.median(loss, axis=1).argmin())
        rechosen[side] = np.median(loss[:, again], axis=-1).argmin(axis=0)
        finalists[side] = np.unique([winner[side], *rechosen[side]])
        finals = [configurations[i] for i in finalists[side]]
        reporting[side] = train(finals, reporting_seeds, batch_size, steps, hidden)

    drawn = rng.integers(len(reporting_seeds), size=(REDRAWS, len(reporting_seeds)))

    def compare(side):
        """A side against constant rates: of losses the geometric mean of the ratio, of accuracies the difference."""
        redrawn = np.take_along_axis(difference(side, "loss", rechosen), drawn, axis=1).mean(axis=1)
        return {
            "loss_ratio": np.exp(interval(difference(side, "loss", winner))),
            "loss_ratio_tuning_redrawn": np.exp(np.quantile(redrawn, [0.025, 0.5, 0.975])),
            "test_loss_ratio": np.exp(interval(difference(side, "test_loss", winner))),
            "test_accuracy_difference": interval(difference(side, "test_accuracy", winner, change=np.asarray)),
        }

    def difference(side, measure, chosen, change=np.log):
        """Side minus constant for each reporting seed; `chosen` says which configuration stands for each side."""
        ours, theirs = (
            change(reporting[name][measure])[np.searchsorted(finalists[name], chosen[name])]
            for name in (side, "constant")
        )
        return ours - theirs

    return {
        "batch_size": batch_size,
        "winner": {side: SIDES[side][i] for side, i in winner.items()},
        "winner_at_edge": {side: at_edge(side, i) for side, i in winner.items()},
        "against_constant": {side: compare(side) for side in SIDES if side != "constant"},
        "tuning": tuning,
        "finalists": {side: [SIDES[side][i] for i in chosen] for side, chosen in finalists.items()},
        "reporting": reporting,
    }


def interval(values):
    """Lower end, mean and upper end of the 95 % interval of Student's t."""
    mean, error = values.mean(), stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=mean, scale=error)
    return np.array([low, mean, high])


def at_edge(side, index):
    """Whether a configuration lies where its grid ends, along an axis of more than two values."""
    for value, axis in zip(SIDES[side][index], zip(*SIDES[side], strict=True), strict=True):
        if len(set(axis)) > 2 and value in (min(axis), max(axis)):
            return True
    return False


def run(batch_sizes=BATCH_SIZES, **setting):
    return {
        "setting": {"problem": f"MLP(hidden={HIDDEN}) on the digits", "selection": "median final training loss"},
        "steps": STEPS,
        "tuning_seeds": TUNING_SEEDS,
        "reporting_seeds": REPORTING_SEEDS,
        "configurations": SIDES,
        "duels": [duel(batch_size, **setting) for batch_size in batch_sizes],
    }
