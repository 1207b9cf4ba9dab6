"""Writes the lists of names and signatures.json: run it with MXNet 1.9.1 (`python tests/coverage/walk.py`).

Public names that MXNet defines in a namespace itself (what it merely imports there is left out), or a class's public
members, inherited ones included. States of names that are listed already are kept; new names are listed as absent
without a reason, which the test refuses until `table.py --refresh` finds them or somebody writes the reason.
"""

import importlib
import inspect
import json
import types
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = (
    "gluon gluon.nn gluon.rnn gluon.loss gluon.data gluon.data.vision gluon.data.vision.transforms gluon.utils"
    " gluon.contrib gluon.contrib.nn gluon.contrib.rnn gluon.contrib.cnn gluon.contrib.data gluon.contrib.data.text"
    " gluon.contrib.estimator gluon.model_zoo gluon.model_zoo.vision gluon.model_zoo.model_store init optimizer"
    " lr_scheduler metric image io recordio contrib.text.vocab contrib.text.embedding contrib.text.utils util"
    " operator kvstore profiler runtime engine name attribute visualization context"
)
ARRAYS = "np np.linalg np.random npx npx.random npx.image"  # functions of arrays: only signatures are taken from here
CLASSES = (
    "gluon.Block gluon.HybridBlock gluon.SymbolBlock gluon.Parameter gluon.Constant gluon.ParameterDict gluon.Trainer"
    " gluon.data.Dataset gluon.data.DataLoader gluon.rnn.RecurrentCell gluon.contrib.estimator.Estimator"
    " optimizer.Optimizer optimizer.Updater metric.EvalMetric image.ImageIter image.ImageDetIter io.DataIter"
    " io.NDArrayIter io.DataDesc recordio.MXRecordIO recordio.MXIndexedRecordIO contrib.text.vocab.Vocabulary"
    " contrib.text.embedding.CustomEmbedding"
)
HOMES = {"init": "mxnet.initializer"}  # where a namespace's own things are defined, if elsewhere
OPS = {"image": {"copyMakeBorder"}}  # operators that belong to a namespace by name only
# what else is part of the interface: other modules inside a package only say how it is cut into files
PARTS = {
    "gluon.nn": "Block HybridBlock SymbolBlock",
    "gluon": "block contrib data loss model_zoo nn parameter rnn trainer utils", "gluon.data": "vision",
    "gluon.data.vision": "datasets transforms", "gluon.contrib": "cnn data estimator nn rnn", "optimizer": "contrib",
    "gluon.model_zoo": "model_store vision", "gluon.contrib.data": "text",
}  # fmt: skip


def found(path: str):
    """What a path such as `gluon.nn` or `gluon.Block` names."""
    here = importlib.import_module("mxnet")
    for k, part in enumerate(path.split(".")):
        if not hasattr(here, part):
            importlib.import_module("mxnet." + ".".join(path.split(".")[: k + 1]))
        here = getattr(here, part)
    return here


def own(namespace: str) -> list[str]:
    """The names that a module defines for others."""
    module = found(namespace)
    home = HOMES.get(namespace, module.__name__)
    names = set(OPS.get(namespace, ())) | set(PARTS.get(namespace, "").split())
    for name, thing in vars(module).items():
        if not name.startswith("_") and not isinstance(thing, types.ModuleType):
            at = getattr(thing, "__module__", None) or ""
            made_here = at == home or at.startswith((home + ".", "mxnet.registry"))
            if (inspect.isclass(thing) or callable(thing)) and made_here:
                names.add(name)
    return sorted(names | {n for n in getattr(module, "__all__", ()) if hasattr(module, n)})


def members(path: str) -> list[str]:
    """The public members of a class."""
    return sorted(name for name in dir(found(path)) if not name.startswith("_"))


def write(namespace: str, names: list[str]) -> None:
    """Write a list, keeping the states that it had."""
    file = HERE / f"{namespace}.txt"
    known = dict(line.split("\t") for line in file.read_text().splitlines()) if file.exists() else {}
    file.write_text("".join(f"{name}\t{known.get(name, 'absent: ')}\n" for name in names))


def signature(thing) -> list | None:
    """`[name, default]` of each parameter; the default as text where it is a plain value, '?' for another, None for
    none. None for what takes anything.
    """
    try:
        found = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
    except (TypeError, ValueError):
        return None
    known = {p.name for p in found}
    if known >= {"out", "name", "kwargs"}:  # a generated function: the operator in C knows its defaults
        return [[p.name, "?"] for p in found if p.name not in ("name", "kwargs")]
    plain = lambda x: isinstance(x, (int, float, tuple, type(None))) or (isinstance(x, str) and "/" not in x)
    said = lambda x: (
        None if x is inspect.Parameter.empty else repr(x) if plain(x) and str(x) != "<no value>" else "?"
    )
    return [[p.name, said(p.default)] for p in found if p.name != "self" and not p.kind.name.startswith("VAR")]


def signatures() -> dict[str, list]:
    """Those of all listed classes, functions and methods."""
    things = [(f"{path}.{name}", getattr(found(path), name)) for path in PACKAGES.split() for name in own(path)]
    things += [(f"{path}.{name}", getattr(found(path), name)) for path in CLASSES.split() for name in members(path)]
    for path in ARRAYS.split():
        things += [(f"{path}.{n}", x) for n, x in vars(found(path)).items() if n[0] != "_" and inspect.isfunction(x)]
    all_of_them = {path: signature(x) for path, x in things if callable(x) and not inspect.ismodule(x)}
    return {path: listed for path, listed in all_of_them.items() if listed}


if __name__ == "__main__":
    lines = [f"  {json.dumps(path)}: {json.dumps(listed)}" for path, listed in sorted(signatures().items())]
    (HERE / "signatures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for namespace in PACKAGES.split():
        write(namespace, own(namespace))
    for path in CLASSES.split():
        write(path, members(path))
