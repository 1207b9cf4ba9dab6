"""Activations as layers. Every one keeps the shape of its input."""

from __future__ import annotations

from ... import init as initializer
from ... import np, npx
from ..hybrid import HybridBlock


class Activation(HybridBlock):
    """An activation chosen by name.

    Args:
        activation: `'relu'`, `'sigmoid'`, `'tanh'`, `'softrelu'`, `'softsign'`, `'gelu'` ...

    Shapes: any -> the same.

    >>> Activation('relu')(np.array([-1., 2.]))
    array([0., 2.])
    """

    def __init__(self, activation, **kwargs):
        self._act_type = activation
        super().__init__(**kwargs)

    def _alias(self):
        return self._act_type

    def forward(self, x):
        return npx.activation(x, act_type=self._act_type)

    def __repr__(self):
        return f"Activation({self._act_type})"


class LeakyReLU(HybridBlock):
    """`x` where positive, `alpha * x` elsewhere.

    Args:
        alpha: slope for negative values, not negative itself.

    Shapes: any -> the same.

    >>> LeakyReLU(0.5)(np.array([-1., 2.]))
    array([-0.5,  2. ])
    """

    def __init__(self, alpha, **kwargs):
        if alpha < 0:
            raise ValueError(
                f"LeakyReLU: alpha is {alpha}. The slope must not be negative. Use a number from 0 up."
            )
        super().__init__(**kwargs)
        self._alpha = alpha

    def forward(self, x):
        return npx.leaky_relu(x, act_type="leaky", slope=self._alpha)

    def __repr__(self):
        return f"LeakyReLU({self._alpha})"


class PReLU(HybridBlock):
    """LeakyReLU whose slope is learnt (He et al., arXiv:1502.01852).

    Args:
        alpha_initializer: initializer of the slope; None: 0.25.
        in_channels: 1 for one slope, or the size of axis 1 for one each.

    Shapes: any -> the same. alpha `(in_channels,)`.

    >>> layer = PReLU()
    >>> layer.initialize()
    >>> layer(np.array([-4., 2.]))
    array([-1.,  2.])
    """

    def __init__(self, alpha_initializer=None, in_channels=1, **kwargs):
        super().__init__(**kwargs)
        init = initializer.Constant(0.25) if alpha_initializer is None else alpha_initializer
        with self.name_scope():
            self.alpha = self.params.get("alpha", shape=(in_channels,), init=init)

    def forward(self, x):
        alpha = self.alpha.data(x._device)
        if alpha.size > 1:
            alpha = alpha.reshape((-1,) + (1,) * (x.ndim - 2))
        return np.where(x > 0, x, alpha * x)


class ELU(HybridBlock):
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., arXiv:1511.07289).

    Args:
        alpha: what it tends to, negated, far below zero.

    Shapes: any -> the same.

    >>> ELU()(np.array([0., 2.]))
    array([0., 2.])
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self._alpha = alpha

    def forward(self, x):
        return npx.leaky_relu(x, act_type="elu", slope=self._alpha)


class SELU(HybridBlock):
    """ELU with the two constants that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515).

    Shapes: any -> the same.

    >>> SELU()(np.array([0.]))
    array([0.])
    """

    def forward(self, x):
        return npx.leaky_relu(x, act_type="selu")


class GELU(HybridBlock):
    """`x * Phi(x)`, Phi being the normal distribution function (Hendrycks and Gimpel, arXiv:1606.08415).

    Shapes: any -> the same.

    >>> GELU()(np.array([0.]))
    array([0.])
    """

    def forward(self, x):
        return npx.gelu(x)


class Swish(HybridBlock):
    """`x * sigmoid(beta * x)` (Ramachandran et al., arXiv:1710.05941).

    Args:
        beta: steepness.

    Shapes: any -> the same.

    >>> Swish()(np.array([0.]))
    array([0.])
    """

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self._beta = beta

    def forward(self, x):
        return x * npx.sigmoid(self._beta * x)


SiLU = Swish
