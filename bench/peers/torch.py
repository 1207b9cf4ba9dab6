"""PyTorch: eager and torch.compile."""

from __future__ import annotations

from bench import work
from bench.peers import Session, sample

VARIANTS = {"train": ("eager", "compile"), "forward": ("eager", "compile"), "op": ("eager",)}


def start(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def versions() -> dict:
    import torch

    return {"torch": torch.__version__}


def net_of(file, case):
    import torch

    net = file.torch(case)
    with torch.no_grad():
        for param, value in zip(net.parameters(), work.draw(file.shapes(case)), strict=True):
            param.copy_(torch.from_numpy(value))
    return net


def arrays(file, case):
    import torch

    return [torch.from_numpy(value) for value in file.data(case)]


def session(file, case, variant):
    return {"train": train, "forward": forward, "op": op}[case.kind](file, case, variant)


def train(file, case, variant) -> Session:
    import torch
    from torch.nn import functional

    net = net_of(file, case)
    x, y = arrays(file, case)
    if case.loss != "l2":
        y = y.long()
    if case.name.startswith("lstm"):
        x = x.long()

    def compute(x, y):
        out = net(x)
        if case.loss == "l2":
            return 0.5 * functional.mse_loss(out, y)
        return functional.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1))

    if variant == "compile":
        compute = torch.compile(compute)
    kind = torch.optim.Adam if case.optimizer == "adam" else torch.optim.SGD
    optimizer = kind(net.parameters(), lr=case.rate, fused=True)

    def step():
        optimizer.zero_grad()
        loss = compute(x, y)
        loss.backward()
        optimizer.step()
        return loss

    def run(n):
        for _ in range(n):
            step()

    return Session(run, lambda: [float(step()) for _ in range(3)])


def forward(file, case, variant) -> Session:
    import torch

    net = net_of(file, case).eval()
    (x,) = arrays(file, case)
    call = torch.compile(net) if variant == "compile" else net

    def run(n):
        with torch.inference_mode():
            for _ in range(n):
                call(x)

    def check():
        with torch.inference_mode():
            return sample(call(x).numpy())

    return Session(run, check)


def op(file, case, variant) -> Session:
    import torch

    a, b = arrays(file, case)
    calls = {
        "add": lambda a, b: a + b,
        "exp": lambda a, b, exp=torch.exp: exp(a),
        "sum": lambda a, b: a.sum(),
        "matmul": lambda a, b, dot=torch.matmul: dot(a, b),
    }
    call = calls[case.sizes["op"]]
    if case.sizes["recorded"]:
        a.requires_grad_()
        b.requires_grad_()

    def run(n):
        for _ in range(n):
            call(a, b)

    return Session(run, lambda: sample(call(a, b).detach().numpy()))
