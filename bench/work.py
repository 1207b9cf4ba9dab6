"""What a workload says about itself, and what every peer is given: the same weights and the same data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy


class Missing(Exception):
    """This peer cannot do this workload; the message says why, and is printed beside the '-'."""


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: of the row.
        kind: 'train', 'forward', 'op' or 'process'.
        sizes: whatever the workload's file needs to know.
        loss: 'cross_entropy' (class numbers) or 'l2', for kind 'train'.
        optimizer, rate: for kind 'train'.
        goal: what the row shall reach, in words.
    """

    name: str
    kind: str
    sizes: dict = field(default_factory=dict)
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    rate: float = 0.01
    goal: str = ""


def draw(shapes, seed: int = 0) -> list[numpy.ndarray]:
    """Weights for `shapes`, in Gluon's order of parameters.

    Each entry is a shape, or a pair of a shape and a mean. Tensors of two and more axes are normal with variance
    2 / fan-in, vectors normal around their mean with deviation 0.1.
    """
    random = numpy.random.RandomState(seed)  # the one generator whose stream is the same in every NumPy
    found = []
    for entry in shapes:
        shape, mean = entry if isinstance(entry[0], tuple) else (entry, 0.0)
        scale = 0.1 if len(shape) == 1 else (2.0 / numpy.prod(shape[1:])) ** 0.5
        found.append((random.standard_normal(shape) * scale + mean).astype("float32"))
    return found


def normal(shape, seed: int = 1) -> numpy.ndarray:
    """Input values: standard normal, float32."""
    return numpy.random.RandomState(seed).standard_normal(shape).astype("float32")


def classes(count: int, shape, seed: int = 2) -> numpy.ndarray:
    """Class numbers below `count`, int32."""
    return numpy.random.RandomState(seed).randint(0, count, shape).astype("int32")
