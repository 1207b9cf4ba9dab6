"""`Block`: a layer, or anything made of layers. It holds parameters and children and says how to compute."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import warn
from . import save
from .hooks import HookHandle, call_with_hooks
from .naming import NameScope, new_prefix
from .parameter import Parameter, ParameterDict
from .summary import summary
from .where import LOCATED, locate


class Block:
    """Base of all layers and nets. A subclass makes its parts in `__init__` and uses them in `forward`.

    Blocks and Parameters that are assigned to attributes are registered: they are initialized, trained, saved
    and printed with the block.

    Args:
        prefix: what the names of its parameters begin with; None for class name and number, such as
            `'mlp0_'`.
        params: the ParameterDict of another block, to share the parameters found there.

    >>> class MLP(Block):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.hidden = nn.Dense(256, activation='relu')
    ...         self.output = nn.Dense(10)
    ...     def forward(self, x):                          # x: `(batch, features)` -> `(batch, 10)`
    ...         return self.output(self.hidden(x))
    >>> net = MLP()
    >>> net.initialize()
    >>> net(np.ones((2, 20))).shape
    (2, 10)
    """

    _is_container = False  # has no arithmetic of its own: summary() gives it no row

    def __init__(self, prefix: str | None = None, params: ParameterDict | None = None):
        prefix, scope = new_prefix(prefix, self._alias())
        if params is not None:
            params = ParameterDict(params.prefix, params)
        elif scope is not None:
            params = ParameterDict(scope.params.prefix + prefix[len(scope.prefix) :], scope.params._shared)
        else:
            params = ParameterDict(prefix)
        self._prefix = prefix
        self._params = params
        self._scope = NameScope(self)
        self._children: dict[str, Block] = {}
        self._reg_params: dict[str, Parameter] = {}
        self._forward_hooks: dict = {}
        self._forward_pre_hooks: dict = {}

    def _alias(self) -> str:
        """The word automatic names are made of."""
        return type(self).__name__.lower()

    # ---- calling --------------------

    def __call__(self, *args, **kwargs):
        """Run `forward`. An error on the way names the block it came from."""
        try:
            if self._forward_pre_hooks or self._forward_hooks:
                return call_with_hooks(self, self.forward, args, kwargs)
            return self.forward(*args, **kwargs)
        except LOCATED as error:
            locate(error, self)
            raise

    def forward(self, *args):
        """What the block computes; every subclass writes its own."""
        raise NotImplementedError(
            "has no forward. A Block computes what its forward(self, ...) returns. Write one."
        )

    def register_forward_pre_hook(self, hook) -> HookHandle:
        """Call `hook(block, inputs)` before every forward; returns a handle with `detach()`."""
        return HookHandle(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook) -> HookHandle:
        """Call `hook(block, inputs, outputs)` after every forward; returns a handle with `detach()`."""
        return HookHandle(self._forward_hooks, hook)

    # ---- parts --------------------

    def __setattr__(self, name: str, value) -> None:
        existing = self.__dict__.get(name)
        if isinstance(existing, Parameter | Block) and not isinstance(value, type(existing)):
            raise TypeError(
                f"{type(self).__name__}: Changing attribute type for {name} from {type(existing)} to"
                f" {type(value)} is not allowed. The registered part would be lost"
                f" silently. Use another attribute name."
            )
        if isinstance(value, Block):
            self.register_child(value, name)
        elif isinstance(value, Parameter):
            self._register_parameter(name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str):
        # Reached only when the attribute is absent.
        hint = ""
        if "_children" not in self.__dict__:
            hint = " It is made by Block's constructor. Call super().__init__(**kwargs) first in __init__."
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'.{hint}")

    def _register_parameter(self, name: str, param: Parameter) -> None:
        if self._reg_params.get(name, param) is not param:
            raise AssertionError(
                f"{type(self).__name__}: parameter attribute {name} is taken. Replacing it would leave the"
                f" old one in the Trainer. To share parameters between blocks pass"
                f" params= when the block is made."
            )
        if not param._owned:  # made directly by the user, not by self.params.get
            short = param.name or name
            param.name = short if short.startswith(self._prefix) else self._prefix + short
            param._owned = True
            self._params._take(param.name, param)
        self._reg_params[name] = param

    def register_child(self, block: Block, name: str | None = None) -> None:
        """Make `block` a child, under `name` (None: its number)."""
        if not isinstance(block, Block):
            raise TypeError(
                f"{type(self).__name__}: cannot register {block!r} ({type(block).__name__}) as a child."
                f" Children are Blocks. Wrap a function in nn.Lambda."
            )
        self._children[str(len(self._children)) if name is None else name] = block

    def named_children(self) -> Iterator[tuple[str, Block]]:
        """Pairs of name and child, in the order they were registered."""
        yield from self._children.items()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Pairs of structural name (`'hidden.weight'`, `'0.bias'`) and parameter, own ones first.

        A shared parameter appears under each of its names. Those in files are the same, but for recurrent layers.
        """
        yield from self._own_parameters().items()
        for name, child in self._children.items():
            for inner, param in child.named_parameters():
                yield f"{name}.{inner}", param

    def _own_parameters(self) -> dict[str, Parameter]:
        own = dict(self._reg_params)
        taken = {id(p) for p in own.values()}
        prefix = self._params.prefix
        for name, param in self._params.items():  # made with params.get but not assigned to an attribute
            if id(param) not in taken:
                own.setdefault(name.removeprefix(prefix), param)
        return own

    def _collect_params_with_prefix(self, prefix="") -> dict[str, Parameter]:
        """Parameters by their names in files (the name of this method is the original's)."""
        start = prefix and f"{prefix}."
        found = {start + self._name_in_files(name): param for name, param in self._own_parameters().items()}
        for name, child in self._children.items():
            found |= child._collect_params_with_prefix(start + name)
        return found

    def _name_in_files(self, name: str) -> str:
        return name

    def apply(self, fn) -> Block:
        """Call `fn(block)` on every descendant, then on the block itself; returns the block."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    def __repr__(self) -> str:
        parts = self.__dict__.get("_children", {}).items()
        body = "\n".join(f"  ({name}): {block!r}".replace("\n", "\n  ") for name, block in parts)
        return f"{type(self).__name__}(\n{body}\n)"

    # ---- names --------------------

    @property
    def prefix(self) -> str:
        """What the names of its parameters begin with, such as `'dense0_'`."""
        return self._prefix

    @property
    def name(self) -> str:
        """The prefix without the underscore at its end."""
        return self._prefix.removesuffix("_")

    def name_scope(self) -> NameScope:
        """`with self.name_scope():` names the blocks made inside under this prefix, from 0."""
        return self._scope

    # ---- parameters --------------------

    @property
    def params(self) -> ParameterDict:
        """The block's own parameters, without those of its children."""
        return self._params

    def collect_params(self, select: str | None = None) -> ParameterDict:
        """The parameters of the block and all its descendants.

        Args:
            select: regular expression that the beginning of a name must match, such as `'.*weight'`.
        """
        match = re.compile(select).match if select else None
        found = ParameterDict(self._params.prefix)
        self._collect(found, match)
        return found

    def _collect(self, found: ParameterDict, match) -> None:
        self._warn_of_unregistered()
        for name, param in self._params.items():
            if match is None or match(name):
                found._take(name, param)
        for param in self._reg_params.values():  # another block's parameter, assigned directly
            if match is None or match(param.name):
                found._take(param.name, param)
        for child in self._children.values():
            child._collect(found, match)

    def _warn_of_unregistered(self) -> None:
        registered = {id(child) for child in self._children.values()}
        for name, value in self.__dict__.items():
            if name != "_children" and isinstance(value, list | tuple | dict):
                if any(id(block) not in registered for block in _blocks_in(value)):
                    warn(
                        f"{type(self).__name__}.{name}: holds Blocks that are not registered. Those in a"
                        f" list, tuple or dict are not found: they are not initialized, trained or saved with"
                        f" the net. Use nn.Sequential, or call register_child for each.",
                    )

    def initialize(self, init=None, ctx=None, verbose: bool = False, force_reinit: bool = False) -> None:
        """Initialize all parameters; those with an open shape wait for the first batch.

        Args:
            init: initializer or its name for parameters without one of their own; None for `Uniform(0.07)`.
            ctx: device, or list of devices that each get a copy.
            verbose: print what is initialized how.
            force_reinit: draw new values for parameters that have some.
        """
        self.collect_params().initialize(init, ctx, verbose, force_reinit)

    def cast(self, dtype) -> None:
        """Convert all parameters to `dtype`."""
        for child in self._children.values():
            child.cast(dtype)
        for param in self._params.values():
            param.cast(dtype)

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self.collect_params().zero_grad()

    def reset_ctx(self, ctx) -> None:
        """Move all parameters to `ctx`, a device or a list of them that each get a copy."""
        self.collect_params().reset_ctx(ctx)

    reset_device = reset_ctx

    def hybridize(self, active: bool = True, **flags) -> None:
        """Compile the HybridBlocks among the descendants; a plain Block itself runs as before."""
        for child in self._children.values():
            child.hybridize(active, **flags)

    # ---- files and pictures --------------------

    def save_parameters(self, filename, deduplicate: bool = False) -> None:
        """Write all values to a `.params` file in MXNet's layout, by structural name.

        Args:
            filename: the file; replaced only when everything could be written.
            deduplicate: write a shared parameter once, under its first name.
        """
        save.save_parameters(self, filename, deduplicate)

    def load_parameters(
        self, filename, ctx=None, allow_missing: bool = False, ignore_extra: bool = False,
        cast_dtype: bool = False, dtype_source: str = "current",
    ) -> None:  # fmt: skip
        """Read values from a `.params` file with structural, prefixed or exported (`arg:`, `aux:`) names.

        Either everything is set or nothing.

        Args:
            filename: the file.
            ctx: device(s) for parameters that are not initialized yet.
            allow_missing: parameters that are not in the file keep what they have.
            ignore_extra: pass over arrays that are no parameters of this net.
            cast_dtype: allow another dtype than the parameter's.
            dtype_source: `'current'` keeps the parameter's dtype, `'saved'` takes the file's.
        """
        save.load_parameters(self, filename, ctx, allow_missing, ignore_extra, cast_dtype, dtype_source)

    save_params, load_params = save_parameters, load_parameters  # their older names

    def save(self, prefix) -> None:
        """Write what the net is made of to `prefix-model.json`, and its values to `prefix-model.params`.

        >>> net.save('mlp')                                              # doctest: +SKIP
        """
        save.save(self, prefix)

    def load(self, prefix) -> None:
        """Read the values that `save` wrote into a net made of the same blocks.

        Raises:
            ValueError: the net is made of other blocks.

        >>> net.load('mlp')                                              # doctest: +SKIP
        """
        save.load(self, prefix)

    def register_op_hook(self, callback, monitor_all: bool = False):
        """Refused: one kernel computes several ops, so there is no moment at which each has its result.

        Raises:
            NotImplementedError: always; the message names what to use.

        >>> net.register_op_hook(print)                                  # doctest: +SKIP
        """
        raise NotImplementedError(
            "register_op_hook: ops have no results of their own here. numblocks fuses them into kernels. Watch layers"
            " with net.apply(lambda block: block.register_forward_hook(hook)) before hybridize(), see"
            " net.explain(x), or use numblocks.profiler."
        )

    def summary(self, *inputs) -> None:
        """Print a table of the layers with output shapes and parameter counts for these inputs."""
        print(summary(self, *inputs))


def _blocks_in(container) -> Iterator[Block]:
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, Block):
            yield value
        elif isinstance(value, list | tuple | dict):
            yield from _blocks_in(value)
