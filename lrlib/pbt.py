"""Population-based training: many runs at once, in which the bad copy the good and try other hyper-parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace

import numpy as np

from lrlib import checks
from lrlib.minimize import advance, begin
from lrlib.optimizers.layerwise import by_layer


@dataclass(frozen=True, eq=False)
class Population:
    """What population-based training left behind, round by round."""

    x: np.ndarray  #: (population, d) parameters at the end: the rule's evaluation point
    score: np.ndarray  #: (rounds, population) at the end of each round; the worst there is (inf or -inf) where lost
    hyper: dict[str, np.ndarray]  #: name -> (rounds, population): the value used in each round, after explore
    inherited: dict[str, np.ndarray]  #: name -> (rounds, population): the value before explore
    parent: np.ndarray  #: (rounds, population): the member of the round before that each goes on from; itself at first
    ranges: dict[str, tuple[float, float]]  #: name -> (low, high)
    mode: str  #: "min" or "max": which scores are better
    steps: int  #: updates in a round

    @property
    def best(self):
        """The member with the best score in the last round."""
        return int(np.argmin(self.score[-1] if self.mode == "min" else -self.score[-1]))

    def lineage(self, member=None):
        """The member of each round from which `member` of the last round descends (by default the best).

        Returns
        -------
        array of shape (rounds,)
            Ends with `member` itself.

        Raises
        ------
        ValueError
            If there is no such member.
        """
        population = self.parent.shape[1]
        member = self.best if member is None else checks.whole("member", member, least=0)
        if member >= population:
            raise ValueError(f"member must be below {population}, got {member}")
        line = [member]
        for parent in self.parent[:0:-1]:
            line.append(parent[line[-1]])
        return np.array(line[::-1])

    def schedule(self, name, member=None):
        """The values of hyper-parameter `name` along the lineage of `member`: (rounds,), each used for `steps` updates.

        For the best member this is the schedule that the population found.

        Raises
        ------
        ValueError
            If no hyper-parameter of that name was tuned, or there is no such member.
        """
        checks.one_of("name", name, self.hyper)
        return self.hyper[name][np.arange(len(self.score)), self.lineage(member)]


def pbt(
    problem,
    optimizer,
    *,
    hyper: Mapping[str, tuple[float, float]],
    population: int = 10,
    rounds: int = 20,
    steps: int = 50,
    evaluate: Callable | None = None,
    mode: str = "min",
    exploit: str | None = "truncation",
    fraction: float = 0.2,
    inherit: bool = True,
    explore: str | Callable | None = "perturb",
    factors: tuple[float, ...] = (0.8, 1.2),
    initial: Mapping | None = None,
    x0=None,
    seed: int = 0,
):
    """Train a population; after each round the worst members copy the best and explore from there.

    Each round trains every member for `steps` updates, all in one batch, and scores it. Then comes *exploit*: the
    worst `fraction` of the members each take the parameters and the optimizer's state (momentum, averages) of a member
    drawn from the best `fraction`, and its hyper-parameters. Then *explore*: those who copied change what they took.
    After the last round nobody copies.

    Parameters
    ----------
    problem : Problem
    optimizer : Optimizer
        The rule; gives the hyper-parameters that are not tuned.
    hyper : dict of str to (low, high)
        What is tuned: fields of the optimizer or, where it has none of that name, of the problem (which meets them as
        arrays of shape (population, 1)). Initial values are drawn log-uniformly where `low` is positive and `high` at
        least ten times as much, uniformly otherwise. No value ever leaves its range.
    population, rounds, steps : int
        How many members (at least 2), how many rounds, and how many updates a round.
    evaluate : function of x (population, d) -> (population,), optional
        The score, best measured on held-out data. By default `problem.loss`.
    mode : {"min", "max"}
        Which scores are better. A score that is not finite is the worst.
    exploit : {"truncation", None}
        With None nobody copies, and every member explores.
    fraction : float
        Share of the population that copies, and share from which it copies: in (0, 0.5], and at least one member.
    inherit : bool
        False: those who copy keep their own hyper-parameters.
    explore : {"perturb", "resample", None} or function of (value, rng)
        "perturb" multiplies each value by one of `factors`, "resample" draws it anew as at the start, None keeps it.
    factors : sequence of float
        Positive.
    initial : dict of str to array (population,), optional
        The first values of some of the hyper-parameters.
    x0 : array of shape (d,) or (population, d), optional
        Where to start. By default each member has its own start if the problem has `initialize`, otherwise
        `problem.x0`.
    seed : int
        Each member has random streams of its own, for its start, its mini-batches and its choices: they do not depend
        on the size of the population.

    Returns
    -------
    Population

    Raises
    ------
    TypeError
        If neither the optimizer nor the problem has a hyper-parameter of that name.
    ValueError
        If a parameter is outside its range or a shape does not fit.

    Notes
    -----
    Jaderberg et al. (2017), with all members in step instead of asynchronously. There too the worst 20 % copy the best
    20 % and perturb by 0.8 or 1.2; the other ways to exploit (a t-test, a tournament) are left out. Their toy copies
    the parameters alone (`inherit=False`). Ray Tune takes quarters instead of fifths, draws a value anew with
    probability 0.25, and does not clip.

    Examples
    --------
    >>> from lrlib import SGD, Quadratic
    >>> result = pbt(Quadratic([1.0, 10.0]), SGD(), hyper={"lr": (1e-4, 0.1)}, population=5, rounds=8, steps=5)
    >>> result.score.shape, int(result.lineage()[-1]) == result.best
    ((8, 5), True)
    """
    population = checks.whole("population", population, least=2)
    rounds, steps = checks.whole("rounds", rounds, least=1), checks.whole("steps", steps, least=1)
    checks.one_of("mode", mode, ("min", "max"))
    checks.flag("inherit", inherit)
    if exploit is not None:
        checks.one_of("exploit", exploit, ("truncation",))
    if explore is not None and not callable(explore):
        checks.one_of("explore", explore, ("perturb", "resample"))
    if not 0 < checks.positive("fraction", fraction) <= 0.5:
        raise ValueError(f"fraction must lie in (0, 0.5], got {fraction:g}")
    factors = checks.sequence("factors", factors, checks.positive)
    if not factors:
        raise ValueError("factors must hold at least one factor, got none")
    ranges = {name: interval(name, pair) for name, pair in hyper.items()}
    if not ranges:
        raise ValueError("hyper must name at least one hyper-parameter, got none")
    tuned = [field.name for field in fields(optimizer) if field.name in ranges]
    posed = [name for name in ranges if name not in tuned]
    known = [field.name for field in fields(problem)] if is_dataclass(problem) else []
    for name in posed:
        if name not in known:
            raise TypeError(f"neither {type(optimizer).__name__} nor {type(problem).__name__} has {name!r}")

    streams = np.random.SeedSequence(checks.whole("seed", seed, least=0)).spawn(population)
    choices = [np.random.default_rng(stream) for stream in streams]
    start, batches = begin(problem, x0, [int(stream.generate_state(1)[0]) for stream in streams])
    if start.shape not in ((problem.dim,), (population, problem.dim)):
        shapes = f"({problem.dim},) or ({population}, {problem.dim})"
        raise ValueError(f"x0 must have shape {shapes}, got {start.shape}")
    x, state = np.array(np.broadcast_to(start, (population, problem.dim))), None
    values = {name: np.array([draw(rng, *pair) for rng in choices]) for name, pair in ranges.items()}
    for name, array in (initial or {}).items():
        checks.one_of("initial", name, ranges)
        values[name] = given(name, array, population, ranges[name])

    copies = max(1, int(fraction * population + 1e-9)) if exploit else 0  # 0.29 * 100 is a bit less than 29
    worst = np.inf if mode == "min" else -np.inf
    parent, inherited, history = np.arange(population), values, []
    for r in range(rounds):
        lanes = {name: v[:, None].astype(x.dtype) for name, v in values.items()}
        rule = replace(optimizer, **{name: lanes[name] for name in tuned})
        posing = replace(problem, **{name: lanes[name] for name in posed}) if posed else problem
        with np.errstate(all="ignore"):  # a member that overflows is data, and soon replaced
            x, state, point = train(posing, rule, x, state, batches, r * steps, steps)
            score = np.asarray((evaluate or posing.loss)(point), dtype=float)
        if score.shape != (population,):
            raise ValueError(f"evaluate must give one score a member, shape ({population},), got {score.shape}")
        score = np.where(np.isfinite(score), score, worst)
        history.append((score, parent, inherited, values))
        if r + 1 == rounds:
            break
        order = np.argsort(score if mode == "min" else -score, kind="stable")
        top, bottom = order[:copies], order[population - copies :]
        parent = np.arange(population)
        for member in bottom:
            parent[member] = choices[member].choice(top)
        x, state = x[parent], of_parents(state, parent)
        inherited = {name: v[parent] if inherit else v for name, v in values.items()}
        values = {name: v.copy() for name, v in inherited.items()}
        for member in bottom if exploit else range(population):
            for name, pair in ranges.items():
                new = explored(choices[member], values[name][member], explore, factors, pair)
                values[name][member] = np.clip(new, *pair)
    scores, parents, before, after = zip(*history, strict=True)
    used, taken = ({name: np.stack([v[name] for v in each]) for name in ranges} for each in (after, before))
    return Population(point, np.stack(scores), used, taken, np.stack(parents), ranges, mode, steps)


def train(problem, optimizer, x, state, rngs, done, steps):
    """Updates `done` + 1 to `done` + `steps` of all members: their x and state after it, and the x that is scored."""
    rule, updates = by_layer(optimizer, problem), range(done + 1, done + steps + 1)
    x, state = advance(problem, optimizer, rule, x, rule.init(x) if state is None else state, rngs, updates)
    return x, state, rule.evaluation_point(x, state)


def of_parents(state, parent):
    """An optimizer's state, each member's share replaced by its parent's; what all members have in common stays."""
    if isinstance(state, dict):
        return {name: of_parents(part, parent) for name, part in state.items()}
    if isinstance(state, list):
        return [of_parents(part, parent) for part in state]
    return state[parent] if np.ndim(state) else state


def explored(rng, value, explore, factors, pair):
    """A new value for a hyper-parameter, not yet clipped to its range."""
    if explore is None:
        return value
    if callable(explore):
        return explore(value, rng)
    return draw(rng, *pair) if explore == "resample" else value * rng.choice(factors)


def draw(rng, low, high):
    """A value between `low` and `high`, log-uniform where the range spans a factor of ten."""
    if logarithmic(low, high):
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def logarithmic(low, high):
    """Whether a range is one of orders of magnitude."""
    return low > 0 and high >= 10 * low


def interval(name, pair):
    """`pair` as (low, high) if it is one."""
    try:
        low, high = (float(value) for value in pair)
    except (TypeError, ValueError):
        raise ValueError(f"hyper[{name!r}] must be a pair (low, high), got {pair!r}") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"hyper[{name!r}] must be finite with low < high, got {pair!r}")
    return low, high


def given(name, values, population, pair):
    """The initial values of a hyper-parameter, if they are one a member and within its range."""
    values = np.asarray(values, dtype=float)
    if values.shape != (population,):
        raise ValueError(f"initial[{name!r}] must have shape ({population},), got {values.shape}")
    outside = values[~((values >= pair[0]) & (values <= pair[1]))]
    if outside.size:
        raise ValueError(f"initial[{name!r}] must lie in [{pair[0]:g}, {pair[1]:g}], got {outside[0]:g}")
    return values
