"""The examples in the documentation of `numblocks.image` and `numblocks.io` are true, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import numpy
import pytest

import numblocks
from numblocks import image, io
from numblocks.npx import colours, interpolate, rotation

MODULES = [m.name for p in (image, io) for m in pkgutil.iter_modules(p.__path__, p.__name__ + ".")]
MODULES += [m.__name__ for m in (colours, interpolate, rotation)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if name.endswith(".read"):
        pytest.importorskip("PIL")
    module = importlib.import_module(name)
    names = {"numpy": numpy, **vars(image), **vars(module), "np": numblocks.np}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, globs=names):
        runner.run(example)
    assert runner.failures == 0


def test_every_public_name_has_an_example():
    found = [x for p in (image, io) for x in vars(p).values() if inspect.isclass(x) or inspect.isfunction(x)]
    assert len(found) > 40
    assert [x.__name__ for x in found if not x.__name__.startswith("_") and ">>>" not in (x.__doc__ or "")] == []
