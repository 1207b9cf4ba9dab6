"""`ParameterDict`: the parameters of one block (`block.params`) or of a net (`net.collect_params()`)."""

from __future__ import annotations

import os
from collections.abc import ItemsView, Iterator, KeysView, ValuesView

import numpy

from ... import init as initializer
from ...array import ndarray
from ...device import Device
from ...formats import params as files
from .constant import Constant
from .loading import assign_loaded, read_named, short_name
from .parameter import Parameter, shape_is_known


class ParameterDict:
    """Parameters by full name, in the order they were made.

    Args:
        prefix: put before the names that `get` and `get_constant` are given.
        shared: another ParameterDict whose parameters are used where the name is found there.

    >>> params = ParameterDict('net_')
    >>> params.get('w', shape=(2, 3), dtype='float32')
    Parameter net_w (shape=(2, 3), dtype=float32)
    >>> params
    net_ (
      Parameter net_w (shape=(2, 3), dtype=float32)
    )
    """

    def __init__(self, prefix: str = "", shared: ParameterDict | None = None):
        self._prefix = prefix
        self._shared = shared
        self._params: dict[str, Parameter] = {}

    def __repr__(self) -> str:
        title = self._prefix + " " if self._prefix else ""
        body = "\n".join(f"  {p!r}" for p in self._params.values())
        return f"{title}(\n{body}\n)"

    def __getitem__(self, name: str) -> Parameter:
        return self._params[name]

    def __contains__(self, name) -> bool:
        return name in self._params

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __bool__(self) -> bool:
        return True  # as in Gluon, where it has no length: `params or default` keeps an empty dict

    def keys(self) -> KeysView[str]:
        """Full names."""
        return self._params.keys()

    def values(self) -> ValuesView[Parameter]:
        """The parameters."""
        return self._params.values()

    def items(self) -> ItemsView[str, Parameter]:
        """Pairs of full name and parameter."""
        return self._params.items()

    @property
    def prefix(self) -> str:
        """What is put before the names given to `get`."""
        return self._prefix

    def _find(self, name: str) -> Parameter | None:
        if name not in self._params and self._shared is not None:
            found = self._shared._find(name)
            if found is not None:
                self._params[name] = found
        return self._params.get(name)

    def get(self, name: str, **attributes) -> Parameter:
        """The parameter `prefix + name`: the one there is, or a new `Parameter(prefix + name, **attributes)`.

        Args:
            name: name without the prefix.
            attributes: arguments of `Parameter`; for a parameter that exists they must agree with it, and a
                shape fills its open dimensions.
        """
        name = self._prefix + name
        param = self._find(name)
        if param is None:
            attributes.setdefault("dtype", numpy.float32)
            param = self._params[name] = Parameter(name, **attributes)
            param._owned = True
            return param
        for key, wanted in attributes.items():
            _check_same(param, key, wanted)
        return param

    def get_constant(self, name: str, value=None) -> Constant:
        """The constant `prefix + name`, made of `value` (array or nested lists) if there is none yet."""
        name = self._prefix + name
        param = self._find(name)
        if param is None:
            if value is None:
                raise KeyError(f"Constant '{name}': does not exist, and no value to make it of was given.")
            param = self._params[name] = Constant(name, value)
            param._owned = True
        elif value is not None:
            values = value.asnumpy() if isinstance(value, ndarray) else numpy.asarray(value)
            if not isinstance(param, Constant):
                raise AssertionError(
                    f"Parameter '{name}': exists and is not a constant. Names are unique. Choose another."
                )
            if not numpy.array_equal(param.value.asnumpy(), values):
                raise AssertionError(
                    f"Constant '{name}': exists with another value. A constant does not change. Choose"
                    f" another name, or leave value out to get the one there is."
                )
        return param

    def update(self, other: ParameterDict) -> None:
        """Take over the parameters of `other`; `AssertionError` if two different ones have the same name."""
        for name, param in other.items():
            self._take(name, param)

    def _take(self, name: str, param: Parameter) -> None:
        if self._params.setdefault(name, param) is not param:
            raise AssertionError(
                f"ParameterDict {self._prefix}: two different parameters are named '{name}'. Names are unique"
                f" within a net. Give the blocks different prefixes, or share one parameter with params=."
            )

    # ---- all at once --------------------

    def initialize(self, init=None, ctx=None, verbose: bool = False, force_reinit: bool = False) -> None:
        """Initialize every parameter: `init` is what those without an initializer of their own use."""
        init = initializer.Uniform() if init is None else initializer.create(init)
        if verbose:
            init.set_verbosity(verbose=verbose)
        for param in self.values():  # all are looked at before the first is changed
            param._refuse_open()
        for param in self.values():
            param.initialize(None, ctx, init, force_reinit=force_reinit)

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for param in self.values():
            param.zero_grad()

    def reset_ctx(self, ctx) -> None:
        """Move every parameter to `ctx`, a device or a list of them."""
        for param in self.values():
            param.reset_ctx(ctx)

    reset_device = reset_ctx

    def list_ctx(self) -> list[Device]:
        """All devices that hold some parameter."""
        return list(dict.fromkeys(device for param in self.values() for device in param.list_ctx()))

    def setattr(self, name: str, value) -> None:
        """Set an attribute of every parameter, for example `setattr('grad_req', 'null')`."""
        for param in self.values():
            setattr(param, name, value)

    # ---- files --------------------

    def save(self, filename: str | os.PathLike, strip_prefix: str = "") -> None:
        """Write all values by full name, `strip_prefix` removed."""
        for name in self:
            if not name.startswith(strip_prefix):
                raise ValueError(
                    f"ParameterDict {self._prefix}: parameter '{name}' does not begin with '{strip_prefix}'."
                    f" That prefix was to be removed. Use net.save_parameters, which needs no prefixes."
                )
        files.write(
            filename,
            [name[len(strip_prefix) :] for name in self],
            [param.list_data()[0].asnumpy() for param in self.values()],
        )

    def load(
        self, filename, ctx=None, allow_missing=False, ignore_extra=False, restore_prefix="",
        cast_dtype=False, dtype_source="current",
    ) -> None:  # fmt: skip
        """Read values written by `save`; `restore_prefix` is put before the names in the file."""
        where = f"ParameterDict {self._prefix}: load"
        self.load_dict(
            read_named(where, filename), ctx, allow_missing, ignore_extra, restore_prefix, filename,
            cast_dtype, dtype_source,
        )  # fmt: skip

    def load_dict(
        self, param_dict, ctx=None, allow_missing=False, ignore_extra=False, restore_prefix="", filename=None,
        cast_dtype=False, dtype_source="current",
    ) -> None:  # fmt: skip
        """Set the parameters from a dict of full name to array. Either all of it is set, or nothing."""
        loaded = {restore_prefix + short_name(name): array for name, array in param_dict.items()}
        where = f"ParameterDict {self._prefix}: load '{filename or 'param_dict'}'"
        assign_loaded(
            where, dict(self._params), loaded, ctx, allow_missing, ignore_extra, cast_dtype, dtype_source
        )


def _check_same(param: Parameter, key: str, wanted) -> None:
    """`params.get` of an existing parameter: the attributes must agree, open dimensions are filled."""
    stored = getattr(param, key, None)
    if stored is None:
        setattr(param, key, wanted)
        return
    if key == "shape":
        shape = (wanted,) if isinstance(wanted, int) else tuple(wanted)
        same_rank = len(shape) == len(stored)
        if same_rank and all(a == b or min(a, b) < 1 for a, b in zip(shape, stored, strict=True)):
            if not shape_is_known(stored):
                param.shape = shape
            return
    elif wanted is None or wanted == stored:
        return
    elif key == "dtype" and numpy.dtype(wanted) == numpy.dtype(stored):
        return
    raise AssertionError(
        f"Parameter '{param.name}': exists with {key} {stored!r}, but {key} {wanted!r} was asked for. A"
        f" shared parameter is one array. Ask for the same {key}, or choose another name."
    )
