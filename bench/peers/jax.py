"""JAX: the whole step, update included, as one jit function that is given its weights back (donated)."""

from __future__ import annotations

import os

import numpy

from bench import work
from bench.peers import Session, sample

VARIANTS = {"train": ("jit",), "forward": ("jit",), "op": ("eager",)}


def start(threads: int) -> None:
    flags = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} intra_op_parallelism_threads={threads}"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
    os.environ["JAX_PLATFORMS"] = "cpu"


def versions() -> dict:
    import jax
    import jaxlib

    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def session(file, case, variant):
    return {"train": train, "forward": forward, "op": op}[case.kind](file, case, variant)


def train(file, case, variant) -> Session:
    import jax
    import jax.numpy as np

    model = file.jax(case)
    x, y = (jax.device_put(value) for value in file.data(case))
    adam = case.optimizer == "adam"

    def loss_of(weights, x, y):
        out = model(weights, x, True)
        if case.loss == "l2":
            return 0.5 * np.mean((out - y) ** 2)
        logp = jax.nn.log_softmax(out)
        return -np.mean(np.take_along_axis(logp, y[..., None], -1))

    def step(state, x, y):
        weights, means, squares, t = state
        loss, grads = jax.value_and_grad(loss_of)(weights, x, y)
        if adam:
            t = t + 1
            means = [0.9 * m + 0.1 * g for m, g in zip(means, grads, strict=True)]
            squares = [0.999 * v + 0.001 * g * g for v, g in zip(squares, grads, strict=True)]
            rate = case.rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            updates = [m / (np.sqrt(v) + 1e-8) for m, v in zip(means, squares, strict=True)]
        else:
            rate, updates = case.rate, grads
        weights = [w - rate * u for w, u in zip(weights, updates, strict=True)]
        return (weights, means, squares, t), loss

    step = jax.jit(step, donate_argnums=0)
    drawn = work.draw(file.shapes(case))

    def zeros():
        return [jax.device_put(numpy.zeros_like(w)) for w in drawn] if adam else []

    state = ([jax.device_put(w) for w in drawn], zeros(), zeros(), jax.device_put(numpy.float32(0)))

    def run(n):
        nonlocal state
        for _ in range(n):
            state, loss = step(state, x, y)
        jax.block_until_ready((state, loss))

    def check():
        nonlocal state
        losses = []
        for _ in range(3):
            state, loss = step(state, x, y)
            losses.append(float(loss))
        return losses

    return Session(run, check)


def forward(file, case, variant) -> Session:
    import jax

    model = file.jax(case)
    weights = [jax.device_put(w) for w in work.draw(file.shapes(case))]
    (x,) = (jax.device_put(value) for value in file.data(case))
    call = jax.jit(lambda weights, x: model(weights, x, False))

    def run(n):
        for _ in range(n):
            out = call(weights, x)
        out.block_until_ready()

    return Session(run, lambda: sample(numpy.asarray(call(weights, x))))


def op(file, case, variant) -> Session:
    import jax
    import jax.numpy as np

    if case.sizes["recorded"]:
        raise work.Missing("JAX records nothing: gradients come from transformed functions")
    a, b = (jax.device_put(value) for value in file.data(case))
    calls = {
        "add": lambda a, b: a + b,
        "exp": lambda a, b: np.exp(a),
        "sum": lambda a, b: a.sum(),
        "matmul": lambda a, b: np.matmul(a, b),
    }
    call = calls[case.sizes["op"]]

    def run(n):
        for _ in range(n):
            out = call(a, b)
        out.block_until_ready()

    return Session(run, lambda: sample(numpy.asarray(call(a, b))))
