"""The examples in gluon's docstrings run, and every public class has one."""

import doctest
import importlib
import pkgutil

import pytest

import numblocks
from numblocks import gluon
from numblocks.gluon import loss, nn

MODULES = ["numblocks.gluon." + m.name.removeprefix("numblocks.gluon.") for m in
           pkgutil.walk_packages(gluon.__path__, "numblocks.gluon.") if ".data" not in m.name]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    names = {n: getattr(numblocks, n) for n in ("np", "npx", "autograd", "init", "gluon")}
    names = {**vars(nn), "Trainer": gluon.Trainer, "nn": nn, **vars(module), **names}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, globs=names):
        with gluon.naming.NameManager():
            runner.run(example)
    assert runner.failures == 0


def test_every_public_class_has_an_example():
    classes = [getattr(nn, n) for n in nn.__all__]
    classes += [getattr(loss, n) for n in loss.__all__]
    classes += [
        gluon.Block,
        gluon.HybridBlock,
        gluon.Parameter,
        gluon.Constant,
        gluon.ParameterDict,
        gluon.Trainer,
    ]
    assert [c.__name__ for c in classes if ">>>" not in (c.__doc__ or "")] == []
