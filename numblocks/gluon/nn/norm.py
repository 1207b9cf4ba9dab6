"""Normalization: BatchNorm and LayerNorm."""

from __future__ import annotations

import numpy

from ... import npx
from ..hybrid import HybridBlock


class BatchNorm(HybridBlock):
    """Normalizes each channel over the batch, then scales and shifts it (Ioffe and Szegedy,
    arXiv:1502.03167).

    In training the batch's own mean and variance are used and the running ones follow them during forward; in
    prediction the running ones are used. (The original updated them in backward.)

    Args:
        axis: the channel axis.
        momentum: of the running statistics: `running = momentum * running + (1 - momentum) * batch`.
        epsilon: added to the variance.
        center: learn the shift `beta`; scale: learn the scale `gamma`. What is not learnt stays 0 and 1.
        use_global_stats: use the running statistics in training, too.
        beta_initializer, gamma_initializer: initializers of the learnt shift and scale.
        running_mean_initializer, running_variance_initializer: initializers of the statistics.
        in_channels: number of channels; 0 to learn it from the first batch.

    Shapes: any with a channel axis -> the same. All four parameters `(channels,)`.

    >>> layer = BatchNorm()
    >>> layer.initialize()
    >>> layer(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    def __init__(
        self, axis=1, momentum=0.9, epsilon=1e-5, center=True, scale=True, use_global_stats=False,
        beta_initializer="zeros", gamma_initializer="ones", running_mean_initializer="zeros",
        running_variance_initializer="ones", in_channels=0, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._axis, self._momentum, self._epsilon = axis, momentum, epsilon
        self._fix_gamma, self._use_global_stats = not scale, use_global_stats
        shared = {"shape": (in_channels,), "allow_deferred_init": True}
        self.gamma = self.params.get(
            "gamma", grad_req="write" if scale else "null", init=gamma_initializer, differentiable=scale,
            **shared
        )
        self.beta = self.params.get(
            "beta", grad_req="write" if center else "null", init=beta_initializer, differentiable=center,
            **shared
        )
        self.running_mean = self.params.get(
            "running_mean", grad_req="null", init=running_mean_initializer, differentiable=False, **shared
        )
        self.running_var = self.params.get(
            "running_var", grad_req="null", init=running_variance_initializer, differentiable=False, **shared
        )

    def infer_shape(self, x):
        if not -x.ndim <= self._axis < x.ndim:
            raise ValueError(
                f"the input has shape {x.shape}. The channels are read from axis {self._axis}, and there is"
                f" none. Set axis, or reshape the input."
            )
        for param in (self.gamma, self.beta, self.running_mean, self.running_var):
            param.shape = (x.shape[self._axis],)

    def cast(self, dtype):
        """Convert the parameters to `dtype`; for float16 they stay float32, to keep the statistics exact."""
        super().cast("float32" if numpy.dtype(dtype).name == "float16" else dtype)

    def forward(self, x):
        device = x._device
        return npx.batch_norm(
            x, self.gamma.data(device), self.beta.data(device), self.running_mean.data(device),
            self.running_var.data(device), eps=self._epsilon, momentum=self._momentum,
            fix_gamma=self._fix_gamma, use_global_stats=self._use_global_stats, axis=self._axis,
        )  # fmt: skip

    def __repr__(self):
        return (
            f"BatchNorm(axis={self._axis}, eps={self._epsilon}, momentum={self._momentum},"
            f" fix_gamma={self._fix_gamma}, use_global_stats={self._use_global_stats},"
            f" in_channels={self.gamma.shape[0]})"
        )


class LayerNorm(HybridBlock):
    """Normalizes one axis of every example, then scales and shifts it (Ba et al., arXiv:1607.06450).

    Args:
        axis: the axis to normalize.
        epsilon: added to the variance.
        center: learn the shift `beta`; scale: learn the scale `gamma`.
        beta_initializer, gamma_initializer: initializers.
        in_channels: size of the axis; 0 to learn it from the first batch.

    Shapes: any -> the same. gamma and beta `(size of the axis,)`.

    >>> layer = LayerNorm()
    >>> layer.initialize()
    >>> layer(np.array([[1., 3.]])).shape
    (1, 2)
    """

    def __init__(
        self, axis=-1, epsilon=1e-5, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", in_channels=0, prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        self._axis, self._epsilon, self._center, self._scale = axis, epsilon, center, scale
        shared = {"shape": (in_channels,), "allow_deferred_init": True}
        self.gamma = self.params.get(
            "gamma", grad_req="write" if scale else "null", init=gamma_initializer, **shared
        )
        self.beta = self.params.get(
            "beta", grad_req="write" if center else "null", init=beta_initializer, **shared
        )

    def infer_shape(self, x):
        if not -x.ndim <= self._axis < x.ndim:
            raise ValueError(
                f"the input has shape {x.shape}. Axis {self._axis} is to be normalized, and there is none."
                f" Set axis, or reshape the input."
            )
        self.gamma.shape = self.beta.shape = (x.shape[self._axis],)

    def forward(self, x):
        device = x._device
        return npx.layer_norm(x, self.gamma.data(device), self.beta.data(device), axis=self._axis,
        eps=self._epsilon)

    def __repr__(self):
        return (
            f"LayerNorm(eps={self._epsilon}, axis={self._axis}, center={self._center}, scale={self._scale},"
            f" in_channels={self.gamma.shape[0]})"
        )
