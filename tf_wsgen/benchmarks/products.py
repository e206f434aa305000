"""The matrix products of a traced function: counted, and run alone as the limit of how fast it can be."""

import collections
import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

# How each operation calls its arguments' transposition.
PRODUCTS = {
    "MatMul": ("transpose_a", "transpose_b"),
    "BatchMatMul": ("adj_x", "adj_y"),
    "BatchMatMulV2": ("adj_x", "adj_y"),
}


class Product(NamedTuple):
    """op(A) op(B): shapes of A and B as they lie in memory, and whether each is transposed."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    transpose_left: bool
    transpose_right: bool

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        rows, inner = self.left[-2:][:: -1 if self.transpose_left else 1]
        columns = self.right[-2 if self.transpose_right else -1]
        batch = math.prod(tf.broadcast_static_shape(*map(tf.TensorShape, (self.left[:-2], self.right[:-2]))).as_list())
        return 2 * batch * rows * inner * columns


def matrix_products(function) -> collections.Counter:
    """How often each `Product` is in a concrete function, those left out that nothing needs.

    Args:
        function: A concrete function whose shapes are all known.
    """
    counts = collections.Counter()
    for operation in _needed(function.graph):
        if operation.type in PRODUCTS:
            left, right = (tuple(tensor.shape.as_list()) for tensor in operation.inputs)
            counts[Product(left, right, *(operation.get_attr(name) for name in PRODUCTS[operation.type]))] += 1
    return counts


def run_products(counts: collections.Counter, jit_compile: bool, dtype: str = "float32") -> Callable[[], object]:
    """A call that does these products and nothing else, each of numbers of its own."""
    pairs = [
        (product, *(tf.cast(tf.random.normal(shape, stddev=0.1), dtype) for shape in (product.left, product.right)))
        for product, count in counts.items()
        for _ in range(count)
    ]

    @tf.function(jit_compile=jit_compile, autograph=False)
    def products(operands):
        return [
            tf.matmul(left, right, transpose_a=product.transpose_left, transpose_b=product.transpose_right)
            for (product, _, _), (left, right) in zip(pairs, operands, strict=True)
        ]

    operands = [(left, right) for _, left, right in pairs]
    return lambda: products(operands)[-1].numpy()


def _needed(graph) -> list:
    """Operations that an output or a side effect of the graph depends on."""
    found, waiting = {}, [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation.name not in found:
            found[operation.name] = operation
            waiting += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
    return list(found.values())
