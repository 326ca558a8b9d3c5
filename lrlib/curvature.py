"""Hessian tools: products with it, its extreme eigenvalues, and how many of them are negative."""

from dataclasses import dataclass

import numpy as np

from lrlib import checks
from lrlib.problems.problem import points


@dataclass(frozen=True, eq=False)
class Eigenpair:
    """An approximate eigenvalue of the Hessian H at x (\\*lanes, d), with its direction.

    H has an eigenvalue within `residual` of `value`, whatever the run that found it. No run can tell for sure that it
    is the extreme one; but a value never lies beyond the extreme eigenvalue, up to rounding.
    """

    value: np.ndarray  #: (\*lanes) v·Hv
    vector: np.ndarray  #: (\*lanes, d) v, of length 1
    residual: np.ndarray  #: (\*lanes) |Hv - value v|
    iterations: int  #: products with H that finding v took

    def __repr__(self):
        return f"Eigenpair(value={self.value}, residual={self.residual}, iterations={self.iterations})"


@dataclass(frozen=True, eq=False)
class Extremes:
    """What Lanczos' method found about the Hessian H at x (\\*lanes, d)."""

    smallest: Eigenpair
    largest: Eigenpair
    ritz: np.ndarray  #: (\*lanes, iterations) all Ritz values, ascending: eigenvalues of H seen from a subspace


def hessian_vector_product(problem, x, v):
    """H v, where H is the Hessian of the loss at x.

    Exact where the problem has a `hessian_vector_product` or a `hessian`. Otherwise a central difference of `grad`
    over a step of length h = ε^(1/3) max(1, |x|) along v, where ε is the rounding of x: exact for quadratics up to
    rounding, else off by about h² times the fourth derivative.

    Parameters
    ----------
    problem : Problem
        Or anything with a `grad`.
    x, v : array of shape (..., d)
        The point and the direction; their leading axes broadcast.

    Returns
    -------
    array of shape (..., d)

    Raises
    ------
    ValueError
        If an entry is not finite or the shapes do not fit.

    Examples
    --------
    >>> from lrlib import Rosenbrock
    >>> hessian_vector_product(Rosenbrock(), [1.0, 1.0], [1.0, 0.0]).tolist()
    [802.0, -400.0]
    """
    x = points("x", x, getattr(problem, "dim", None))
    v = points("v", v, x.shape[-1])
    if hasattr(problem, "hessian_vector_product"):
        return problem.hessian_vector_product(x, v)
    if hasattr(problem, "hessian"):
        return (problem.hessian(x) @ v[..., None])[..., 0]
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    h = np.cbrt(np.finfo(x.dtype).eps) * np.maximum(1, np.linalg.norm(x, axis=-1, keepdims=True))
    move = h * v / np.where(length > 0, length, 1)
    return (problem.grad(x + move) - problem.grad(x - move)) * (length / (2 * h))


def largest_eigenvalue(problem, x, *, method="lanczos", iterations=None, seed=0, tolerance=1e-6):
    """The sharpness: the largest eigenvalue of the Hessian at x, not the largest in magnitude.

    Parameters
    ----------
    problem : Problem
        Whose loss over all data is meant, whatever its `batch_size`.
    x : array of shape (..., d)
        One point, or one a lane.
    method : {"lanczos", "power"}
        `lanczos` needs fewest products. Power iteration multiplies a vector with H + s again and again. Alone, H would
        lead to the eigenvalue of largest magnitude; the shift s, the longest Hv seen so far, makes it the largest.
    iterations : int, optional
        At most so many products with H: by default 100 for Lanczos' method, 1000 for power iteration.
    seed : int
        Of the random direction in which to begin, the same for all lanes.
    tolerance : float
        Stop when the residual is below this share of the largest magnitude seen, in every lane. The error of the
        eigenvalue is then smaller still: about the square of it, over the gap to the next one.

    Returns
    -------
    Eigenpair
        Not converged if `iterations` came first; its `residual` tells.

    Raises
    ------
    ValueError
        If a point is not finite, `tolerance` negative, `iterations` not a positive whole number, `seed` negative
        or `method` unknown.

    Examples
    --------
    >>> from lrlib import Quadratic
    >>> bowl = Quadratic([-50.0, 1.0, 3.0])
    >>> [round(float(largest_eigenvalue(bowl, bowl.x0, method=m).value), 6) for m in ("lanczos", "power")]
    [3.0, 3.0]
    """
    most = {"lanczos": 100, "power": 1000}[checks.one_of("method", method, ("lanczos", "power"))]
    iterations = most if iterations is None else iterations
    if method == "lanczos":
        return ritz_pair(problem, x, krylov(problem, x, iterations, seed, tolerance, ends=[-1]), -1)
    return power_iteration(problem, x, iterations, seed, tolerance)


def power_iteration(problem, x, iterations, seed, tolerance):
    """`largest_eigenvalue` by power iteration."""
    x, iterations = inputs(problem, x, iterations, tolerance)
    v, shift = beginning(x, seed), 0.0
    for products in range(1, iterations + 1):
        pair, moved = measured(problem, x, v, products)
        shift = np.maximum(shift, length(moved))
        settled = pair.residual[..., None] <= tolerance * shift
        if products == iterations or settled.all():
            break
        with np.errstate(invalid="ignore"):  # 0 / 0 only in lanes that have settled
            v = np.where(settled, v, unit(moved + shift * v))
    return pair


def lanczos(problem, x, *, iterations=100, seed=0, tolerance=1e-6):
    """Smallest and largest eigenvalue of the Hessian at x, from few products with it.

    Each product adds a direction, made perpendicular to all before it (twice, so that rounding leaves no copies of
    an eigenvalue). The Ritz values are the eigenvalues of H within the span of these directions.

    Parameters
    ----------
    problem, x, seed
        As in `largest_eigenvalue`.
    iterations : int
        At most so many directions; never more than d.
    tolerance : float
        Stop when the residuals of both ends are below this share of the largest magnitude, in every lane.

    Returns
    -------
    Extremes
        Not converged if `iterations` came first; the residuals tell. An eigenvalue that occurs more than once appears
        once among the Ritz values unless all d directions were needed.

    Raises
    ------
    ValueError
        As in `largest_eigenvalue`.

    Examples
    --------
    >>> import numpy as np
    >>> from lrlib import Quadratic
    >>> ends = lanczos(Quadratic(np.linspace(-2, 2, 501) ** 3), np.zeros(501))
    >>> float(ends.smallest.value.round(9)), float(ends.largest.value.round(9)), ends.largest.iterations < 100
    (-8.0, 8.0, True)
    """
    space = krylov(problem, x, iterations, seed, tolerance, ends=[0, -1])
    return Extremes(ritz_pair(problem, x, space, 0), ritz_pair(problem, x, space, -1), space[1])


def krylov(problem, x, iterations, seed, tolerance, ends):
    """An orthonormal basis (..., k, d), the Ritz values (..., k) and their vectors in it (..., k, k), as columns.

    It stops when the Ritz values at `ends` (0 the smallest, -1 the largest) have settled in every lane.
    """
    x, iterations = inputs(problem, x, iterations, tolerance)
    d = x.shape[-1]
    iterations = min(iterations, d)
    basis, inside = np.empty((*x.shape[:-1], iterations, d)), np.zeros((*x.shape[:-1], iterations, iterations))
    v = beginning(x, seed)
    fresh = np.random.default_rng([seed, 1])
    for k in range(iterations):
        basis[..., k, :] = v
        moved, so_far = hessian_vector_product(problem, x, v), basis[..., : k + 1, :]
        inside[..., k, k] = (v * moved).sum(-1)
        rest = without(without(moved, so_far), so_far)
        step = length(rest)[..., 0]
        values, mixtures = np.linalg.eigh(inside[..., : k + 1, : k + 1])
        scale = np.abs(values).max(-1)
        # What H moves a Ritz vector out of the span by is the residual: the last component times the next step.
        residuals = step[..., None] * np.abs(mixtures[..., -1, ends])
        if k + 1 == iterations or (residuals < tolerance * scale[..., None]).all():
            break
        # Where H maps the span into itself, nothing new comes of it: go on in a direction outside.
        closed = step <= 1e-12 * scale
        other = np.broadcast_to(fresh.standard_normal(d), rest.shape)
        rest = np.where(closed[..., None], without(without(other, so_far), so_far), rest)
        inside[..., k, k + 1] = inside[..., k + 1, k] = step
        v = unit(rest)
    return so_far, values, mixtures


def ritz_pair(problem, x, space, end):
    """The Ritz value at one end, measured by a further product with H rather than trusted."""
    basis, _, mixtures = space
    v = (mixtures[..., None, :, end] @ basis)[..., 0, :]
    return measured(problem, x, unit(v), basis.shape[-2])[0]


def negative_curvature_count(problem, x, *, iterations=None, seed=0, tolerance=1e-8):
    """How many eigenvalues of the Hessian at x are negative: the index of a saddle.

    Parameters
    ----------
    problem, x, seed
        As in `largest_eigenvalue`.
    iterations : int, optional
        By default the count is exact and takes the whole Hessian: d products, memory d², time d³. With a number it is
        the count among the Ritz values of so many Lanczos steps, which is a lower bound (Cauchy's interlacing), and
        exact from d steps on.
    tolerance : float
        An eigenvalue counts as negative below minus this share of the largest magnitude (of the Ritz values, when
        `iterations` is given): rounding gives zeros a sign.

    Returns
    -------
    array of int, shape (...)

    Raises
    ------
    ValueError
        As in `largest_eigenvalue`.

    Examples
    --------
    >>> from lrlib import Beale
    >>> negative_curvature_count(Beale(), Beale().saddles).tolist()
    [1, 1]
    """
    x, _ = inputs(problem, x, 1, tolerance)
    if iterations is not None:
        # No early stop, hence 0: the ends settle long before the count does.
        _, values, _ = krylov(problem, x, iterations, seed, 0.0, ends=[0, -1])
    elif hasattr(problem, "hessian"):
        values = np.linalg.eigvalsh(problem.hessian(x))
    else:
        columns = [hessian_vector_product(problem, x, column) for column in np.eye(x.shape[-1])]
        values = np.linalg.eigvalsh(np.stack(columns, axis=-1))
    return (values < -tolerance * np.abs(values).max(-1, keepdims=True)).sum(-1)


def measured(problem, x, v, products):
    """The pair that a unit vector makes with its Rayleigh quotient, and H v."""
    moved = hessian_vector_product(problem, x, v)
    value = (v * moved).sum(-1)
    return Eigenpair(value, v, length(moved - value[..., None] * v)[..., 0], products), moved


def inputs(problem, x, iterations, tolerance):
    """The point and the number of iterations, checked with the tolerance."""
    checks.not_negative("tolerance", tolerance)
    return points("x", x, problem.dim), checks.whole("iterations", iterations, least=1)


def beginning(x, seed):
    """A random unit vector, the same in every lane of x."""
    v = np.random.default_rng(checks.whole("seed", seed, least=0)).standard_normal(x.shape[-1])
    return np.broadcast_to(unit(v), x.shape)


def without(v, basis):
    """`v` (..., d) less its part in the span of the orthonormal rows of `basis` (..., k, d)."""
    return v - ((basis @ v[..., None]) * basis).sum(-2)


def unit(v):
    """`v` as a vector of length 1."""
    return v / length(v)


def length(v):
    """|v|, with the axis kept."""
    return np.linalg.norm(v, axis=-1, keepdims=True)
