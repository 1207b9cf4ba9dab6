"""Normalization that does not look at the batch, BatchNorm with relu behind it, and reflecting padding."""

from __future__ import annotations

from ... import np, npx
from ..hybrid import HybridBlock
from .norm import BatchNorm


class BatchNormReLU(BatchNorm):
    """BatchNorm followed by relu; arguments as of BatchNorm.

    >>> layer = BatchNormReLU()
    >>> layer.initialize()
    >>> layer(np.array([[-1., 2.]])).shape
    (1, 2)
    """

    def forward(self, x):
        return npx.relu(super().forward(x))

    def __repr__(self):
        return super().__repr__().replace("BatchNorm(", "BatchNormReLU(")


class SyncBatchNorm(BatchNorm):
    """BatchNorm whose statistics are shared between devices; on one device, BatchNorm.

    Args:
        in_channels, num_devices: channels, and how many devices share a batch (1 here).
        kwargs: as of BatchNorm.

    >>> layer = SyncBatchNorm(in_channels=2)
    >>> layer.initialize()
    >>> layer(np.ones((3, 2))).shape
    (3, 2)
    """

    def __init__(self, in_channels=0, num_devices=None, **kwargs):
        super().__init__(in_channels=in_channels, **kwargs)
        self._num_devices = num_devices or 1

    def __repr__(self):
        text = super().__repr__().replace("BatchNorm(axis=1, ", "SyncBatchNorm(")
        return text.replace("in_channels", f"ndev={self._num_devices}, key={self.prefix!r}, in_channels")


class GroupNorm(HybridBlock):
    """Normalizes groups of channels of every example, then scales and shifts (Wu and He, arXiv:1803.08494).

    Args:
        num_groups: into which the channels divide.
        epsilon: added to the variance.
        center: learn the shift `beta`; scale: learn the scale `gamma`.
        beta_initializer, gamma_initializer: initializers.

    Shapes: `(batch, channels, ...)` -> the same. gamma and beta `(num_groups,)`, one for each group.

    >>> layer = GroupNorm(num_groups=2)
    >>> layer.initialize()
    >>> layer(np.ones((2, 4, 3, 3))).shape
    (2, 4, 3, 3)
    """

    def __init__(
        self, num_groups=1, epsilon=1e-5, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
        prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        self._num_groups, self._epsilon, self._center, self._scale = num_groups, epsilon, center, scale
        self.gamma = self.params.get(
            "gamma", shape=(num_groups,), grad_req="write" if scale else "null", init=gamma_initializer
        )
        self.beta = self.params.get(
            "beta", shape=(num_groups,), grad_req="write" if center else "null", init=beta_initializer
        )

    def forward(self, x):
        return npx.group_norm(x, self.gamma.data(x.ctx), self.beta.data(x.ctx), self._num_groups, self._epsilon)

    def __repr__(self):
        groups, shift = f"num_groups={self._num_groups}", f"center={self._center}, scale={self._scale}"
        return f"GroupNorm(eps={self._epsilon}, {groups}, {shift})"


class InstanceNorm(HybridBlock):
    """Normalizes each channel of every example, then scales and shifts (Ulyanov et al., arXiv:1607.08022).

    Args:
        axis: the channel axis.
        epsilon: added to the variance.
        center: learn the shift `beta`; scale: learn the scale `gamma`.
        beta_initializer, gamma_initializer: initializers.
        in_channels: number of channels; 0 to learn it from the first batch.

    Shapes: any with batch and channel axes -> the same. gamma and beta `(channels,)`.

    >>> layer = InstanceNorm()
    >>> layer.initialize()
    >>> layer(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    def __init__(
        self, axis=1, epsilon=1e-5, center=True, scale=False, beta_initializer="zeros", gamma_initializer="ones",
        in_channels=0, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._axis, self._epsilon, self._center, self._scale = axis, epsilon, center, scale
        shared = {"shape": (in_channels,), "allow_deferred_init": True}
        self.gamma = self.params.get("gamma", grad_req="write" if scale else "null", init=gamma_initializer, **shared)
        self.beta = self.params.get("beta", grad_req="write" if center else "null", init=beta_initializer, **shared)

    def infer_shape(self, x):
        if x.ndim < 3 or not -x.ndim <= self._axis < x.ndim:
            raise ValueError(
                f"the input has shape {x.shape}. The layer reads a batch, channels on axis {self._axis} and at"
                f" least one axis"
                f" to normalize. Reshape the input."
            )
        self.gamma.shape = self.beta.shape = (x.shape[self._axis],)

    def forward(self, x):
        return npx.instance_norm(x, self.gamma.data(x.ctx), self.beta.data(x.ctx), self._epsilon, self._axis)

    def __repr__(self):
        return (
            f"InstanceNorm(eps={self._epsilon}, axis={self._axis}, center={self._center}, scale={self._scale},"
            f" in_channels={self.gamma.shape[0]})"
        )


class ReflectionPad2D(HybridBlock):
    """Pads height and width with their own reflection.

    Args:
        padding: an int for all four sides, or eight ints, two for each axis, as of `np.pad`.

    Shapes: `(batch, channels, height, width)` -> `(batch, channels, height + 2 padding, width + 2 padding)`.

    >>> ReflectionPad2D(1)(np.arange(4).reshape(1, 1, 2, 2))[0, 0, 0]
    array([3., 2., 3., 2.])
    """

    def __init__(self, padding=0, **kwargs):
        super().__init__(**kwargs)
        flat = (0, 0, 0, 0, padding, padding, padding, padding) if isinstance(padding, int) else tuple(padding)
        if len(flat) != 8:
            raise AssertionError(
                f"ReflectionPad2D: padding {padding!r} is neither an int nor eight ints. Pass one of them."
            )
        self._padding = tuple(zip(flat[::2], flat[1::2], strict=True))

    def forward(self, x):
        return np.pad(x, self._padding, mode="reflect")
