"""`HybridBlock`: a Block that `hybridize()` turns into one compiled function."""

from __future__ import annotations

import inspect

from .. import autograd
from ..array import ndarray, wrap
from ..config import debug
from ..device import current_device
from ..graph.compiled import Compiled
from ..graph.explain import Explanation, explain
from ..graph.trace import Builder, tracing
from ..op import current
from . import exporting
from .block import Block
from .hooks import call_with_hooks
from .infer import hybrid_forward_inferring
from .namespace import F
from .parameter import DeferredInitializationError
from .structure import Traced, Version, parts
from .where import LOCATED, foreign_input, locate


class HybridBlock(Block):
    """A Block whose forward uses only arrays and numblocks' operations, so that it can be compiled.

    Write either `forward(self, x)`, using `self.weight.data()`, or `hybrid_forward(self, F, x, weight)`: `F`
    offers the names of `nd`, `np` and `npx` (and `F.np`, `F.npx`), and registered parameters arrive as
    keywords. A forward with parameters whose shape is open (`-1`) also has `infer_shape(self, x)`, which
    completes them: `self.weight.shape = (10, x.shape[1])`. With `hybrid_forward`, the usual operators
    complete them without it.

    Args:
        prefix, params: as of Block.

    >>> class Double(HybridBlock):
    ...     def forward(self, x):                          # x: any shape -> the same shape
    ...         return 2 * x
    >>> net = Double()
    >>> net.hybridize()
    >>> net(np.ones((2,)))
    array([2., 2.])
    """

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix, params)
        self._active = False
        self._flags: dict = {}
        self._pending = False  # some own parameter may still have an open shape
        self._traced: Traced | None = None

    def __call__(self, *args, **kwargs):
        """Run `forward`, compiled after `hybridize()`. An error on the way names the block it came from."""
        try:
            # While a trace runs (substitute is set) the children are part of what is traced.
            if self._active and current.substitute is None:
                run = self._run_compiled
            else:
                run = self._run_pending if self._pending else self.forward
            if self._forward_pre_hooks or self._forward_hooks:
                return call_with_hooks(self, run, args, kwargs)
            return run(*args, **kwargs)
        except (AttributeError, *LOCATED) as error:
            instead = foreign_input(error, self, args)
            if instead is not None:
                raise instead from None
            locate(error, self)
            raise

    def forward(self, x, *args):
        """Computes `hybrid_forward`; override one of the two."""
        device = x.ctx if hasattr(x, "ctx") else None
        try:
            params = {name: param.data(device) for name, param in self._reg_params.items()}
        except DeferredInitializationError:
            return hybrid_forward_inferring(self, x, args)
        return self.hybrid_forward(F, x, *args, **params)

    def hybrid_forward(self, F, x, *args, **kwargs):
        """What the block computes with the operations of `F`; parameters arrive as keywords."""
        raise NotImplementedError(
            "has neither forward nor hybrid_forward. A HybridBlock computes what"
            " one of them returns. Write one."
        )

    # ---- shapes --------------------

    def infer_shape(self, *args) -> None:
        """Complete the open shapes of all parameters of this net from inputs like `args`.

        A layer overrides it to set the shapes of its own parameters.
        """
        _complete(self, args, {})

    def _run_pending(self, *args, **kwargs):
        """A forward with parameters that may wait for their shape."""
        waiting = [p for p in self._reg_params.values() if p._deferred is not None]
        if waiting:
            if type(self).infer_shape is not HybridBlock.infer_shape:
                self.infer_shape(*args)
            for param in waiting:
                if param.shape is not None and -1 not in param.shape:
                    param._finish_deferred_init()
        try:
            out = self.forward(*args, **kwargs)
        except DeferredInitializationError as error:
            still = next((p for p in waiting if p._deferred is not None), None)
            if still is not None and type(self).forward is not HybridBlock.forward:
                raise DeferredInitializationError(
                    f"Parameter '{still.name}': its shape {still.shape} is still open when forward uses it."
                    f" A forward cannot tell which shape it needs. Override infer_shape(self, x) to set"
                    f" self.{_attribute(self, still)}.shape, or give the whole shape."
                ) from error
            raise
        self._pending = any(not p._arrays for p in self._reg_params.values())
        return out

    # ---- compiling --------------------

    def hybridize(self, active: bool = True, backend=None, clear: bool = True, **flags) -> None:
        """From the next call on, run as one compiled function (`active=False`: as plain Python again).

        Args:
            active: compile or not.
            backend: accepted for old code.
            clear: forget what was compiled before.
            flags: `static_alloc`, `static_shape`, `inline_limit` and others are accepted for old code.
        """
        self._active = active
        self._flags = flags
        if clear:
            self._traced = None
        super().hybridize(active, **flags)

    def explain(self, *inputs, train: bool = False) -> Explanation:
        """What a compiled call of this net does: print it.

        It lists for forward (and with `train`, backward) what is fused into which kernel and from which of your lines
        it comes, the kernels' files, launches, BLAS calls, steps in Python, bytes moved, and memory. The net is
        compiled for `inputs` as a hybridized call would compile it; nothing is computed.

        Args:
            inputs: the arguments of a call.
            train: explain the recorded call in train mode.

        >>> net = nn.HybridSequential(nn.Dense(64, activation='relu'), nn.Dense(10))
        >>> net.initialize()
        >>> net.explain(np.ones((16, 20))).forward.blas
        2
        """
        if current.substitute is not None:
            raise RuntimeError("explain: called while a net is traced. It traces by itself. Call it outside forward.")
        with autograd.record() if train else autograd.pause():
            traced = self._prepare(inputs, {})
            names = {id(x): name for name, p in self.named_parameters() for x in p._arrays.values()}
            return explain(traced.compiled.entry(inputs)[0], names)

    def export_compiled(self, path) -> list[str]:
        """Write this hybridized net for use without numblocks: machine code, plan, parameters and a loader.

        `path-kernels.so` holds the kernels, `path.json` the plan, `path.params` the parameters, and `path.py` loads
        and runs them with NumPy alone. Written are the signatures the net has seen in predict mode. What was written
        is run once and compared with the net.

        Args:
            path: the files' common beginning.

        Returns:
            The files' names.

        Raises:
            RuntimeError: nothing is compiled yet, or there is no C compiler to link with.
            NotImplementedError: an op has no form outside numblocks; the message names it.

        >>> net.hybridize()                                              # doctest: +SKIP
        >>> net(np.ones((1, 20)))                                        # doctest: +SKIP
        >>> net.export_compiled('deploy/mlp')                            # doctest: +SKIP
        ['deploy/mlp-kernels.so', 'deploy/mlp.json', 'deploy/mlp.params', 'deploy/mlp.py']

        Later, in a Python that has only NumPy: `import mlp; y = mlp.load()(x)`.
        """
        from .deploy import export_compiled  # a linker and its surroundings: for those who deploy

        return export_compiled(self, path)

    def export(self, path, epoch: int = 0, remove_amp_cast: bool = True) -> None:
        """Write the graph to `path-symbol.json` and the parameters to `path-<epoch>.params`, four digits.

        `SymbolBlock.imports` reads them. Written is what the net computes in predict mode, once for each of the input
        shapes it has seen since `hybridize()`. The graph's file is numblocks' own, not MXNet's. What is imported no
        longer checks the indices of `pick`: one out of range gives 0.

        Args:
            path: the files' common beginning.
            epoch: number in the second file's name.
            remove_amp_cast: accepted for old code.

        Raises:
            RuntimeError: the net was not hybridized and called.
            NotImplementedError: forward has something that no file can hold, such as a random draw.

        >>> net.hybridize()                                              # doctest: +SKIP
        >>> net(np.ones((1, 20)))                                        # doctest: +SKIP
        >>> net.export('mlp', epoch=3)                                   # doctest: +SKIP
        """
        exporting.export(self, path, epoch)

    def optimize_for(self, x, *args, backend=None, clear=False, **flags) -> None:
        """Hybridize, and compile for inputs like these.

        Args:
            x, args: arguments of a call.
            backend: None; numblocks compiles every net itself.
            clear: forget what was compiled before.
            flags: as of `hybridize`.

        Raises:
            ValueError: a backend is named.

        >>> net = nn.HybridSequential(nn.Dense(2))
        >>> net.initialize()
        >>> net.optimize_for(np.ones((1, 3)))
        """
        if backend is not None:
            raise ValueError(
                f"optimize_for: backend={backend!r}. numblocks has no other backends: it fuses and compiles every"
                f" hybridized net itself. Leave backend out."
            )
        self.hybridize(True, clear=clear, **flags)
        self(x, *args)

    def infer_type(self, *args) -> None:
        """Complete the open shapes as `infer_shape` does; dtypes are never open.

        >>> net = nn.Dense(2)
        >>> net.initialize()
        >>> net.infer_type(np.ones((1, 3)))
        """
        self.infer_shape(*args)

    def _run_compiled(self, *args, **kwargs):
        traced = self._traced
        if traced is None or traced.version != Version.number:
            traced = self._prepare(args, kwargs)
        if kwargs:
            args = self._positional(args, kwargs)
        return traced.compiled(*args)

    def _positional(self, args, kwargs) -> tuple:
        """The arguments of a call as positional ones: what a compiled function takes."""
        bound = inspect.signature(self.forward).bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(
                f"keyword-only arguments {sorted(bound.kwargs)} were passed. A compiled forward takes its"
                f" arguments by position. Let forward take them by position, too, or leave it unhybridized."
            )
        return bound.args

    def _prepare(self, args, kwargs) -> Traced:
        """Complete open shapes, and start a new compiled function if parts of the net were exchanged."""
        now = parts(self)
        if self._traced is None or not self._traced.fits(now):
            if self._traced is not None:
                debug(1, f"{self.name or type(self).__name__}: compiled anew: blocks or parameter arrays are others")
            params = list(self.collect_params().values())
            if any(not p._arrays for p in params):
                _complete(self, args, kwargs)
            params = [p for p in params if p._arrays]  # one that forward does not use may stay open
            self._traced = Traced(self._compiled, params, now)
        else:
            self._traced.update()
        return self._traced

    def _compiled(self) -> Compiled:
        return Compiled(self._traceable, name=self.name or type(self).__name__, **self._flags)

    def _traceable(self, *args, **kwargs):
        """What a trace runs: forward, without the compiled path, errors located by the caller."""
        return (self._run_pending if self._pending else self.forward)(*args, **kwargs)

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _traced=None)  # copies compile for themselves

    # ---- parts --------------------

    def _register_parameter(self, name, param) -> None:
        super()._register_parameter(name, param)
        Version.number += 1
        self._pending = True

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Make the HybridBlock `block` a child; other Blocks cannot be compiled and are refused."""
        if isinstance(block, Block) and not isinstance(block, HybridBlock):
            raise ValueError(
                f"{type(self).__name__}: children of a HybridBlock must be HybridBlocks, but"
                f" {type(block).__name__} is a plain Block. It cannot become part of a compiled net. Use"
                f" nn.Sequential (or Block) for this net, or derive {type(block).__name__} from HybridBlock."
            )
        super().register_child(block, name)
        Version.number += 1

    def cast(self, dtype) -> None:
        """Convert all parameters to `dtype`."""
        self._traced = None
        super().cast(dtype)


def _attribute(block: HybridBlock, param) -> str:
    return next(name for name, p in block._reg_params.items() if p is param)


def _complete(block: HybridBlock, args, kwargs) -> None:
    """Trace `block` once for the shapes only: nothing is computed but the first values of parameters."""
    builder = Builder(next((x.ctx for x in args if isinstance(x, ndarray)), current_device()))
    with tracing(builder), autograd.pause():
        block._traceable(*_abstract(builder, args), **_abstract(builder, kwargs))


def _abstract(builder: Builder, value):
    """`value` with a traced array for every array in it."""
    if isinstance(value, ndarray):
        return wrap(builder.input(value.shape, value.dtype, "x"), value.ctx, type(value))
    if isinstance(value, list | tuple):
        return type(value)(_abstract(builder, v) for v in value)
    if isinstance(value, dict):
        return {k: _abstract(builder, v) for k, v in value.items()}
    return value
