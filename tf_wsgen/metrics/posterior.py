"""How well a set of hypotheses stands for the posterior: proper scores and calibration, per row.

Hypotheses and targets are root-centred poses in the camera frame, in one unit; scores are in that unit.
"""

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tf_wsgen.numerics import safe_divide, safe_norm

# Quantiles at which calibration is read.
QUANTILES = np.linspace(0.0, 1.0, 21).astype(np.float32)
# Central intervals whose coverage is reported, and parts of a rank histogram.
INTERVALS, RANK_BINS = (0.5, 0.8, 0.95), 20


def energy_score(samples: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The fair energy score 1/N Σ‖h − y‖ − 1/(2N(N−1)) ΣΣ‖h − h′‖ (Gneiting and Raftery 2007; Ferro 2014).

    It is a strictly proper score: the expected value is smallest for samples of the true distribution,
    whatever their number. With one sample it is the distance to it.

    Args:
        samples: (A1..An, N, D).
        target: (A1..An, D).

    Returns:
        (A1..An).
    """
    # Samples last: sums over a few coordinates are slow where these are.
    samples = tf.linalg.matrix_transpose(samples)
    count = tf.shape(samples)[-1]
    distance = tf.reduce_mean(safe_norm(samples - target[..., None], axis=-2), axis=-1)

    def distances_to(shift):
        # Sample n with sample n + shift: every pair is met, without N² poses in memory at once.
        return tf.reduce_sum(safe_norm(samples - tf.roll(samples, shift, axis=-1), axis=-2), axis=-1)

    # Shifts s and N − s meet the same pairs.
    once = tf.foldl(
        lambda total, shift: total + distances_to(shift),
        tf.range(1, (count + 1) // 2),
        tf.zeros_like(distance),
        parallel_iterations=1,
    )
    half = tf.cond(count % 2 == 0, lambda: distances_to(count // 2), lambda: tf.zeros_like(distance))
    pairs = tf.cast(count * (count - 1), samples.dtype)
    return distance - 0.5 * safe_divide(2.0 * once + half, pairs)


def crps(samples: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The fair continuous ranked probability score: the energy score of numbers.

    Σ_ij |h_i − h_j| is 2 Σ_i (2i − N + 1) h_(i) over the sorted samples, i from 0.

    Args:
        samples: (A1..An, N).
        target: (A1..An).

    Returns:
        (A1..An).
    """
    count = tf.cast(tf.shape(samples)[-1], samples.dtype)
    distance = tf.reduce_mean(tf.abs(samples - target[..., None]), axis=-1)
    rank = 2.0 * tf.range(count, dtype=samples.dtype) - count + 1.0
    spread = 2.0 * tf.reduce_sum(rank * tf.sort(samples, axis=-1), axis=-1)
    return distance - 0.5 * safe_divide(spread, count * (count - 1.0))


def within_quantiles(hypotheses: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Whether the truth is nearer to the hypotheses' median than their q-quantile is.

    Per joint, m is the coordinate-wise median of the hypotheses, e = ‖m − h‖ and e* = ‖m − y‖.

    Args:
        hypotheses: (A1..An, N, J, 3).
        target: (A1..An, J, 3).

    Returns:
        (A1..An, Q, J) float, 1 where quantile_q(e) > e*, for each q of `QUANTILES`.
    """
    median = tfp.stats.percentile(hypotheses, 50.0, axis=-3, interpolation="midpoint")
    deviation = safe_norm(hypotheses - median[..., None, :, :])
    quantiles = tfp.stats.percentile(deviation, 100.0 * QUANTILES, axis=-2, interpolation="linear")
    # The quantiles come first; they belong before the joints.
    rank = quantiles.shape.rank
    quantiles = tf.transpose(quantiles, [*range(1, rank - 1), 0, rank - 1])
    return tf.cast(quantiles > safe_norm(median - target)[..., None, :], hypotheses.dtype)


def rank_counts(ranks: np.ndarray, count: int) -> dict:
    """What the ranks of truths among hypotheses tell: uniform on 0..N where both are of one distribution.

    A rank r of N hypotheses stands for the share u = (r + ½) / (N + 1). Talts et al. 2018.

    Args:
        ranks: (R,) integers, how many of the hypotheses are below the truth.
        count: N.

    Returns:
        `ranks`: counts in `RANK_BINS` equal parts of (0, 1), each as a share of what is expected there;
        `coverage` of the central intervals `INTERVALS`; `calibration_error`: mean |P(|2u − 1| ≤ q) − q| over
        `QUANTILES`.

    Example:
        >>> rank_counts(np.arange(100), 99)["coverage"]["50"]
        0.5
    """
    share = (np.arange(count + 1) + 0.5) / (count + 1)
    found = np.bincount(ranks, minlength=count + 1) / len(ranks)
    part = (share * RANK_BINS).astype(int)
    expected = np.bincount(part, minlength=RANK_BINS) / (count + 1)
    apart = np.abs(2.0 * share - 1.0)
    within = [found[apart <= q].sum() for q in QUANTILES.tolist()]
    return {
        "ranks": (np.bincount(part, found, RANK_BINS) / np.maximum(expected, 1e-12)).tolist(),
        "coverage": {f"{q:.0%}".rstrip("%"): float(found[apart <= q].sum()) for q in INTERVALS},
        "calibration_error": float(np.mean(np.abs(within - QUANTILES))),
    }


def calibration_error(frequency: np.ndarray) -> tuple[float, np.ndarray]:
    """Expected calibration error mean_q |median_j freq_j(q) − q|, and the curve median_j freq_j(q).

    A curve below the diagonal is over-confident: the truth lies outside of what the hypotheses span.

    Args:
        frequency: (Q, J) share of rows within each quantile, the root left out.
    """
    curve = np.median(frequency, axis=1)
    return float(np.mean(np.abs(curve - QUANTILES))), curve


def joint_spread(hypotheses: tf.Tensor) -> tf.Tensor:
    """Root-mean-square distance of each joint's hypotheses from their mean: (A1..An, N, J, 3) to (A1..An, J)."""
    return tf.sqrt(tf.reduce_sum(tf.math.reduce_variance(hypotheses, axis=-3), axis=-1))


def depth_share(hypotheses: tf.Tensor) -> tf.Tensor:
    """The share of the hypotheses' variance that lies along the camera's axis: (A1..An, N, J, 3) to (A1..An)."""
    variance = tf.reduce_sum(tf.math.reduce_variance(hypotheses, axis=-3), axis=-2)
    return safe_divide(variance[..., 2], tf.reduce_sum(variance, axis=-1))


def bone_lengths(pose_3d: tf.Tensor, bones: tuple[tuple[int, int], ...]) -> tf.Tensor:
    """Lengths ‖y_first − y_second‖ of bones: (A1..An, J, 3) to (A1..An, K)."""
    first, second = zip(*bones, strict=True)
    return safe_norm(tf.gather(pose_3d, first, axis=-2) - tf.gather(pose_3d, second, axis=-2))


def bone_length_error(pose_3d: tf.Tensor, target: tf.Tensor, bones: tuple[tuple[int, int], ...]) -> tf.Tensor:
    """Mean over bones of |length − true length|: (A1..An, J, 3) twice to (A1..An)."""
    return tf.reduce_mean(tf.abs(bone_lengths(pose_3d, bones) - bone_lengths(target, bones)), axis=-1)


def symmetry_error(
    pose_3d: tf.Tensor, bones: tuple[tuple[int, int], ...], symmetric: tuple[tuple[int, int], ...]
) -> tf.Tensor:
    """Mean over pairs of |left length − right length|: (A1..An, J, 3) to (A1..An).

    Args:
        pose_3d: The poses.
        bones: Pairs of joint indices.
        symmetric: Pairs of indices into `bones`.
    """
    lengths = bone_lengths(pose_3d, bones)
    left, right = zip(*symmetric, strict=True)
    return tf.reduce_mean(tf.abs(tf.gather(lengths, left, axis=-1) - tf.gather(lengths, right, axis=-1)), axis=-1)
