"""The mode of a set of hypotheses by mean-shift with a Gaussian kernel (Eq. 11), all poses at once."""

from typing import NamedTuple

import tensorflow as tf

from tf_wsgen.numerics import pairwise_squared_distance

# Hypotheses closer than this (metres) are one.
SMALLEST_BANDWIDTH = 1e-4
# The climb ends when no mode moves further than this (metres), or after so many steps.
SMALLEST_STEP = 1e-5
MOST_STEPS = 200


class Mode(NamedTuple):
    """The chosen mode (B, J, 3), its log-density up to a constant (B,), and the bandwidth (B,)."""

    pose_3d: tf.Tensor
    log_density: tf.Tensor
    bandwidth: tf.Tensor


def default_bandwidth(hypotheses: tf.Tensor) -> tf.Tensor:
    """The lower quartile of distances between hypotheses of a pose: (B, N, J, 3) to (B,).

    It is a distance within a mode even where two modes share the hypotheses equally; the median would be the
    distance between them. A narrower kernel makes a mode of every few hypotheses, and its highest an accident of
    the codes drawn.
    """
    flat = _flatten(hypotheses - tf.reduce_mean(hypotheses, axis=1, keepdims=True))
    count = tf.shape(flat)[1]
    squared = tf.reshape(pairwise_squared_distance(flat, flat), [tf.shape(flat)[0], count * count])
    # Each pair stands there twice, after the N distances of hypotheses to themselves.
    pairs = count * (count - 1) // 2
    quartile = tf.where(pairs > 0, count + 2 * ((pairs - 1) // 4), 0)
    return tf.maximum(tf.sqrt(tf.sort(squared, axis=-1)[:, quartile]), SMALLEST_BANDWIDTH)


def log_density(points: tf.Tensor, hypotheses: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """log Σ_i exp(−‖p − h_i‖²/2w²), the kernel density of Eq. 11 up to a constant.

    Args:
        points: (B, P, J, 3).
        hypotheses: (B, N, J, 3).
        bandwidth: (B,) w.

    Returns:
        (B, P).
    """
    centre = tf.reduce_mean(hypotheses, axis=1, keepdims=True)
    squared = pairwise_squared_distance(_flatten(points - centre), _flatten(hypotheses - centre))
    return tf.reduce_logsumexp(-squared / (2.0 * tf.square(bandwidth)[:, None, None]), axis=-1)


def mean_shift(hypotheses: tf.Tensor, bandwidth: tf.Tensor | float | None = None) -> Mode:
    """The highest mode of the hypotheses' kernel density, climbed to from every hypothesis.

    m ← Σ_i k_i h_i / Σ_i k_i, k_i = exp(−‖m − h_i‖²/2w²). A step never lowers the density, so the
    mode's is at least that of the densest hypothesis; where rounding says otherwise that hypothesis
    itself is returned.

    Args:
        hypotheses: (B, N, J, 3), N ≥ 1, metres.
        bandwidth: w in metres, a scalar or (B,); None takes `default_bandwidth`.
    """
    width = default_bandwidth(hypotheses) if bandwidth is None else tf.convert_to_tensor(bandwidth, hypotheses.dtype)
    width = tf.broadcast_to(width, tf.shape(hypotheses)[:1])
    # Centred, so that squared distances lose nothing to cancellation.
    centre = tf.reduce_mean(hypotheses, axis=1, keepdims=True)
    samples = _flatten(hypotheses - centre)
    precision = 1.0 / (2.0 * tf.square(width)[:, None, None])
    # −‖m − h‖²/2w² up to −‖m‖²/2w², which all h share and the normalised kernel does not see.
    bias = -tf.reduce_sum(tf.square(samples), axis=-1)[:, None] * precision

    def climb(modes, climbing, step):
        # Each pose stops for itself, so that its mode doesn't depend on the batch it came in.
        before, towards = tf.gather(modes, climbing), tf.gather(samples, climbing)
        alike = tf.matmul(before * (2.0 * tf.gather(precision, climbing)), towards, transpose_b=True)
        moved = tf.matmul(tf.nn.softmax(alike + tf.gather(bias, climbing), axis=-1), towards)
        largest = tf.reduce_max(tf.reduce_sum(tf.square(moved - before), axis=-1), axis=-1)
        modes = tf.tensor_scatter_nd_update(modes, climbing[:, None], moved)
        return modes, tf.boolean_mask(climbing, largest > SMALLEST_STEP**2), step + 1

    def goes_on(_, climbing, step):
        return (tf.size(climbing) > 0) & (step < MOST_STEPS)

    start = (samples, tf.range(tf.shape(samples)[0]), tf.constant(0))
    shapes = (samples.shape, tf.TensorShape([None]), tf.TensorShape([]))
    modes, _, _ = tf.while_loop(goes_on, climb, start, shapes)
    candidates = tf.concat([hypotheses, tf.reshape(modes, tf.shape(hypotheses)) + centre], axis=1)
    density = log_density(candidates, hypotheses, width)
    best = tf.argmax(density, axis=1)
    return Mode(tf.gather(candidates, best, batch_dims=1), tf.gather(density, best, batch_dims=1), width)


def _flatten(poses: tf.Tensor) -> tf.Tensor:
    return tf.reshape(poses, [tf.shape(poses)[0], tf.shape(poses)[1], poses.shape[-2] * poses.shape[-1]])
