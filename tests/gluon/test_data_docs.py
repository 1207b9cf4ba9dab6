"""The examples in the documentation of data, metrics and optimizers are true."""

import doctest
import importlib
import pkgutil

import numpy
import pytest

import numblocks
from numblocks.gluon import data
from numblocks.gluon.data.vision import transforms

PACKAGES = (data, numblocks.metric, numblocks.optimizer)
MODULES = ["numblocks.recordio", "numblocks.formats.picture", "numblocks.gluon.download", "numblocks.gluon.utils"]
MODULES += [m.name for p in PACKAGES for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    if name.endswith("picture"):
        pytest.importorskip("PIL")
    module = importlib.import_module(name)
    names = {"np": numblocks.np, "numpy": numpy, **vars(transforms), **vars(module)}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, globs=names):
        runner.run(example)
    assert runner.failures == 0
