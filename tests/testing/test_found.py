"""What the checks of this package have found in numblocks, kept as it was drawn."""

import pytest

from numblocks.testing import check_hybrid, check_training
from numblocks.testing.layers import Tree
from numblocks.testing.training import Training

BODY = ("Sequential", [("Dropout", {"rate": 0.25}), ("BatchNorm", {"momentum": 0.5, "epsilon": 0.01})])


@pytest.mark.parametrize("shape", [(2, 2, 2), (4, 3, 5), (3, 2, 4, 4)])
def test_dropout_before_a_reduction_on_both_sides(shape):
    """The mask was counted in the order of the loop over (channels, batch, space), not in the array's."""
    tree = Tree(("Sequential", [("Residual", BODY)]), shape, dtype="float64")
    check_hybrid(tree.net(), tree.input())
    check_training(Training(tree, "adam", ("step",), True))
