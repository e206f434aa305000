"""Rows through a TensorFlow function, some at a time."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def in_batches(function: Callable, arrays: tuple, size: int, progress: Callable[[int], None] | None = None):
    """What a function gives for every row, called with `size` rows at a time.

    Args:
        function: Takes slices of the arrays, gives a structure of tensors with a row for each.
        arrays: (R, …) each, or None, which is handed on.
        size: Rows a call.
        progress: Called with the number of rows after each call.

    Returns:
        The function's structure, of NumPy arrays (R, …).

    Example:
        >>> in_batches(lambda x, _: {"double": 2 * x}, (np.arange(5), None), 2)
        {'double': array([0, 2, 4, 6, 8])}
    """
    parts = []
    for start in range(0, len(arrays[0]), size):
        chosen = slice(start, start + size)
        batch = [None if values is None else values[chosen] for values in arrays]
        parts.append(tf.nest.map_structure(np.asarray, function(*batch)))
        if progress:
            progress(len(batch[0]))
    return tf.nest.map_structure(lambda *values: np.concatenate(values), *parts)
