"""Initial values of parameters.

An initializer is called as `init(name, array)` and fills the array in place. Most override only
`_init_weight(name, array)`; so does a custom one:

>>> class Small(Initializer):
...     def _init_weight(self, name, arr):
...         arr[:] = 0.001

Layers and `initialize` take an initializer, or the name of one in any case (`'xavier'`), or the JSON that
`dumps()` returns. Random values come from the generator that `numblocks.random.seed` seeds.
"""

from __future__ import annotations

import json
import math
import re

import numpy

from .random import numpy_generator

_registry: dict[str, type] = {}


def register(klass):
    """Class decorator: makes an initializer known by its lower-case class name."""
    _registry[klass.__name__.lower()] = klass
    return klass


def _alias(*names):
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


def _fill(arr, values) -> None:
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
        _fill(arr, 0)

    def _init_one(self, name, arr):
        _fill(arr, 1)

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


@_alias("zeros")
class Zero(Initializer):
    """All 0."""

    def __init__(self):
        super().__init__()

    _init_weight = Initializer._init_zero


@_alias("ones")
class One(Initializer):
    """All 1."""

    def __init__(self):
        super().__init__()

    _init_weight = Initializer._init_one


@register
class Constant(Initializer):
    """A number everywhere, or an array of the parameter's shape.

    Args:
        value: number, nested list, NumPy or numblocks array.
    """

    def __init__(self, value):
        super().__init__(value=value)
        self.value = value

    def dumps(self) -> str:
        value = self.value.tolist() if hasattr(self.value, "tolist") else self.value
        return json.dumps(["constant", {"value": value}])

    def _init_weight(self, name, arr):
        values = numpy.asarray(getattr(self.value, "_data", self.value))
        if values.ndim and values.shape != arr.shape:
            raise ValueError(
                f"Constant: '{name}' has shape {arr.shape}, the value {values.shape}. They must be equal."
                f" Reshape it."
            )
        _fill(arr, values)


@register
class Uniform(Initializer):
    """Uniform on [-scale, scale)."""

    def __init__(self, scale=0.07):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, name, arr):
        _fill(arr, numpy_generator().uniform(-self.scale, self.scale, arr.shape))


@register
class Normal(Initializer):
    """Normal with mean 0 and standard deviation sigma."""

    def __init__(self, sigma=0.01):
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, name, arr):
        _fill(arr, numpy_generator().normal(0, self.sigma, arr.shape))


@register
class Orthogonal(Initializer):
    """Orthonormal rows or columns times `scale` (Saxe et al. 2014, arXiv:1312.6120).

    Args:
        scale: factor.
        rand_type: `'uniform'` or `'normal'`, what the orthogonal matrix is made from.
    """

    def __init__(self, scale=1.414, rand_type="uniform"):
        super().__init__(scale=scale, rand_type=rand_type)
        if rand_type not in ("uniform", "normal"):
            raise ValueError(f"Orthogonal: rand_type={rand_type!r} is unknown. Use 'uniform' or 'normal'.")
        self.scale, self.rand_type = scale, rand_type

    def _init_weight(self, name, arr):
        if len(arr.shape) < 2:
            raise ValueError(
                f"Orthogonal: '{name}' has shape {arr.shape}. A vector has no rows. It needs 2 axes."
            )
        shape = (arr.shape[0], math.prod(arr.shape[1:]))
        draw = numpy_generator()
        matrix = draw.uniform(-1, 1, shape) if self.rand_type == "uniform" else draw.normal(0, 1, shape)
        u, _, v = numpy.linalg.svd(matrix, full_matrices=False)
        _fill(arr, self.scale * (u if u.shape == shape else v).reshape(arr.shape))


@register
class Xavier(Initializer):
    """Keeps the size of signals through layers (Glorot and Bengio 2010): variance magnitude / (3 or 1) / fan.

    Args:
        rnd_type: `'uniform'`: on ±sqrt(magnitude / fan), or `'gaussian'`: with that standard deviation.
        factor_type: the fan: `'in'`, `'out'` or their average, `'avg'`.
        magnitude: see above.

    >>> Xavier()
    Xavier(rnd_type='uniform', factor_type='avg', magnitude=3.0)
    """

    def __init__(self, rnd_type="uniform", factor_type="avg", magnitude=3):
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=float(magnitude))
        if rnd_type not in ("uniform", "gaussian"):
            raise ValueError(f"Xavier: rnd_type={rnd_type!r} is unknown. Use 'uniform' or 'gaussian'.")
        if factor_type not in ("in", "out", "avg"):
            raise ValueError(f"Xavier: factor_type={factor_type!r} is unknown. Use 'in', 'out' or 'avg'.")
        self.rnd_type, self.factor_type, self.magnitude = rnd_type, factor_type, float(magnitude)

    def _init_weight(self, name, arr):
        shape = arr.shape
        if len(shape) < 2:
            raise ValueError(
                f"{type(self).__name__}: cannot be applied to '{name}' of shape {shape}. It needs to tell"
                f" inputs from outputs, hence at least 2 axes. Give that parameter another initializer."
            )
        window = math.prod(shape[2:])
        fan_out, fan_in = shape[0] * window, shape[1] * window
        fan = {"in": fan_in, "out": fan_out, "avg": (fan_in + fan_out) / 2}[self.factor_type]
        scale = math.sqrt(self.magnitude / fan) if fan else 0.0
        draw = numpy_generator()
        _fill(
            arr,
            draw.uniform(-scale, scale, shape)
            if self.rnd_type == "uniform"
            else draw.normal(0, scale, shape),
        )


@register
class MSRAPrelu(Xavier):
    """For layers followed by (P)ReLU of this slope (He et al. 2015, arXiv:1502.01852)."""

    def __init__(self, factor_type="avg", slope=0.25):
        super().__init__("gaussian", factor_type, 2.0 / (1 + slope**2))
        self._kwargs = {"factor_type": factor_type, "slope": slope}


@register
class Bilinear(Initializer):
    """Weights `(..., h, w)` of a transposed convolution that enlarges images by bilinear interpolation."""

    def __init__(self):
        super().__init__()

    def _init_weight(self, name, arr):
        if len(arr.shape) != 4:
            raise ValueError(f"Bilinear: '{name}' has shape {arr.shape}. Image kernels have 4 axes.")
        factor = math.ceil(arr.shape[3] / 2)
        centre = (2 * factor - 1 - factor % 2) / (2 * factor)
        rows, columns = (1 - abs(numpy.arange(n) / factor - centre) for n in arr.shape[2:])
        _fill(arr, rows[:, None] * columns)


@register
class LSTMBias(Initializer):
    """0, but `forget_bias` for the second quarter: the forget gate (Jozefowicz et al. 2015)."""

    def __init__(self, forget_bias=1.0):
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, name, arr):
        hidden = arr.shape[0] // 4
        values = numpy.zeros(arr.shape)
        values[hidden : 2 * hidden] = self.forget_bias
        _fill(arr, values)

    _init_bias = _init_weight


def _own_initializer(desc, asking):
    """The initializer a parameter brings along, unless it is the one that asks."""
    own = getattr(desc, "attrs", {}).get("__init__")
    return None if own is None or own == "" or own is asking else create(own)


class Mixed:
    """The first initializer whose pattern is found in the parameter's name.

    Args:
        patterns: regular expressions; end with `'.*'`.
        initializers: one for each.
    """

    def __init__(self, patterns, initializers):
        if len(patterns) != len(initializers):
            raise AssertionError(
                f"Mixed: {len(patterns)} patterns for {len(initializers)} initializers. Pair them."
            )
        self.map = [(re.compile(p), create(i)) for p, i in zip(patterns, initializers, strict=True)]

    def __call__(self, name, arr):
        own = _own_initializer(name, self)
        if own is not None:
            getattr(own, "_init_weight", own)(name, arr)
            return
        for pattern, init in self.map:
            if pattern.match(name):
                init(str(name), arr)
                return
        raise ValueError(
            f"Mixed: no pattern fits the parameter '{name}'. Each needs one. Add '.*' as the last pattern."
        )


class Load:
    """Values from a dict of arrays by name (prefixes `arg:` and `aux:` are dropped), else another
    initializer.

    Args:
        param: `{name: array}`.
        default_init: for names that are not in it.
        verbose: print where each value comes from.
    """

    def __init__(self, param, default_init=None, verbose=False):
        self.param = {re.sub(r"^(arg|aux):", "", name): value for name, value in param.items()}
        self.default_init = None if default_init is None else create(default_init)
        self.verbose = verbose

    def __call__(self, name, arr):
        found = self.param.get(str(name))
        if found is None and self.default_init is None:
            raise AssertionError(
                f"Load: no value for '{name}', and there is no default_init. Pass one of the two."
            )
        if found is None:
            self.default_init(str(name), arr)
        elif found.shape != arr.shape:
            raise AssertionError(f"Load: '{name}' has shape {arr.shape}, the loaded value {found.shape}.")
        else:
            _fill(arr, getattr(found, "_data", found))
        if self.verbose:
            print(f"Initialized {name} {'by default' if found is None else 'from the loaded values'}")
