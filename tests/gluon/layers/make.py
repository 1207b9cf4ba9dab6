"""Writes answers.npz: run it with MXNet 1.9.1 (`python make.py`)."""

import json
import warnings

import mxnet as mx
import numpy
from layer_rows import LAYERS
from loss_rows import LOSSES
from recurrent_rows import RECURRENT
from running import ANSWERS, build, call, layer, prepared
from tools import TABLE


def both(row):
    """What a row gives with NumPy semantics, or else, where they are broken, with the former ones.

    Unknown sizes print as -1 with NumPy semantics alone.
    """
    said = []
    for semantics, array in (("np", mx.np.array), ("nd", mx.nd.array)):
        if row.legacy and semantics == "np":
            continue
        (mx.npx.set_np if semantics == "np" else mx.npx.reset_np)()
        try:
            with mx.name.NameManager():
                text, found = layer(mx, row, lambda x, array=array: array(x, dtype=x.dtype))
            if row.where != "gluon.contrib.cnn":  # these cannot be made with NumPy semantics
                mx.npx.set_np()
                with mx.name.NameManager():
                    text["before"] = repr(build(mx, row.where, row.kind, row.arguments))
            return {**text, "semantics": semantics}, found
        except Exception as error:  # noqa: BLE001 whatever it says is part of the answer
            said.append(f"{type(error).__name__}: {error}"[:300])
        finally:
            mx.npx.reset_np()
    return {"refused": said}, {}


def one(call, semantics):
    """What a call gives with arrays of the former kind, or with those of NumPy semantics first."""
    said = []
    for np in (True, False) if semantics else (False,):
        (mx.npx.set_np if np else mx.npx.reset_np)()
        make = mx.np.array if np else mx.nd.array
        try:
            with mx.name.NameManager():
                return call(lambda x, make=make: make(x, dtype=x.dtype))
        except Exception as error:  # noqa: BLE001
            said.append(f"{type(error).__name__}: {error}"[:300])
        finally:
            mx.npx.reset_np()
    return {"refused": said}, {}


def outputs(row, text):
    """Outputs without gradients, which MXNet refuses."""
    for semantics, array in (("nd", mx.nd.array), ("np", mx.np.array)):
        (mx.npx.set_np if semantics == "np" else mx.npx.reset_np)()
        try:
            with mx.name.NameManager():
                block, xs, _ = prepared(mx, row, lambda x, array=array: array(x, dtype=x.dtype))
                found = {f"output {k}": y.asnumpy() for k, y in enumerate(call(row, block, xs))}
                text = {"after": repr(block), "parameters": repr(block.collect_params()), "semantics": "outputs"}
                return text, found
        except Exception:  # noqa: BLE001, S112 what was said the first time is told
            continue
        finally:
            mx.npx.reset_np()
    return text, {}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    texts, parts = {}, {}
    for name, row in (LAYERS | RECURRENT | LOSSES).items():
        texts[name], parts[name] = both(row)
        if "refused" in texts[name]:
            texts[name], parts[name] = outputs(row, texts[name])
        if "refused" in texts[name]:
            print(name, texts[name]["refused"])
    for name, (function, *arguments) in TABLE.items():
        texts[name], parts[name] = one(lambda array, f=function, a=arguments: f(mx, array, *a), "transform" in name)
        if "refused" in texts[name]:
            print(name, texts[name]["refused"])
    numbers = []
    for name, found in parts.items():
        texts[name]["shapes"] = {key: list(x.shape) for key, x in found.items()}
        numbers += [numpy.asarray(x, "float32").ravel() for x in found.values()]
    texts = numpy.frombuffer(json.dumps(texts).encode(), "uint8")
    numpy.savez_compressed(ANSWERS, numbers=numpy.concatenate(numbers), texts=texts)
