"""`Trainer`: applies an optimizer to parameters after each backward pass."""

from __future__ import annotations

from .. import kvstore as stores
from .. import optimizer as optimizers
from ..errors import MXNetError
from ..formats import params as params_file
from ..op import assign
from .parameter import Parameter
from .update import FusedUpdate


class Trainer:
    """Updates parameters from their gradients.

    Args:
        params: `net.collect_params()`, or a dict or list of Parameters.
        optimizer: name such as `'sgd'` or `'adam'`, or an Optimizer.
        optimizer_params: hyper-parameters, when `optimizer` is a name: `learning_rate`, `wd`, `momentum` ...
        kvstore, compression_params, update_on_kvstore: accepted; gradients of several devices are summed in
            place.

    Raises:
        ValueError: `params` holds something else than Parameters, or no optimizer has this name.
        TypeError: an unknown hyper-parameter.
        RuntimeError: a parameter was not initialized.

    >>> net = nn.Dense(1, in_units=2)
    >>> net.initialize()
    >>> trainer = Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    >>> with autograd.record():
    ...     loss = net(np.ones((4, 2))).sum()
    >>> loss.backward()
    >>> trainer.step(batch_size=4)
    """

    def __init__(
        self, params, optimizer, optimizer_params=None, kvstore="device", compression_params=None,
        update_on_kvstore=None,
    ):  # fmt: skip
        if kvstore is not None and not isinstance(kvstore, stores.KVStore):
            stores.check_type("Trainer: kvstore", kvstore)
        self._params = _listed(params)
        self._contexts = self._check_contexts()
        self._kvstore = None
        self._optimizer = self._make(optimizer, optimizer_params)
        self._updater = optimizers.Updater(self._optimizer)
        self._scale = self._optimizer.rescale_grad
        self._fused: FusedUpdate | None = None

    def _check_contexts(self):
        contexts = None
        for param in self._params:
            found = param.list_ctx()
            if contexts is not None and contexts != found:
                raise AssertionError(
                    f"Trainer: Parameter '{param.name}' is on {found}, '{self._params[0].name}' on"
                    f" {contexts}. All parameters of a Trainer live on the same devices. Initialize or"
                    f" reset_ctx them together."
                )
            contexts = found
        return contexts or []

    def _make(self, optimizer, hyper):
        by_index = dict(enumerate(self._params))
        if isinstance(optimizer, optimizers.Optimizer):
            if hyper:
                raise AssertionError(
                    f"Trainer: optimizer_params {hyper} beside a {type(optimizer).__name__} object. Its"
                    f" hyper-parameters are set already. optimizer_params must be None if optimizer is an"
                    f" instance of Optimizer instead of str."
                )
            optimizer.param_dict = by_index
            return optimizer
        return optimizers.create(optimizer, param_dict=by_index, **(hyper or {}))

    @property
    def optimizer(self) -> optimizers.Optimizer:
        """The optimizer that makes the updates."""
        return self._optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate now."""
        return self._optimizer.learning_rate

    def set_learning_rate(self, lr: float) -> None:
        """Set the learning rate; raises `UserWarning` if a scheduler decides it."""
        self._optimizer.set_learning_rate(lr)

    def step(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Make one update: sum the gradients of all devices, divide by `batch_size`, apply the optimizer.

        Args:
            batch_size: what the gradients are divided by; 1 if the loss was a mean already.
            ignore_stale_grad: leave parameters that backward did not reach since the last step as they are.

        Raises:
            UserWarning: backward did not reach a parameter; none is updated then.
        """
        rescale = self._scale / batch_size
        if self._optimizer.rescale_grad != rescale:
            self._optimizer.rescale_grad = rescale
        if self._fused is not None and self._fused.valid():
            self._fused.run()
            return
        ready = self._ready(ignore_stale_grad)
        self._allreduce(param for _, param, _ in ready)
        self._update(ready)

    def allreduce_grads(self) -> None:
        """Replace the gradients on each device by their sum over the devices; `update` comes next.

        `step` does both; separately they leave room to change the gradients in between.
        """
        self._allreduce(param for param in self._params if param.grad_req != "null")

    def update(self, batch_size: int, ignore_stale_grad: bool = False) -> None:
        """Apply the optimizer to the gradients of `allreduce_grads`; arguments and errors as of `step`."""
        self._optimizer.rescale_grad = self._scale / batch_size
        self._update(self._ready(ignore_stale_grad))

    def _ready(self, ignore_stale_grad: bool) -> list:
        """`(index, parameter, its copies)` of all that are to be updated, checked before any is touched."""
        learning = [(k, p, p.list_data()) for k, p in enumerate(self._params) if p.grad_req != "null"]
        ready = []
        for index, param, copies in learning:
            stale = next((w.ctx for w in copies if not w._node.fresh), None)
            if stale is None:
                ready.append((index, param, copies))
            elif not ignore_stale_grad:
                raise UserWarning(
                    f"Trainer.step: the gradient of Parameter '{param.name}' on {stale} has not been updated"
                    f" by backward since the last step. The loss may not depend on it, or backward was not"
                    f" called. If only some parameters are meant to learn now, call step with"
                    f" ignore_stale_grad=True, which leaves the others as they are."
                )
        return ready

    def _allreduce(self, params) -> None:
        if len(self._contexts) < 2:
            return
        for param in params:
            grads = param.list_grad()
            total = grads[0]
            for grad in grads[1:]:
                total = total + grad.as_in_ctx(total.ctx)
            for grad in grads:
                assign(grad, total.as_in_ctx(grad.ctx))

    def _update(self, ready) -> None:
        # The copies on all devices are equal, so are their summed gradients: update one, copy it to the rest.
        weights = [copies[0] for _, _, copies in ready]
        self._updater([index for index, _, _ in ready], [w.grad for w in weights], weights)
        for _, _, copies in ready:
            for copy in copies:
                if copy is not copies[0]:
                    assign(copy, copies[0].as_in_ctx(copy.ctx))
                copy._node.fresh = False
        indices = [index for index, _, _ in ready]
        plan = self._updater.plan_of(indices)
        whole = len(self._contexts) == 1 and len(ready) == sum(p.grad_req != "null" for p in self._params)
        self._fused = FusedUpdate(self._optimizer, indices, weights, plan) if plan is not None and whole else None

    def save_states(self, fname) -> None:
        """Write the optimizer's states (momenta, counts, learning rate) in the layout of `.params` files.

        Raises:
            OSError: the file cannot be written; what stood there is untouched.
        """
        packed = self._updater.pack()
        params_file.write(fname, list(packed), list(packed.values()))

    def load_states(self, fname) -> None:
        """Read what `save_states` wrote, to go on where that training stopped.

        Raises:
            ValueError: no such file.
            MXNetError: the file is damaged, or holds the states of another optimizer or net; nothing is
                changed.
        """
        names, arrays = params_file.read(fname)
        if len(names) != len(arrays):
            raise MXNetError(
                f"Trainer.load_states: '{fname}' has no names. It is another kind of file. Load states."
            )
        weights = {
            i: next(iter(p._checked().values())) for i, p in enumerate(self._params) if p.grad_req != "null"
        }
        packed = dict(zip(names, arrays, strict=True))
        self._fused = None
        self._updater.unpack(f"Trainer.load_states: '{fname}'", packed, weights)


def _listed(params) -> list[Parameter]:
    if hasattr(params, "keys"):
        # In the order of the net, not of names: those count on (conv9, conv10), so that the same net made again
        # would sort otherwise, and the states of the one would not fit the other.
        params = list(params.values())
    if not isinstance(params, (list, tuple)):
        raise ValueError(
            f"Trainer: got {type(params)} as params. First argument must be a list or dict of Parameters."
            f" Pass net.collect_params()."
        )
    for param in params:
        if not isinstance(param, Parameter):
            raise ValueError(
                f"Trainer: got a list with {type(param)} as params. First argument must be a list or dict of"
                f" Parameters. Pass net.collect_params()."
            )
    return list(params)
