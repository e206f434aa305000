"""Radii that hold a joint with a stated probability: split conformal prediction, scaled by the hypotheses' spread.

With scores s = e / max(spread, `LEAST_SPREAD`) of held-out poses, e a joint's distance from the chosen pose's, the
radius q · max(spread, `LEAST_SPREAD`) holds a new pose's joint with probability p where q is the ⌈(n + 1) p⌉-th
smallest of n scores (Vovk et al. 2005; Lei et al. 2018). It is a property of the population that was held out.
"""

import numpy as np

# Probabilities, and numbers of hypotheses for which q is kept; a spread of few hypotheses says less.
LEVELS = (0.5, 0.9)
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200)
# Millimetres.
LEAST_SPREAD = 5.0


def spread_of(hypotheses: np.ndarray) -> np.ndarray:
    """(…, N, J, 3) to (…, J): root-mean-square distance from the hypotheses' mean (divisor N)."""
    return np.sqrt(hypotheses.var(axis=-3).sum(axis=-1))


def conformal_factors(error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """q of each level and joint.

    Args:
        error: (n, J) mm.
        spread: (n, J) mm.

    Returns:
        (`LEVELS`, J).

    Example:
        >>> error = np.arange(1.0, 100.0)[:, None]
        >>> conformal_factors(error, np.full_like(error, 10.0)).tolist()
        [[5.0], [9.0]]
    """
    scores = np.sort(error / np.maximum(spread, LEAST_SPREAD), axis=0)
    places = [min(int(np.ceil((len(scores) + 1) * level)), len(scores)) - 1 for level in LEVELS]
    return scores[places]


def conformal_radius(spread: np.ndarray, count: int, factors: np.ndarray) -> np.ndarray:
    """Radii of joints.

    Args:
        spread: (…, J) mm, of `count` hypotheses.
        count: N; between `COUNTS`, factors are linear in log N.
        factors: (`COUNTS`, `LEVELS`, J), of `conformal_factors`.

    Returns:
        (…, J, `LEVELS`) mm.
    """
    known = np.log(COUNTS)
    place = np.interp(np.log(count), known, np.arange(len(known)))
    low, high = int(np.floor(place)), int(np.ceil(place))
    factor = factors[low] + (place - low) * (factors[high] - factors[low])
    return np.maximum(spread, LEAST_SPREAD)[..., None] * factor.T
