"""`check_gradients`: are the gradients of a function or Block right?"""

from __future__ import annotations

import hypothesis
import numpy

from .complexstep import NotAnalytic, complex_step
from .locate import blame, dot, flat
from .narrow import compare_narrow
from .numeric import BASES, Derivative, KinkError, differentiate, tolerance
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
            compare_narrow(self, found)

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
                text = self.script()
                raise GradientError(f"check_gradients: the gradient of {name} at {list(at)} is {g[at]}, but one exists."
                                    f"\n{text}", where=name, element=at, script=text)  # fmt: skip

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
        if numeric_.method == Derivative._field_defaults["method"]:  # by chance, estimates may agree on what is wrong
            again = differentiate(lambda h: values(h, along), weights, BASES[1:])
            if abs(exact - again.value) <= tolerance(again, terms):
                return
        blame(self, found, along, values, weights, what, exact, numeric_)

    def check_accumulation(self, found) -> None:
        """grad_req 'add' adds the same gradient to what is there."""
        added = self.wide.gradients(self.start, self.heads, add=True)
        for name, g, a in zip(self.names, found, added, strict=True):
            if g is not None and not numpy.allclose(g, a, rtol=1e-9, atol=1e-9 * numpy.abs(g).max(initial=1.0)):
                text = self.script()
                raise GradientError(
                    f"check_gradients ({self.mode}): {name}: with grad_req 'add' the gradient grew by\n{a}\ninstead"
                    f" of\n{g}\n{text}",
                    where=name, script=text,
                )  # fmt: skip

    def script(self) -> str:
        """A script that repeats this check."""
        return script(self.f, self.names, self.narrow.start if self.narrow else self.start, self.options)
