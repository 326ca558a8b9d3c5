"""Clipping: gradients cut to a limit, before a rule sees them."""

from lrlib import checks
from lrlib.optimizers.optimizer import namespace, norm, ratio


def clip_by_value(g, limit):
    """Every entry of a gradient, cut to [-limit, limit]; this may change its direction.

    Parameters
    ----------
    g : array of shape (..., d)
        The gradient: NumPy, JAX or torch.
    limit : float or array
        In units of the gradient; positive, possibly infinite. Lanes have shape (lanes, 1).

    Returns
    -------
    array of shape (..., d)

    Raises
    ------
    TypeError, ValueError
        If `limit` is not a number or an array, or not positive.

    Notes
    -----
    Equal to ``torch.nn.utils.clip_grad_value_`` and ``optax.clip``.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_value(np.array([3.0, -0.5]), 1.0).tolist()
    [1.0, -0.5]
    """
    limit = checked(limit)
    return namespace(g).clip(g, -limit, limit)


def clip_by_norm(g, limit):
    """A gradient no longer than `limit`, its direction kept.

    The norm is taken over the last axis; the axes before are lanes. For a network's vector x, that is the norm of all
    parameters together, which torch calls the gradient norm: ``minimize(..., clip=lambda g: clip_by_norm(g, 1.0))``.

    Parameters
    ----------
    g : array of shape (..., d)
        The gradient: NumPy, JAX or torch.
    limit : float or array
        Largest length, in units of the gradient; positive, possibly infinite. Lanes have shape (lanes, 1).

    Returns
    -------
    array of shape (..., d)

    Raises
    ------
    TypeError, ValueError
        If `limit` is not a number or an array, or not positive.

    Notes
    -----
    Source: Pascanu, Mikolov & Bengio (2013). Equal to ``optax.clip_by_global_norm``; torch's ``clip_grad_norm_`` adds
    1e-6 to the norm. A norm that overflows makes the gradient 0, there and here.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_norm(np.array([3.0, 4.0]), 2.5).tolist()
    [1.5, 2.0]
    """
    return g * namespace(g).clip(ratio(checked(limit), norm(g)), None, 1.0)


def clip_by_global_norm(gradients, limit):
    """Several gradients, scaled by one factor so that together they are no longer than `limit`.

    What `clip_by_norm` does to one vector of all parameters, for parameters that are held as separate arrays. There are
    no lanes: the norm is taken over all entries of all arrays.

    Parameters
    ----------
    gradients : sequence of arrays
        Of any shapes.
    limit : float
        Largest length of all together; positive, possibly infinite.

    Returns
    -------
    list of arrays
        Shaped as the gradients.

    Raises
    ------
    TypeError, ValueError
        If `limit` is not a number, or not positive.

    Examples
    --------
    >>> import numpy as np
    >>> [g.tolist() for g in clip_by_global_norm([np.array([[3.0]]), np.array([4.0])], 2.5)]
    [[[1.5]], [2.0]]
    """
    gradients, limit = list(gradients), checked(limit)
    length = sum(namespace(g).sum(g * g) for g in gradients) ** 0.5
    return [g * namespace(g).clip(ratio(limit, length), None, 1.0) for g in gradients]


def checked(limit):
    """Return `limit` if it is positive."""
    return checks.check("limit", limit, "be positive", lambda v: v > 0)
