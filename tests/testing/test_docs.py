"""The examples in the docstrings of numblocks.testing and numblocks.custom give what they say."""

import doctest
import importlib
import math
import pkgutil
import warnings

import pytest

import numblocks.custom
import numblocks.testing

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
MODULES = [
    name
    for package in (numblocks.testing, numblocks.custom)
    for name in [package.__name__, *(f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__))]
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # .example() outside a session
        found = doctest.testmod(importlib.import_module(name), extraglobs={"math": math}, optionflags=FLAGS)
    assert not found.failed
