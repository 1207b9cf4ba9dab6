"""`np.random`: distributions (Kolmogorov-Smirnov, fixed seeds), gradients by reparametrization, hybridized draws."""

from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
from scipy import stats

from numblocks import autograd, gluon, np, random

N = 20_000
r = np.random

DRAWS = {
    "uniform": (lambda **k: r.uniform(-1, 3, **k), stats.uniform(-1, 4)),
    "normal": (lambda **k: r.normal(1, 2, **k), stats.norm(1, 2)),
    "exponential": (lambda **k: r.exponential(2.0, **k), stats.expon(scale=2)),
    "gamma": (lambda **k: r.gamma(3.5, 2.0, **k), stats.gamma(3.5, scale=2)),
    "gamma below 1": (lambda **k: r.gamma(0.3, **k), stats.gamma(0.3)),
    "gamma large": (lambda **k: r.gamma(400.0, **k), stats.gamma(400)),
    "beta": (lambda **k: r.beta(2.0, 0.7, **k), stats.beta(2, 0.7)),
    "chisquare": (lambda **k: r.chisquare(3, **k), stats.chi2(3)),
    "f": (lambda **k: r.f(4, 6, **k), stats.f(4, 6)),
    "standard_t": (lambda **k: r.standard_t(4, **k), stats.t(4)),
    "gumbel": (lambda **k: r.gumbel(1, 2, **k), stats.gumbel_r(1, 2)),
    "laplace": (lambda **k: r.laplace(1, 2, **k), stats.laplace(1, 2)),
    "logistic": (lambda **k: r.logistic(1, 2, **k), stats.logistic(1, 2)),
    "lognormal": (lambda **k: r.lognormal(0.5, 0.3, **k), stats.lognorm(0.3, scale=numpy.exp(0.5))),
    "pareto": (lambda **k: r.pareto(3.0, **k), stats.lomax(3)),
    "power": (lambda **k: r.power(3.0, **k), stats.powerlaw(3)),
    "rayleigh": (lambda **k: r.rayleigh(2.0, **k), stats.rayleigh(scale=2)),
    "weibull": (lambda **k: r.weibull(1.5, **k), stats.weibull_min(1.5)),
    "standard_cauchy": (lambda **k: r.standard_cauchy(**k), stats.cauchy),
}
COUNTS = {
    "poisson": (lambda **k: r.poisson(3.5, **k), stats.poisson(3.5)),
    "poisson large": (lambda **k: r.poisson(300.0, **k), stats.poisson(300)),
    "negative_binomial": (lambda **k: r.negative_binomial(3, 0.4, **k), stats.nbinom(3, 0.4)),
    "geometric": (lambda **k: r.geometric(0.3, **k), stats.geom(0.3)),
    "binomial": (lambda **k: r.binomial(9, 0.3, **k), stats.binom(9, 0.3)),
    "randint": (lambda **k: r.randint(2, 7, **k), stats.randint(2, 7)),
    "bernoulli": (lambda **k: r.bernoulli(0.2, **k), stats.bernoulli(0.2)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DRAWS)
def test_distribution(name, dtype):
    draw, law = DRAWS[name]
    random.seed(11)
    x = draw(size=(N // 4, 4), dtype=dtype)
    assert x.dtype == dtype and x.shape == (N // 4, 4)
    values = x.asnumpy().ravel()
    assert numpy.isfinite(values).all()
    assert stats.kstest(values.astype("f8"), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name):
    draw, law = COUNTS[name]
    random.seed(5)
    x = draw(size=N).asnumpy()
    values, counts = numpy.unique(x, return_counts=True)
    keep = counts >= 10
    expected = law.pmf(values[keep]) * N
    rest = N - counts[keep].sum(), max(N - expected.sum(), 1e-9)
    statistic = ((counts[keep] - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, keep.sum()) > 1e-3
    assert abs(rest[0] - rest[1]) < 6 * numpy.sqrt(rest[1]) + 20


def test_multivariate_normal_has_its_mean_and_covariance():
    random.seed(1)
    mean, cov = numpy.array([1.0, -2.0]), numpy.array([[2.0, 0.6], [0.6, 0.5]])
    x = r.multivariate_normal(np.array(mean), np.array(cov), size=N).asnumpy()
    assert (
        x.shape == (N, 2) and numpy.abs(x.mean(0) - mean).max() < 0.05 and numpy.abs(numpy.cov(x.T) - cov).max() < 0.06
    )


def test_multinomial_and_dirichlet():
    random.seed(2)
    p = [0.2, 0.5, 0.3]
    counts = r.multinomial(N, p).asnumpy()
    assert counts.sum() == N and stats.chisquare(counts, numpy.array(p) * N).pvalue > 1e-3
    assert numpy.allclose(r.dirichlet(np.array([1.0, 2.0, 3.0]), size=5).asnumpy().sum(-1), 1, atol=1e-5)
    drawn = random.multinomial(np.array([p, [1.0, 0.0, 0.0]]), shape=N // 4).asnumpy()
    assert (drawn[1] == 0).all() and stats.chisquare(numpy.bincount(drawn[0]), numpy.array(p) * N / 4).pvalue > 1e-3


def test_choice_shuffle_permutation():
    random.seed(3)
    assert sorted(r.permutation(7).tolist()) == list(range(7))
    x = np.arange(6).reshape(3, 2)
    r.shuffle(x)
    assert sorted(map(tuple, x.asnumpy())) == [(0, 1), (2, 3), (4, 5)]
    assert len(set(r.choice(9, 5, replace=False).tolist())) == 5
    assert (r.choice(3, 50, p=np.array([0.0, 1.0, 0.0])).asnumpy() == 1).all()


# d(mean of the draws)/d(parameter) is the derivative of the distribution's mean
MEANS = {
    "normal": (lambda a, **k: r.normal(a, 2.0, **k), 0.7, 1.0),
    "uniform": (lambda a, **k: r.uniform(0.0, a, **k), 2.0, 0.5),
    "exponential": (lambda a, **k: r.exponential(a, **k), 2.0, 1.0),
    "gamma": (lambda a, **k: r.gamma(a, 3.0, **k), 1.7, 3.0),
    "gamma below 1": (lambda a, **k: r.gamma(a, **k), 0.5, 1.0),
    "gamma scale": (lambda a, **k: r.gamma(2.0, a, **k), 1.7, 2.0),
    "beta": (lambda a, **k: r.beta(a, 2.0, **k), 3.0, 2.0 / 25),
    "chisquare": (lambda a, **k: r.chisquare(a, **k), 5.0, 1.0),
    "gumbel": (lambda a, **k: r.gumbel(0.0, a, **k), 2.0, numpy.euler_gamma),
    "laplace": (lambda a, **k: r.laplace(a, 1.0, **k), 2.0, 1.0),
    "logistic": (lambda a, **k: r.logistic(a, 1.0, **k), 2.0, 1.0),
    "lognormal": (lambda a, **k: r.lognormal(a, 0.5, **k), 0.3, numpy.exp(0.3 + 0.125)),
    "pareto": (lambda a, **k: r.pareto(a, **k), 6.0, -1 / 25),
    "power": (lambda a, **k: r.power(a, **k), 3.0, 1 / 16),
    "rayleigh": (lambda a, **k: r.rayleigh(a, **k), 2.0, numpy.sqrt(numpy.pi / 2)),
}


@pytest.mark.parametrize("name", MEANS)
def test_gradient_is_that_of_the_mean(name):
    draw, at, wanted = MEANS[name]
    random.seed(4)
    a = np.array([at], dtype="float64")
    a.attach_grad()
    with autograd.record():
        y = draw(a, size=(N, 1), dtype="float64").mean()
    y.backward()
    assert abs(a.grad.item() - wanted) < 0.05 * max(abs(wanted), 0.2)


def test_multivariate_normal_is_differentiable():
    mean, cov = np.zeros(2), np.array([[2.0, 0.6], [0.6, 0.5]])
    mean.attach_grad(), cov.attach_grad()
    with autograd.record():
        y = (r.multivariate_normal(mean, cov, size=N) ** 2).sum(-1).mean()
    y.backward()
    assert numpy.abs(cov.grad.asnumpy() - numpy.eye(2)).max() < 0.1  # E|x|^2 is the trace of the covariance


class Draw(gluon.HybridBlock):
    """A Block that draws."""

    def __init__(self, draw):
        super().__init__()
        self.draw = draw

    def forward(self, x):
        return self.draw(x)


@pytest.mark.parametrize("name", ["normal", "gamma", "beta", "laplace", "poisson", "gumbel"])
def test_hybridized_draws_the_same_and_draws_anew(name):
    draw = {"poisson": lambda a: r.poisson(a, size=(50, 1))}.get(name) or (lambda a: MEANS[name][0](a, size=(50, 1)))
    x, block = np.array([2.0]), Draw(draw)
    random.seed(9)
    eager = block(x).asnumpy()
    block.hybridize()
    random.seed(9)
    first, second = block(x).asnumpy(), block(x).asnumpy()
    numpy.testing.assert_allclose(first, eager, rtol=1e-5)
    assert not numpy.allclose(first, second)


def test_host_draws_are_refused_in_a_trace():
    block = Draw(lambda x: x + r.permutation(3))
    block.hybridize()
    with pytest.raises(RuntimeError, match="host"):
        block(np.zeros(3))


@pytest.mark.parametrize(
    "call", [lambda: r.gamma(-1.0), lambda: r.beta(0.0, 1.0), lambda: r.weibull(-2), lambda: r.rayleigh(-1.0)]
)
def test_parameters_must_be_positive(call):
    with pytest.raises(ValueError, match="must be positive"):
        call()


def test_parameters_broadcast_and_out_is_filled():
    assert r.gamma(np.ones((3, 1)), np.ones(4)).shape == (3, 4)
    out = np.zeros((2, 2))
    assert r.exponential(1.0, size=(2, 2), out=out) is out and (out > 0).all()


def test_threads_do_not_disturb_each_other():
    """Streams are numbered under a lock: together the threads draw the numbers that one would, none twice."""
    random.seed(6)
    alone = {x.tobytes() for x in (r.uniform(size=8).asnumpy() for _ in range(40))}
    random.seed(6)
    with ThreadPoolExecutor(4) as pool:
        together = {x.tobytes() for x in pool.map(lambda _: r.uniform(size=8).asnumpy(), range(40))}
    assert alone == together and len(alone) == 40
