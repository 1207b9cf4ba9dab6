"""`mx.operator`: operators in Python as Gluon 1.x writes them, called by `nd.Custom`.

Eagerly a call is one step of the tape; in a hybridized Block one step of the plan that nothing fuses with.
`autograd.Function` and `numblocks.custom` are the shorter ways to the same.
"""

from __future__ import annotations

import numpy

from . import autograd
from .array import Aval, ndarray, wrap
from .errors import MXNetError
from .op import Op, bind, current, detached

_registry: dict[str, type] = {}
_FLAGS = {name: k for k, name in enumerate("float32 float64 float16 uint8 int32 int8 int64 bool".split())}


class CustomOp:
    """What an operator computes: subclass, write `forward` and `backward`.

    `in_data`, `out_data` and the others are lists of arrays; answers go into those given, by `self.assign`.
    """

    def forward(self, is_train: bool, req, in_data, out_data, aux) -> None:
        """Compute `out_data` from `in_data`."""
        raise NotImplementedError(f"{type(self).__name__}: has no forward. It fills out_data. Write one.")

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux) -> None:
        """Compute `in_grad` from `out_grad`; without one no gradient flows."""

    def assign(self, dst: ndarray, req: str, src) -> None:
        """Put `src` into `dst` as `req` says: 'write' and 'inplace' replace it, 'add' adds to it, 'null' leaves it."""
        if req in ("write", "inplace"):
            dst[:] = src
        elif req == "add":
            dst[:] = dst + src


class CustomOpProp:
    """What is known of an operator before it runs: subclass, name inputs and outputs, say their shapes.

    Args:
        need_top_grad: accepted; `backward` always gets the gradients of the outputs.

    >>> @register("scale")
    ... class ScaleProp(CustomOpProp):
    ...     def __init__(self, by="1"):                     # what the call says arrives as text
    ...         super().__init__()
    ...         self.by = float(by)
    ...     def create_operator(self, ctx, in_shapes, in_dtypes):
    ...         return Scale(self.by)
    """

    def __init__(self, need_top_grad: bool = True):
        self.need_top_grad_ = need_top_grad

    def list_arguments(self) -> list[str]:
        """Names of the inputs."""
        return ["data"]

    def list_outputs(self) -> list[str]:
        """Names of the outputs."""
        return ["output"]

    def list_auxiliary_states(self) -> list[str]:
        """Names of the states that follow the inputs in a call; they get no gradient, `forward` may change them."""
        return []

    def infer_shape(self, in_shape):
        """Shapes of inputs, outputs and states from those of the inputs; all like the first by default."""
        return in_shape, [in_shape[0]] * len(self.list_outputs()), []

    def infer_type(self, in_type):
        """Dtypes of inputs, outputs and states; all like the first by default."""
        count = len(self.list_outputs()), len(self.list_auxiliary_states())
        return in_type, [in_type[0]] * count[0], [in_type[0]] * count[1]

    def declare_backward_dependency(self, out_grad, in_data, out_data) -> list:
        """What `backward` reads; it is given everything."""
        return [*out_grad, *in_data, *out_data]

    def create_operator(self, ctx, in_shapes, in_dtypes) -> CustomOp:
        """The CustomOp for inputs of these shapes and dtypes (MXNet's numbers for them)."""
        return CustomOp()


def register(reg_name: str):
    """A decorator that makes a CustomOpProp callable as `nd.Custom(..., op_type=reg_name)`."""

    def declare(prop_cls):
        if not (isinstance(prop_cls, type) and issubclass(prop_cls, CustomOpProp)):
            raise TypeError(
                f"operator.register: got {prop_cls!r} for '{reg_name}'. It registers what describes an operator. Derive"
                " the class from CustomOpProp."
            )
        _registry[reg_name] = prop_cls
        return prop_cls

    return declare


def get_all_registered_operators() -> list[str]:
    """The names registered so far."""
    return list(_registry)


def custom(*data, op_type: str, name=None, **options):
    """Call the operator registered as `op_type`; `nd.Custom`.

    Args:
        data: its inputs, then its states; inputs may be given by name, too.
        options: go to its CustomOpProp as text.

    Raises:
        MXNetError: no such operator, a wrong number of inputs, or inputs on a GPU.
    """
    if op_type not in _registry:
        raise MXNetError(
            f"Custom: no operator '{op_type}'. Registered are {', '.join(_registry) or 'none'}. Decorate its"
            f" CustomOpProp with operator.register('{op_type}')."
        )
    by_name = {key: x for key, x in options.items() if isinstance(x, ndarray)}
    prop = _registry[op_type](**{key: str(x) for key, x in options.items() if key not in by_name})
    arguments, states = prop.list_arguments(), prop.list_auxiliary_states()
    inputs = [*data, *(by_name.pop(n) for n in [*arguments, *states][len(data) :] if n in by_name)]
    if len(inputs) != len(arguments) + len(states) or by_name:
        raise MXNetError(
            f"Custom: '{op_type}' got {len(inputs) + len(by_name)} arrays. It takes {', '.join([*arguments, *states])}."
            " Pass as many, in this order."
        )
    if any(x.ctx.far for x in inputs):
        raise MXNetError(f"Custom: '{op_type}' got arrays on {inputs[0].ctx}. It runs on the CPU. Move them to cpu().")
    return bind(_op(op_type, prop, inputs, len(arguments)), tuple(inputs), {"train": bool(current.training)})


def _op(name: str, prop: CustomOpProp, inputs, n: int) -> Op:
    """The op of one call: `n` inputs, then states."""
    cls, device = type(inputs[0]), inputs[0].ctx
    shapes = [list(x.shape) for x in inputs[:n]]
    types = [numpy.dtype(x.dtype).type for x in inputs[:n]]
    found, kinds = prop.infer_shape(shapes)[1], prop.infer_type(types)[1]
    made = prop.create_operator(device, shapes, [_FLAGS[numpy.dtype(t).name] for t in types])
    outputs = tuple(Aval(tuple(s), numpy.dtype(t)) for s, t in zip(found, kinds, strict=True))
    grads = tuple(Aval(x.shape, x.dtype) for x in inputs[:n])
    count = len(outputs)

    def compute(arrays, answers, train) -> None:
        with autograd.pause(train_mode=train):
            made.forward(train, ["write"] * count, arrays[:n], answers, arrays[n:])

    def differentiate(arrays, answers, train) -> None:
        heads, rest = arrays[:count], arrays[count:]
        with autograd.pause(train_mode=train):
            made.backward(["write"] * n, heads, rest[:n], rest[len(inputs) :], answers, rest[n : len(inputs)])

    def pull(g, y, *xs, train):
        y, g = (y, g) if count > 1 else ((y,), [g])
        heads = [wrap(numpy.zeros(a.shape, a.dtype), device, cls) if h is None else h
                 for a, h in zip(outputs, g, strict=True)]  # fmt: skip
        back = bind(_step(f"{name}.backward", differentiate, grads, cls, device), (*heads, *xs, *y), {"train": train})
        back = back if n > 1 else (back,)
        given = [c if a.dtype.kind == "f" else None for a, c in zip(grads, back, strict=True)]
        return (*given, *[None] * (len(xs) - n))

    op = _step(name, compute, outputs, cls, device)
    op.vjp, op.joint, op.nin = pull, True, len(inputs)
    return op


def _step(name: str, compute, outputs, cls, device) -> Op:
    """An op of any inputs that lets `compute(arrays, answers, train)` fill its answers."""

    def answered(arrays, out, train):
        answers = [wrap(raw, device, cls) for raw in out]
        compute(arrays, answers, train)
        return tuple(answers) if len(answers) > 1 else answers[0]

    def eager(op, args, spec):
        return answered(list(map(detached, args)), [numpy.zeros(a.shape, a.dtype) for a in outputs], **spec)

    def run(*raw, train, out=None):
        if out is None:
            out = tuple(numpy.empty(a.shape, a.dtype) for a in outputs)
        out = out if isinstance(out, tuple) else (out,)
        for part in out:
            part[...] = 0  # what the operator leaves alone
        answered([wrap(x, device, cls) for x in raw], out, train)
        return out if len(out) > 1 else out[0]

    def infer(*xs, train):
        return outputs if len(outputs) > 1 else outputs[0]

    return Op(name, "opaque", eager, registered=False, run=run, infer=infer, nout=len(outputs))


__all__ = ["CustomOp", "CustomOpProp", "custom", "get_all_registered_operators", "register"]
