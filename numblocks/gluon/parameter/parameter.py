"""`Parameter`: a named array that a Block learns, made as soon as its shape is known."""

from __future__ import annotations

import contextlib

import numpy

from ... import init as initializer
from ...array import array_on, ndarray, wrap
from ...array import values as raw
from ...device import Device, current_device, usable
from ...dtype import as_dtype
from ...errors import DeferredInitializationError, warn
from ...op import current
from ..structure import Version

tensor_types = (ndarray,)
GRAD_REQS = ("write", "add", "null")


def shape_is_known(shape) -> bool:
    """True when no dimension is open (`-1`, or the older `0`, marks one).

    >>> shape_is_known((2, 3)), shape_is_known((2, -1)), shape_is_known(None)
    (True, False, False)
    """
    return shape is not None and all(n > 0 for n in shape)


def _devices(ctx) -> list[Device]:
    if ctx is None:
        return [current_device()]
    devices = [ctx] if isinstance(ctx, Device) else list(ctx)
    return [usable(device) for device in devices]


@contextlib.contextmanager
def eagerly():
    """Within: operations run at once and unrecorded, also in the middle of a trace."""
    # What a trace or a tape has pushed are attributes of this thread's `current`; without, its defaults hold.
    pushed = dict(current.__dict__)
    current.__dict__.clear()
    try:
        yield
    finally:
        current.__dict__.clear()
        current.__dict__.update(pushed)


class Parameter:
    """A named array held by a Block, with its gradient; one copy per device.

    A dimension given as `-1` is open: the array is made during the first forward pass that shows it (deferred
    initialization), if `allow_deferred_init` is set.

    Args:
        name: full name, such as `'dense0_weight'`. None: the attribute name under which a Block takes it.
        grad_req: `'write'` (backward overwrites the gradient), `'add'` (accumulates) or `'null'` (none).
        shape: tuple of ints, or one int; `-1` for an open dimension; None if nothing is known.
        dtype: of the values.
        lr_mult, wd_mult: factors on the optimizer's learning rate and weight decay.
        init: initializer (or its name) that wins over the one given to `initialize`.
        allow_deferred_init: whether `initialize` may wait for the first batch.
        differentiable: False fixes `grad_req` to `'null'`.
        stype, grad_stype: storage types; dense (`'default'`) is what this version offers.

    >>> w = Parameter('w', shape=(2, 3))
    >>> w.initialize()
    >>> w.data().shape, w.grad().shape
    ((2, 3), (2, 3))
    """

    def __init__(
        self, name=None, grad_req="write", shape=None, dtype="float32", lr_mult=1.0, wd_mult=1.0, init=None,
        allow_deferred_init=False, differentiable=True, stype="default", grad_stype="default",
    ):
        if stype != "default" or grad_stype != "default":
            raise ValueError(
                f"Parameter {name!r}: storage types {stype!r} and {grad_stype!r} were asked for. Values and"
                f" gradients are dense in this version. Leave stype and grad_stype at 'default'."
            )
        self.name = name
        self.init = init
        self._lr_mult, self._wd_mult = lr_mult, wd_mult
        self.allow_deferred_init = allow_deferred_init
        self._stype, self._grad_stype = stype, grad_stype
        self._differentiable = differentiable
        self._shape = (shape,) if isinstance(shape, int) else (None if shape is None else tuple(shape))
        self._dtype = dtype
        self._arrays: dict[Device, ndarray] = {}
        self._data0: ndarray | None = None  # the array, if there is exactly one
        self._deferred: tuple | None = None  # (init, devices, default_init, value or None)
        self._owned = False  # a Block has taken it, its name is final
        self._grad_req = "null"
        self.grad_req = grad_req

    def __repr__(self) -> str:
        return f"Parameter {self.name} (shape={self.shape}, dtype={self.dtype})"

    def __getstate__(self) -> dict:
        """For copy and pickle: the values, while gradient buffers are made anew."""
        values = self._data0 if self._data0 is not None else next(iter(self._arrays.values()), None)
        state = dict(self.__dict__, _arrays=list(self._arrays), _data0=None)
        state["_values"] = None if values is None else values.asnumpy()
        return state

    def __setstate__(self, state: dict) -> None:
        values, devices = state.pop("_values"), state.pop("_arrays")
        self.__dict__.update(state, _arrays={})
        if values is not None:
            self._place(values, devices)

    # ---- what it is --------------------

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape, `-1` where it is open, None if nothing is known. Setting it fills open dimensions."""
        return None if self._shape is None else tuple(n if n > 0 else -1 for n in self._shape)

    @shape.setter
    def shape(self, new) -> None:
        new = tuple(int(n) for n in new)
        old = self._shape
        if old is not None:
            if len(old) != len(new) or any(a > 0 and b > 0 and a != b for a, b in zip(old, new, strict=True)):
                raise AssertionError(
                    f"Parameter '{self.name}': shape {new} does not fit {self.shape}. Only open dimensions"
                    f" (-1) can be filled. Give the shape when the layer is made, or make a new layer."
                )
            new = tuple(b if b > 0 else a for a, b in zip(old, new, strict=True))
        self._shape = new

    @property
    def dtype(self):
        """The dtype as it was given; setting it casts the values."""
        return self._dtype

    @dtype.setter
    def dtype(self, dtype) -> None:
        self.cast(dtype)

    @property
    def lr_mult(self) -> float:
        """Factor on the optimizer's learning rate."""
        return self._lr_mult

    @lr_mult.setter
    def lr_mult(self, factor: float) -> None:
        self._lr_mult = factor
        Version.number += 1

    @property
    def wd_mult(self) -> float:
        """Factor on the optimizer's weight decay."""
        return self._wd_mult

    @wd_mult.setter
    def wd_mult(self, factor: float) -> None:
        self._wd_mult = factor
        Version.number += 1

    @property
    def grad_req(self) -> str:
        """`'write'`, `'add'` or `'null'`; setting it attaches or drops the gradient buffers."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, req: str) -> None:
        if req not in GRAD_REQS:
            raise AssertionError(
                f"Parameter '{self.name}': grad_req is {req!r}. Gradients are written, added or not kept."
                f" Use 'write', 'add' or 'null'."
            )
        if not self._differentiable:
            req = "null"
        if req == self._grad_req:
            return
        self._grad_req = req
        self._attach()

    # ---- making the values --------------------

    def initialize(self, init=None, ctx=None, default_init=None, force_reinit=False) -> None:
        """Make the values, or note how to make them if the shape is still open.

        Args:
            init: initializer for this parameter; wins over `self.init` and `default_init`.
            ctx: device or list of devices that get a copy; None for the current one.
            default_init: used when neither `init` nor `self.init` is set; None for `Uniform(0.07)`.
            force_reinit: make new values even if there are some.

        Raises:
            ValueError: the shape is open and `allow_deferred_init` is False.
        """
        if self._arrays and not force_reinit:
            warn(
                f"Parameter '{self.name}' is already initialized and was left as it is."
                f" Set force_reinit=True to draw new values.",
            )
            return
        devices = _devices(ctx)
        if default_init is None:
            default_init = initializer.Uniform()
        if init is None:
            init = default_init if self.init is None else self.init
        initializer.create(init)  # an unknown name fails here, not at the first batch
        self._refuse_open()
        self._forget()
        self._deferred = (init, devices, default_init, None)
        if shape_is_known(self._shape):
            self._finish_deferred_init()

    def _refuse_open(self) -> None:
        """`ValueError` if the shape is open and must not be."""
        if not shape_is_known(self._shape) and not self.allow_deferred_init:
            raise ValueError(
                f"Parameter '{self.name}': cannot be initialized with shape {self.shape}. Open dimensions are"
                f" filled by the first batch only if allow_deferred_init=True. Give the"
                f" whole shape, or allow deferring."
            )

    def _finish_deferred_init(self) -> None:
        """Make the values now that the shape is known; nothing to do if they are there already."""
        if self._deferred is None:
            return
        init, devices, default_init, value = self._deferred
        if not shape_is_known(self._shape):
            raise self._deferred_error()
        with eagerly():
            if value is None:
                value = array_on(numpy.zeros(self._shape, as_dtype(self._dtype)), devices[0])
                initializer.create(default_init)(initializer.InitDesc(self.name, {"__init__": init}), value)
            self._place(value._data, devices)

    def _place(self, values, devices) -> None:
        """One copy of `values` (raw buffer) per device, gradients attached."""
        dtype = as_dtype(self._dtype)
        self._forget()
        self._arrays = {d: wrap(numpy.array(raw(values), dtype, order="C"), d) for d in devices}
        self._data0 = next(iter(self._arrays.values())) if len(self._arrays) == 1 else None
        self._attach()

    def _forget(self) -> None:
        self._arrays, self._data0, self._deferred = {}, None, None

    def _attach(self) -> None:
        for array in self._arrays.values():
            if self._grad_req == "null":
                array._node = None
            else:
                array.attach_grad(self._grad_req)
        Version.number += 1

    # ---- reading --------------------

    def data(self, ctx=None) -> ndarray:
        """The values on `ctx` (None: the only device there is, else the current one).

        Raises:
            RuntimeError: `initialize` was not called, or not for this device.
            DeferredInitializationError: the shape is still open.
        """
        array = self._data0
        if array is None or (ctx is not None and ctx is not array._device):
            array = self._on(ctx)
        substitute = current.substitute  # set while a trace runs: the tracer that stands for this array
        return array if substitute is None else substitute(array)

    def list_data(self) -> list[ndarray]:
        """The copies on all devices, in the order of `list_ctx()`."""
        return [self.data(device) for device in self._checked()]

    def grad(self, ctx=None) -> ndarray:
        """The gradient buffer on `ctx`; `RuntimeError` if `grad_req` is `'null'`."""
        if self._grad_req == "null" and self._arrays:
            raise RuntimeError(
                f"Parameter '{self.name}': there is no gradient. grad_req is 'null'."
                f" Set grad_req to 'write' or 'add'."
            )
        return self._on(ctx).grad

    def list_grad(self) -> list[ndarray]:
        """The gradient buffers on all devices."""
        return [self.grad(device) for device in self._checked()]

    def list_ctx(self) -> list[Device]:
        """The devices that hold, or while deferred will hold, a copy."""
        if not self._arrays and self._deferred is not None:
            return list(self._deferred[1])
        return list(self._checked())

    def _checked(self) -> dict[Device, ndarray]:
        if self._arrays:
            return self._arrays
        if self._deferred is not None:
            raise self._deferred_error()
        raise RuntimeError(
            f"Parameter '{self.name}': has not been initialized. Its Block was made, but initialize() was"
            f" never called on it or on a Block that contains it. Call net.initialize() first; pass"
            f" net.collect_params() to the Trainer, since net.params leaves out the children."
        )

    def _deferred_error(self) -> DeferredInitializationError:
        return DeferredInitializationError(
            f"Parameter '{self.name}': has no values yet, its shape is {self.shape}. Initialization was"
            f" deferred until a batch shows the open dimensions (-1), and no batch has passed through its"
            f" Block: a Block that was made but is never called stays like this. Call the net on one batch"
            f" first, or give in_units, in_channels ... when the layer is made."
        )

    def _on(self, ctx) -> ndarray:
        arrays = self._checked()
        if ctx is None:
            if len(arrays) == 1:
                return self._data0
            ctx = current_device()
        found = arrays.get(ctx)
        if found is None:
            raise RuntimeError(
                f"Parameter '{self.name}': is not on {ctx}. It was initialized on {list(arrays)} only."
                f" Use one of these, or call net.collect_params().reset_ctx(...)."
            )
        return found

    # ---- writing --------------------

    def set_data(self, data) -> None:
        """Copy `data` (of the parameter's shape) into every copy; while deferred it becomes the value."""
        if not isinstance(data, ndarray):
            data = wrap(numpy.asarray(data), current_device())
        if not self._arrays and self._deferred is None:
            self._checked()
        self.shape = data.shape
        if self._deferred is not None:
            init, devices, default_init, _ = self._deferred
            self._deferred = (init, devices, default_init, data)
            self._finish_deferred_init()
            return
        for array in self._arrays.values():
            array._data[...] = data._data if data._device is array._device else raw(data._data)

    def zero_grad(self) -> None:
        """Set the gradient buffers to zero."""
        if self._grad_req != "null":
            for array in self._arrays.values():
                array.grad._data[...] = 0

    def reset_ctx(self, ctx) -> None:
        """Move the parameter to these devices."""
        devices = _devices(ctx)
        if self._arrays:
            self._place(next(iter(self._arrays.values()))._data, devices)
        elif self._deferred is not None:
            init, _, default_init, value = self._deferred
            self._deferred = (init, devices, default_init, value)
        else:
            self._checked()

    reset_device = reset_ctx

    def cast(self, dtype) -> None:
        """Convert values and gradients to `dtype`."""
        as_dtype(dtype)
        self._dtype = dtype
        if self._arrays:
            self._place(next(iter(self._arrays.values()))._data, list(self._arrays))
