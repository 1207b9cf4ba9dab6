"""What the checks of this package have found in numblocks, kept as it was drawn."""

import numpy
import pytest

from numblocks.op import REGISTRY
from numblocks.testing import check_gradients, check_hybrid, check_training
from numblocks.testing.layers import Tree
from numblocks.testing.programs import Program, check_program
from numblocks.testing.training import Training

BODY = ("Sequential", [("Dropout", {"rate": 0.25}), ("BatchNorm", {"momentum": 0.5, "epsilon": 0.01})])


@pytest.mark.parametrize("shape", [(2, 2, 2), (4, 3, 5), (3, 2, 4, 4)])
def test_dropout_before_a_reduction_on_both_sides(shape):
    """The mask was counted in the order of the loop over (channels, batch, space), not in the array's."""
    tree = Tree(("Sequential", [("Residual", BODY)]), shape, dtype="float64")
    check_hybrid(tree.net(), tree.input())
    check_training(Training(tree, "adam", ("step",), True))


def test_two_estimates_that_agree_by_chance():
    """Of a scan's second derivative, differences from a step of 1/32 are 70 times further off than they say."""
    xs = [
        numpy.array([[[1.8379890549449724, 2.913139837055552, 1.0943984488092644],
                      [1.325313040956142, -2.5313160410867415, -1.146646313827518],
                      [0.3703890945017161, 2.8004693862947505, -1.660773163353274]],
                     [[-0.9012573074930987, -1.8639599664862305, -2.659739256610085],
                      [-1.0502593640648608, -1.3298068884123186, -1.1267723411128492],
                      [-2.987900478135776, -2.812359955716934, -1.6334289974749598]]]),
        numpy.array([[2.219976214896448], [2.509404504797171]]),
        numpy.array([[1.4382009728943679], [2.348958853082708], [-0.6455871670304378]]),
        numpy.array([2.43178426995231, -0.8881573413888879, -1.934623560929211, -0.19832195]),
    ]  # fmt: skip
    check_gradients(lambda *xs: REGISTRY["gru_scan"](*xs, axis=1, reverse=True), *xs, order=2)


def test_a_matrix_of_one_element_plus_itself_with_another_axis():
    steps = (("along", "insert", (0,), {"axis": 0}), ("binary", "add", (1, 0), {}), ("unary", "exp", (2,), {}))
    check_program(Program(steps, (3,), ((1, 1),), 0))
