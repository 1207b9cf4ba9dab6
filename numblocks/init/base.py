"""The base of all initializers and their registry."""

from __future__ import annotations

import json

_registry: dict[str, type] = {}


def register(klass):
    """Class decorator: makes an initializer known by its lower-case class name."""
    _registry[klass.__name__.lower()] = klass
    return klass


def alias(*names):
    """Class decorator: `register`, and further names."""

    def add(klass):
        for name in names:
            _registry[name] = klass
        return register(klass)

    return add


def create(init, **kwargs):
    """An initializer from itself, from its name, or from the JSON text of `dumps()`.

    Raises:
        AssertionError: an unknown name, or neither a string nor an initializer.

    >>> create('zeros'), create('["normal", {"sigma": 0.1}]')
    (Zero(), Normal(sigma=0.1))
    """
    if not isinstance(init, (str, type)) and callable(init):
        return init
    if isinstance(init, str) and init.startswith("["):
        init, kwargs = json.loads(init)
    if not isinstance(init, str):
        raise AssertionError(
            f"initializer: got {init!r} ({type(init).__name__}). An initializer must be a string or an"
            f" Initializer object. Make one, e.g. init.Xavier()."
        )
    klass = _registry.get(init.lower())
    if klass is None:
        raise AssertionError(
            f"initializer: {init!r} is not registered. The initializers are {', '.join(sorted(_registry))}."
            f" Use one of these, or decorate your class with initializer.register first."
        )
    return klass(**kwargs)


class InitDesc(str):
    """The name of a parameter together with attributes; `'__init__'` holds the initializer that it was given.

    Args:
        name: the parameter's name.
        attrs: a dict of attributes.
    """

    def __new__(cls, name, attrs=None, global_init=None):
        desc = super().__new__(cls, name)
        desc.attrs = attrs or {}
        desc.global_init = global_init
        return desc


def fill(arr, values) -> None:
    """Write NumPy values (or a number) into an array without touching the tape."""
    getattr(arr, "_data", arr)[...] = values


class Initializer:
    """Base of all initializers. Keyword arguments are kept for `repr` and `dumps`."""

    def __init__(self, **kwargs):
        self._kwargs = kwargs
        self._print = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._kwargs.items())})"

    def __eq__(self, other) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    __hash__ = None

    def set_verbosity(self, verbose=False, print_func=None):
        """Print the name of each parameter that is filled, through `print_func` if given."""
        self._print = (print_func or print) if verbose else None
        return self

    def dumps(self) -> str:
        """JSON text from which `create` makes the same initializer."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, desc, arr) -> None:
        """Fill `arr` for the parameter called `desc`.

        A parameter with an initializer of its own (`InitDesc.attrs['__init__']`) is filled by that one;
        otherwise the end of its name decides: weight, bias, gamma, beta, running_mean, running_var ...
        """
        own = getattr(desc, "attrs", {}).get("__init__")
        if own is not None and own != "":
            own = create(own)
            fill = getattr(own, "_init_weight", own)
        else:
            fill = self._by_name(desc)
        if getattr(self, "_print", None):
            self._print(f"Initialized {desc} as {type(own or self).__name__}")
        fill(desc, arr)

    def _by_name(self, desc):
        for ending, method in (
            ("weight", self._init_weight),
            ("bias", self._init_bias),
            ("gamma", self._init_gamma),
            ("beta", self._init_beta),
            ("mean", self._init_zero),
            ("moving_inv_var", self._init_zero),
            ("moving_avg", self._init_zero),
            ("var", self._init_one),
            ("min", self._init_zero),
            ("max", self._init_one),
        ):
            if desc.endswith(ending):
                return method
        return self._init_default

    def _init_zero(self, name, arr):
        fill(arr, 0)

    def _init_one(self, name, arr):
        fill(arr, 1)

    _init_bias = _init_beta = _init_zero
    _init_gamma = _init_one

    def _init_weight(self, name, arr):
        raise NotImplementedError(
            f"{type(self).__name__}: define _init_weight(self, name, arr), which fills arr."
        )

    def _init_default(self, name, arr):
        raise ValueError(
            f"{type(self).__name__}: cannot tell what '{name}' is. Names that end in weight, bias, gamma,"
            f" beta, mean or var are known. Rename the parameter, or give it an initializer of its own."
        )
