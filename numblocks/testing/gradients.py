"""`check_gradients`: are the gradients of a function or Block right?"""

from __future__ import annotations

import hypothesis
import numpy

from . import numeric
from .complexstep import NotAnalytic, complex_step
from .noise import Noise
from .numeric import EPS, SAFETY, Derivative, KinkError, differentiate, tolerance
from .report import GradientError, script
from .subject import Subject, default_modes, raw

METHODS = ("auto", "central", "complex")


def check_gradients(
    f,
    *inputs,
    order: int = 1,
    modes=None,
    train_mode: bool = True,
    seed: int = 0,
    directions: int = 1,
    parameters: bool = True,
    method: str = "auto",
) -> None:
    """Compare the gradients of `f` with differences, in float64, within the error of the differences.

    Outputs are folded with random weights, arrays move along random directions, so one comparison sees every
    element; where it fails, the element is searched. Floats narrower than float64 are checked through a float64
    twin first, then against the twin within what their rounding allows. Integer and bool inputs stay fixed.

    Args:
        f: a Block, or a function of ndarrays. It must give the same answer each time (dropout does: the random
            stream is set before each call).
        inputs: ndarrays or NumPy arrays.
        order: 2 also checks the gradient of the gradient.
        modes: of 'eager' and 'hybridized'; by default the Block as it is.
        train_mode: whether layers behave as in training.
        seed: of everything random.
        directions: how many random directions.
        parameters: check the Block's parameters as well as the inputs.
        method: of the numeric derivative. 'central': differences with Richardson's estimate of their error. 'complex':
            the complex step, for functions whose ops all have an analytic continuation in NumPy. 'auto': differences,
            then the complex step where it applies, agrees with them and errs less. Messages say which it was. Second
            derivatives are always by differences.

    Raises:
        GradientError: names array, element, analytic and numeric value, error and seed, and holds a script.
        KinkError: there is no derivative at the point. Inside a hypothesis test the draw is rejected instead.
        NotAnalytic: `method` is 'complex' and an op has no continuation.

    >>> from numblocks import np
    >>> check_gradients(lambda x: np.tanh(x) * x, np.array([0.5, -1.0]), order=2)
    """
    if method not in METHODS:
        raise ValueError(f"check_gradients: method {method!r} is unknown. Use one of {', '.join(METHODS)}.")
    try:
        for mode in modes or default_modes(f):
            if mode not in ("eager", "hybridized"):
                raise ValueError(f"check_gradients: mode {mode!r} is unknown. Use 'eager' or 'hybridized'.")
            options = {"order": order, "modes": (mode,), "train_mode": train_mode, "seed": seed}
            options |= {"method": method} if method != "auto" else {}
            Check(f, inputs, mode, train_mode, seed, parameters, options).run(order, directions)
    except KinkError:
        if hypothesis.currently_in_test_context():
            hypothesis.reject()
        raise


class Check:
    """One function at one point in one mode."""

    def __init__(self, f, inputs, mode, train_mode, seed, parameters, options):
        self.f, self.mode, self.options = f, mode, options
        self.before = [raw(x).copy() for x in inputs]
        self.given = [raw(x) for x in inputs]
        self.wide = Subject(f, inputs, True, train_mode, seed, mode)
        self.plain = Subject(f, inputs, True, train_mode, seed) if mode != "eager" else self.wide
        self.narrow = None
        own = Subject(f, inputs, False, train_mode, seed, mode)
        if any(x.dtype.kind == "f" and x.dtype != numpy.float64 for x in own.start):
            self.narrow = own
            self.shaken = Subject(f, inputs, True, train_mode, seed)
        if not parameters:
            for subject in {
                id(s): s for s in (self.wide, self.plain, own, *([self.shaken] if self.narrow else []))
            }.values():
                subject.moves[len(inputs) :] = [False] * len(subject.params)
        self.rng = numpy.random.default_rng(seed)
        self.start, self.moves, self.names = self.wide.start, self.wide.moves, self.wide.names

    def run(self, order: int, directions: int) -> None:
        """All comparisons."""
        ys = self.plain.values(self.start)
        self.refuse_narrow(ys)
        self.same_twice(ys)
        self.heads = [
            numpy.asarray(self.rng.choice([-1.0, 1.0], y.shape) * self.rng.uniform(0.5, 1.0, y.shape)) for y in ys
        ]
        self.weights = flat(self.heads)
        found = self.wide.gradients(self.start, self.heads)
        self.check_form(found)
        for _ in range(directions):
            along = self.direction()
            self.compare(found, along, self.plain_values, self.weights, "")
        self.check_accumulation(found)
        if order >= 2:
            along = self.direction()
            again = self.wide.second(self.start, self.heads, along)
            units = numpy.ones(1)
            first = lambda h, v: numpy.array([dot(self.plain.gradients(self.moved(v, h), self.heads), along)])
            self.compare(again, self.direction(), first, units, "second derivative of ")
        for x, old in zip(self.given, self.before, strict=True):
            if not numpy.array_equal(x, old, equal_nan=x.dtype.kind == "f"):
                raise GradientError(
                    f"check_gradients: the function changed an input of shape {x.shape}. Inputs stay as they are."
                )
        if self.narrow is not None:
            self.compare_narrow(found)

    def direction(self) -> list:
        """A random direction in all arrays that move, 0 in the others; no component is small."""
        return [
            numpy.asarray(self.rng.choice([-1.0, 1.0], x.shape) * self.rng.uniform(0.5, 1.0, x.shape))
            if moves
            else None
            for x, moves in zip(self.start, self.moves, strict=True)
        ]

    def moved(self, along, h: float) -> list:
        """The arrays moved by `h` along a direction."""
        return [x if v is None else numpy.asarray(x + h * v) for x, v in zip(self.start, along, strict=True)]

    def refuse_narrow(self, ys) -> None:
        """Differences need outputs in float64."""
        for k, y in enumerate(ys):
            if y.dtype != numpy.float64:
                raise TypeError(
                    f"check_gradients: output {k} is {y.dtype} although all inputs were float64. The function"
                    f" casts, and"
                    f" differences drown in {y.dtype}'s rounding. Take the cast out of what is checked."
                )

    def same_twice(self, ys) -> None:
        """A function of its inputs gives the same answer again."""
        again = self.plain.values(self.start)
        if not all(numpy.array_equal(a, b, equal_nan=True) for a, b in zip(ys, again, strict=True)):
            raise GradientError(
                "check_gradients: two calls on the same inputs differ. The function depends on something else (state,"
                " or random numbers that numblocks.random does not rule). Take it out."
            )
        if self.wide is not self.plain:
            found = self.wide.values(self.start)
            for k, (a, b) in enumerate(zip(ys, found, strict=True)):
                scale = numpy.abs(a).max(initial=1.0)
                if a.shape != b.shape or not numpy.allclose(a, b, rtol=1e-9, atol=1e-10 * scale, equal_nan=True):
                    raise GradientError(f"check_gradients: output {k} differs between eager and hybridized:\n{a}\n{b}")

    def check_form(self, found) -> None:
        """Gradients have shape and dtype of their arrays, and are numbers."""
        for name, x, g in zip(self.names, self.start, found, strict=True):
            if g is None:
                continue
            if g.shape != x.shape or g.dtype != x.dtype:
                raise GradientError(
                    f"check_gradients: {name} is {x.dtype}{list(x.shape)}, its gradient {g.dtype}{list(g.shape)}."
                )
            if not numpy.isfinite(g).all():
                at = tuple(map(int, numpy.argwhere(~numpy.isfinite(g))[0]))
                along = self.unit(self.names.index(name), at)
                self.measure(self.plain_values, along, self.weights)  # a kink is no fault
                raise GradientError(f"check_gradients: the gradient of {name} at {list(at)} is {g[at]}, but one exists."
                                    f"\n{self.script()}", where=name, element=at)  # fmt: skip

    def plain_values(self, h, along) -> numpy.ndarray:
        """All outputs after a step of `h`, which may be complex."""
        compute = self.plain.continued if isinstance(h, complex) else self.plain.values
        return flat(compute(self.moved(along, h)))

    def measure(self, values, along, weights) -> Derivative:
        """The derivative of `values` along a direction, by the best of the methods allowed."""
        step = lambda h: values(h, along)
        method = self.options.get("method", "auto") if values == self.plain_values else "central"
        if method == "complex":
            return complex_step(step, step(0.0), weights)
        differences = differentiate(step, weights)
        if method == "central":
            return differences
        try:
            exact = complex_step(step, step(0.0), weights)
        except NotAnalytic:
            return differences
        agree = abs(exact.value - differences.value) <= tolerance(differences, abs(exact.value))
        return exact if agree and exact.error < differences.error else differences

    def unit(self, k: int, at) -> list:
        """The direction of one element."""
        along = [None] * len(self.start)
        along[k] = numpy.zeros(self.start[k].shape)
        along[k][at] = 1.0
        return along

    def compare(self, found, along, values, weights, what: str) -> None:
        """The directional derivative by `found` against differences of `values`."""
        numeric_ = self.measure(values, along, weights)
        terms = sum(float(numpy.abs(g * v).sum()) for g, v in zip(found, along, strict=True) if g is not None)
        exact = dot(found, along)
        if abs(exact - numeric_.value) <= tolerance(numeric_, terms):
            return
        self.blame(found, along, values, weights, what, exact, numeric_)

    def blame(self, found, along, values, weights, what, exact, whole) -> None:
        """Find the worst element and raise."""
        worst = None
        for k, at in self.suspects(found, along, values, weights):
            try:
                part = self.measure(values, self.unit(k, at), weights)
            except KinkError:
                continue
            allowed = tolerance(part, abs(float(found[k][at])))
            excess = abs(float(found[k][at]) - part.value) / allowed
            if worst is None or excess > worst[0]:
                worst = excess, k, at, float(found[k][at]), part, allowed
        if worst is None or worst[0] <= 1:
            where, at, analytic, part, allowed = (
                "a random direction in all arrays",
                (),
                exact,
                whole,
                tolerance(whole, abs(exact)),
            )
        else:
            _, k, at, analytic, part, allowed = worst
            where = self.names[k]
        text = self.script()
        seed = self.options["seed"]
        raise GradientError(
            f"check_gradients ({self.mode}): {what}{where} {list(at) if at != () else ''}: analytic {analytic!r},"
            f" numeric {float(part.value)!r} +- {part.error:.2g} by {part.method} (allowed {allowed:.2g}), seed {seed}."
            f" The VJP is wrong, or the forward pass is. To repeat it:\n{text}",
            where=where, element=at, analytic=analytic, numeric=part.value, error=part.error, tolerance=allowed,
            seed=seed, script=text, method=part.method,
        )  # fmt: skip

    def suspects(self, found, along, values, weights):
        """Elements to look at: all of small arrays; in large ones the half that fails, again and again."""
        for k, g in enumerate(found):
            if g is None:
                continue
            if g.size <= 64:
                yield from ((k, at) for at in numpy.ndindex(g.shape))
                continue
            part = numpy.arange(g.size)
            while part.size > 8:
                left = part[: part.size // 2]
                mask = numpy.zeros(g.size)
                mask[left] = 1.0
                half = [None] * len(found)
                half[k] = along[k] * mask.reshape(g.shape)
                try:
                    d = self.measure(values, half, weights)
                    wrong = abs(dot(found, half) - d.value) > tolerance(d, float(numpy.abs(g * half[k]).sum()))
                except KinkError:
                    wrong = False
                part = left if wrong else part[part.size // 2 :]
            yield from ((k, tuple(map(int, numpy.unravel_index(i, g.shape)))) for i in part)

    def check_accumulation(self, found) -> None:
        """grad_req 'add' adds the same gradient to what is there."""
        added = self.wide.gradients(self.start, self.heads, add=True)
        for name, g, a in zip(self.names, found, added, strict=True):
            if g is not None and not numpy.allclose(g, a, rtol=1e-9, atol=1e-9 * numpy.abs(g).max(initial=1.0)):
                raise GradientError(
                    f"check_gradients ({self.mode}): {name}: with grad_req 'add' the gradient grew by\n{a}\ninstead"
                    f" of\n{g}\n{self.script()}",
                    where=name,
                )

    def compare_narrow(self, found) -> None:
        """The net in its own dtype against its float64 twin, within what rounding every operation would change.

        How much that is, is measured: eight walks of the twin in which each answer gets a relative error of the
        narrow dtype's size (Parker, Monte Carlo Arithmetic, 1997).
        """
        dtypes = [x.dtype for x in self.narrow.start if x.dtype.kind == "f"]
        eps = max(float(numpy.finfo(d).eps) for d in dtypes)
        heads = [h.astype(y.dtype) for h, y in zip(self.heads, self.narrow.values(self.narrow.start), strict=True)]
        exact = self.wide.gradients(self.start, [h.astype("f8") for h in heads])
        shaken = [
            self.shaken.gradients(self.start, [h.astype("f8") for h in heads], noise=Noise(eps, self.rng))
            for _ in range(8)
        ]
        mine = self.narrow.gradients(self.narrow.start, heads)
        for k, (name, g, want) in enumerate(zip(self.names, mine, exact, strict=True)):
            if g is None:
                continue
            if g.dtype != self.narrow.start[k].dtype:
                raise GradientError(
                    f"check_gradients: {name} is {self.narrow.start[k].dtype}, its gradient {g.dtype}.", where=name
                )
            response = float(numpy.sqrt(numpy.mean([(s[k] - want) ** 2 for s in shaken], axis=0)).max(initial=0))
            allowed = SAFETY * (2 * response + eps * numpy.abs(want).max(initial=0))
            if allowed > 0.5 * numpy.abs(want).max(initial=0):
                continue  # this dtype has no correct digit here: nothing to compare
            off = numpy.abs(g.astype("f8") - want)
            if not (off <= allowed).all():
                at = tuple(
                    map(
                        int,
                        numpy.unravel_index(numpy.nanargmax(numpy.where(numpy.isnan(off), numpy.inf, off)), off.shape),
                    )
                )
                raise GradientError(
                    f"check_gradients ({self.mode}): {name} {list(at)} in {g.dtype}: {g[at]!r}, in float64"
                    f" {want[at]!r}; off by"
                    f" {off[at]:.2g}, rounding explains {allowed:.2g}.\n{self.script()}",
                    where=name, element=at, analytic=float(g[at]), numeric=float(want[at]), tolerance=allowed,
                    seed=self.options["seed"],
                )  # fmt: skip

    def script(self) -> str:
        """A script that repeats this check."""
        return script(self.f, self.names, self.narrow.start if self.narrow else self.start, self.options)


def flat(arrays) -> numpy.ndarray:
    """All elements in one vector."""
    return numpy.concatenate([numpy.ravel(a) for a in arrays]) if arrays else numpy.zeros(0)


def dot(found, along) -> float:
    """The inner product of two lists of arrays; None counts as 0."""
    return float(sum((g * v).sum() for g, v in zip(found, along, strict=True) if g is not None and v is not None))


__all__ = ["EPS", "GradientError", "KinkError", "check_gradients", "numeric"]
