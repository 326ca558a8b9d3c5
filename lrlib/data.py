"""Real data that ships with a package: scikit-learn's handwritten digits."""

from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True, eq=False)
class Digits:
    """1,797 images of 8 x 8 pixels in [0, 1], as rows of 64, with their labels 0 to 9, split once and for all."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


@cache
def digits():
    """The digits, four fifths of them for training: 1,437 and 360 images, shuffled with a fixed seed.

    Raises
    ------
    ImportError
        If scikit-learn, which carries the images, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError("the digits come with scikit-learn: pip install scikit-learn") from None
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels, n = images[order] / 16, labels[order], 1437
    return Digits(images[:n], labels[:n], images[n:], labels[n:])
