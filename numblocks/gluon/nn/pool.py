"""Pooling over 1, 2 or 3 spatial axes, in windows or over everything."""

from __future__ import annotations

from ... import npx
from ..hybrid import HybridBlock
from .conv import spread


class _Pooling(HybridBlock):
    """Any number of spatial axes, any kind of pooling."""

    def __init__(
        self, n, pool_size, strides, padding, ceil_mode, global_pool, pool_type, layout,
        count_include_pad=True, prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        sizes = "DHW"[3 - n :]
        if layout not in (f"NC{sizes}", f"N{sizes}C"):
            raise ValueError(
                f"{type(self).__name__}: layout {layout!r} was given. It names batch N, channels C and {n} spatial"
                f" axes. Use 'NC{sizes}' or 'N{sizes}C'."
            )
        self._kernel = spread(pool_size, n, "pool_size")
        self._strides = self._kernel if strides is None else spread(strides, n, "strides")
        self._padding = spread(padding, n, "padding")
        self._ceil_mode, self._global_pool = ceil_mode, global_pool
        self._pool_type, self._layout = pool_type, layout
        self._count_include_pad = count_include_pad

    def _alias(self):
        return "pool"

    def forward(self, x):
        if x.ndim != len(self._layout):
            raise ValueError(
                f"the input has {x.ndim} axes, shape {x.shape}. The layer reads {self._layout},"
                f" {len(self._layout)} axes. Reshape the input."
            )
        return npx.pooling(
            x, kernel=self._kernel, stride=self._strides, pad=self._padding, pool_type=self._pool_type,
            global_pool=self._global_pool, pooling_convention="full" if self._ceil_mode else "valid",
            count_include_pad=self._count_include_pad, layout=self._layout,
        )  # fmt: skip

    def __repr__(self):
        return (
            f"{type(self).__name__}(size={self._kernel}, stride={self._strides}, padding={self._padding},"
            f" ceil_mode={self._ceil_mode}, global_pool={self._global_pool},"
            f" pool_type={self._pool_type}, layout={self._layout})"
        )


_WINDOW = """{what} in windows over {axes}.

    Args:
        pool_size: size of the window, an int or one per axis.
        strides: steps between windows; None for the window's size.
        padding: added at both ends of each axis.
        layout: `'{layout}'` or `'{last}'`.
        ceil_mode: also keep a last, incomplete window.{more}

    Shapes: `({shape})` -> the same with each spatial size `(size + 2 * padding - pool_size) // strides + 1`.

    >>> {name}(2)(np.ones(({ones}))).shape
    ({pooled})
    """

_GLOBAL = """{what} over all of {axes}.

    Args:
        layout: `'{layout}'` or `'{last}'`.

    Shapes: `({shape})` -> the same with every spatial size 1.

    >>> {name}()(np.ones(({ones}))).shape
    ({pooled})
    """
_AXES = {1: "one spatial axis", 2: "height and width", 3: "depth, height and width"}
_SIZES = {1: "width", 2: "height, width", 3: "depth, height, width"}
_KINDS = {"max": "The largest value", "avg": "The average"}


def _document(cls, n: int, kind: str, window: bool):
    """Fill the docstring of one of the twelve classes, which differ in these words only."""
    more = "\n        count_include_pad: whether padding counts in the average." if kind == "avg" else ""
    cls.__doc__ = (_WINDOW if window else _GLOBAL).format(
        what=_KINDS[kind], axes=_AXES[n], layout="NC" + "DHW"[3 - n :], last=f"N{'DHW'[3 - n :]}C", more=more,
        shape="batch, channels, " + _SIZES[n], name=cls.__name__, ones=", ".join(["1, 3"] + ["4"] * n),
        pooled=", ".join(["1, 3"] + ["2" if window else "1"] * n),
    )  # fmt: skip
    return cls


class MaxPool1D(_Pooling):
    def __init__(self, pool_size=2, strides=None, padding=0, layout="NCW", ceil_mode=False, **kwargs):
        super().__init__(1, pool_size, strides, padding, ceil_mode, False, "max", layout, **kwargs)


class MaxPool2D(_Pooling):
    def __init__(self, pool_size=(2, 2), strides=None, padding=0, layout="NCHW", ceil_mode=False, **kwargs):
        super().__init__(2, pool_size, strides, padding, ceil_mode, False, "max", layout, **kwargs)


class MaxPool3D(_Pooling):
    def __init__(
        self, pool_size=(2, 2, 2), strides=None, padding=0, ceil_mode=False, layout="NCDHW", **kwargs
    ):  # fmt: skip
        super().__init__(3, pool_size, strides, padding, ceil_mode, False, "max", layout, **kwargs)


class AvgPool1D(_Pooling):
    def __init__(
        self, pool_size=2, strides=None, padding=0, layout="NCW", ceil_mode=False, count_include_pad=True,
        **kwargs,
    ):  # fmt: skip
        super().__init__(
            1, pool_size, strides, padding, ceil_mode, False, "avg", layout, count_include_pad, **kwargs
        )


class AvgPool2D(_Pooling):
    def __init__(
        self, pool_size=(2, 2), strides=None, padding=0, ceil_mode=False, layout="NCHW",
        count_include_pad=True, **kwargs,
    ):  # fmt: skip
        super().__init__(
            2, pool_size, strides, padding, ceil_mode, False, "avg", layout, count_include_pad, **kwargs
        )


class AvgPool3D(_Pooling):
    def __init__(
        self, pool_size=(2, 2, 2), strides=None, padding=0, ceil_mode=False, layout="NCDHW",
        count_include_pad=True, **kwargs,
    ):  # fmt: skip
        super().__init__(
            3, pool_size, strides, padding, ceil_mode, False, "avg", layout, count_include_pad, **kwargs
        )


class GlobalMaxPool1D(_Pooling):
    def __init__(self, layout="NCW", **kwargs):
        super().__init__(1, 1, None, 0, True, True, "max", layout, **kwargs)


class GlobalMaxPool2D(_Pooling):
    def __init__(self, layout="NCHW", **kwargs):
        super().__init__(2, 1, None, 0, True, True, "max", layout, **kwargs)


class GlobalMaxPool3D(_Pooling):
    def __init__(self, layout="NCDHW", **kwargs):
        super().__init__(3, 1, None, 0, True, True, "max", layout, **kwargs)


class GlobalAvgPool1D(_Pooling):
    def __init__(self, layout="NCW", **kwargs):
        super().__init__(1, 1, None, 0, True, True, "avg", layout, **kwargs)


class GlobalAvgPool2D(_Pooling):
    def __init__(self, layout="NCHW", **kwargs):
        super().__init__(2, 1, None, 0, True, True, "avg", layout, **kwargs)


class GlobalAvgPool3D(_Pooling):
    def __init__(self, layout="NCDHW", **kwargs):
        super().__init__(3, 1, None, 0, True, True, "avg", layout, **kwargs)


for _n, _window, *_pair in (
    (1, True, MaxPool1D, AvgPool1D),
    (2, True, MaxPool2D, AvgPool2D),
    (3, True, MaxPool3D, AvgPool3D),
    (1, False, GlobalMaxPool1D, GlobalAvgPool1D),
    (2, False, GlobalMaxPool2D, GlobalAvgPool2D),
    (3, False, GlobalMaxPool3D, GlobalAvgPool3D),
):
    for _class, _kind in zip(_pair, ("max", "avg"), strict=True):
        _document(_class, _n, _kind, _window)
