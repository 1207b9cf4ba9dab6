"""Open parameter shapes of a `hybrid_forward` block, completed by the operations that use the parameters.

The first call runs `hybrid_forward` with an `Open` for each parameter whose shape is unknown. An operation
that meets one knows what shape it needs (`F.FullyConnected` wants `(num_hidden, features)`), so the parameter
is made there and then and the operation goes on. This first run is an ordinary one: its outputs are the
block's outputs.
"""

from __future__ import annotations

import math
from types import ModuleType

from ..array import ndarray
from ..errors import DeferredInitializationError
from .namespace import F, Namespace
from .parameter.parameter import Parameter, shape_is_known


class Open:
    """Stands for a parameter whose shape is not known yet."""

    def __init__(self, param: Parameter, device):
        self.param, self.device = param, device

    def __getattr__(self, name: str):
        raise self.unknown(f"its attribute '{name}' was asked for")

    def unknown(self, why: str) -> DeferredInitializationError:
        return DeferredInitializationError(
            f"Parameter '{self.param.name}': its shape {self.param.shape} could not be completed, {why}. Only"
            f" operations that fix the shape of their weights (FullyConnected, Convolution, dot, BatchNorm,"
            f" LayerNorm, Embedding, broadcast arithmetic) complete it. Give the whole shape, or override"
            f" infer_shape(self, x) and set it."
        )

    def filled(self, shape) -> ndarray:
        """The parameter's values, made with `shape`."""
        self.param.shape = shape
        self.param._finish_deferred_init()
        return self.param.data(self.device)


def hybrid_forward_inferring(block, x, args):
    """`block.hybrid_forward`, completing the shapes of its parameters on the way."""
    device = x.ctx
    params = {
        name: Open(p, device) if p._deferred is not None and not p._arrays else p.data(device)
        for name, p in block._reg_params.items()
    }
    return block.hybrid_forward(_INFERRING, x, *args, **params)


# Each rule: (arguments in order of _ORDER, keywords) -> shapes of those arguments, None where it cannot tell.
_ORDER = {"data": 0, "weight": 1, "bias": 2, "gamma": 1, "beta": 2, "lhs": 0, "rhs": 1, "a": 0, "b": 1}
_ORDER |= {"x": 0, "x1": 0, "x2": 1, "moving_mean": 3, "moving_var": 4, "running_mean": 3, "running_var": 4}


def _dense(args, kw):
    shape = args[0].shape
    units = kw.get("num_hidden") or args[1].param.shape[0]
    width = math.prod(shape[1:]) if kw.get("flatten", True) else shape[-1]
    return None, (units, width), (units,)


def _conv(args, kw):
    channels_last = (kw.get("layout") or "NC").endswith("C") and not (kw.get("layout") or "NC") == "NC"
    channels = args[0].shape[-1 if channels_last else 1] // (kw.get("num_group") or 1)
    filters, kernel = kw["num_filter"], kw["kernel"]
    kernel = (kernel,) if isinstance(kernel, int) else tuple(kernel)
    return None, ((filters, *kernel, channels) if channels_last else (filters, channels, *kernel)), (filters,)


def _norm(default_axis):
    def rule(args, kw):
        n = args[0].shape[kw.get("axis", default_axis)]
        return (None,) + ((n,),) * 4

    return rule


def _embedding(args, kw):
    return None, (kw.get("input_dim") or -1, kw.get("output_dim") or -1)


def _dot(args, kw):
    a, b = args[:2]
    if isinstance(a, Open):
        shape = list(a.param.shape)
        if not isinstance(b, Open):
            shape[0 if kw.get(
                "transpose_a") else -1] = b.shape[-1 if kw.get("transpose_b"
            ) or b.ndim == 1 else -2]
        return tuple(shape), None
    shape = list(b.param.shape)
    shape[-1 if kw.get(
        "transpose_b") or len(shape) == 1 else -2] = a.shape[0 if kw.get("transpose_a"
    ) else -1]
    return None, tuple(shape)


def _broadcast(args, kw):
    shapes = [None, None]
    for i in (0, 1):
        other = args[1 - i]
        if isinstance(args[i], Open) and not isinstance(other, Open):
            own = args[i].param.shape
            tail = ((-1,) * len(own) + other.shape)[-len(own) :] if own else ()
            shapes[i] = tuple(n if n > 0 else m for n, m in zip(own, tail, strict=True))
    return shapes


RULES = {"FullyConnected": _dense, "fully_connected": _dense, "Convolution": _conv, "convolution": _conv}
RULES |= {"BatchNorm": _norm(1), "batch_norm": _norm(1), "LayerNorm": _norm(-1), "layer_norm": _norm(-1)}
RULES |= {"Embedding": _embedding, "embedding": _embedding, "dot": _dot, "matmul": _dot}
RULES |= {f"{b}_{op}": _broadcast for b in ("broadcast", "elemwise") for op in ("add", "sub", "mul", "div")}
RULES |= {op: _broadcast for op in ("add", "subtract", "multiply", "divide", "maximum", "minimum")}


class _Inferring:
    """A namespace whose operations complete the `Open` parameters they are given."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name: str):
        found = getattr(self._inner, name)
        if isinstance(found, ModuleType | Namespace):
            return _Inferring(found)
        return _completing(name, found) if callable(found) and not isinstance(found, type) else found


def _completing(name: str, operation):
    def call(*args, **kwargs):
        places = dict(enumerate(args)) | {_ORDER[k]: v for k, v in kwargs.items() if k in _ORDER}
        waiting = {i: v for i, v in places.items() if isinstance(v, Open)}
        if not waiting:
            return operation(*args, **kwargs)
        rule = RULES.get(name)
        first = next(iter(waiting.values()))
        if rule is None:
            raise first.unknown(f"F.{name} takes weights of any shape")
        ordered = [places.get(i) for i in range(max(places) + 1)]
        shapes = rule(ordered, kwargs)
        made = {}
        for i, item in waiting.items():
            shape = shapes[i] if i < len(shapes) else None
            if not shape_is_known(shape):
                raise item.unknown(f"F.{name} got {shape} from its other arguments")
            made[id(item)] = item.filled(shape)
        return operation(
            *(made.get(id(v), v) for v in args), **{k: made.get(id(v), v) for k, v in kwargs.items()}
        )

    return call


_INFERRING = _Inferring(F)


def _operator(name: str, reflected: bool):
    def compute(self, other):
        lhs, rhs = (other, self) if reflected else (self, other)
        return getattr(_INFERRING.np, name)(lhs, rhs)

    return compute


_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "matmul": "matmul"}
for _symbol, _name in _OPERATORS.items():
    setattr(Open, f"__{_symbol}__", _operator(_name, False))
    setattr(Open, f"__r{_symbol}__", _operator(_name, True))
