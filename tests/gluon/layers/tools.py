"""How rows of `tool_rows` become text and arrays; `mx` is MXNet 1.9.1 or numblocks, `array` makes its arrays."""

import numpy
from running import build, value
from tool_rows import (
    DRAWN,
    DRAWN_SHAPES,
    FILLED,
    METRICS,
    OPTIMIZERS,
    SCHEDULES,
    SHAPES,
    STEPS,
    TRANSFORMS,
    T,
)


def optimize(mx, array, kind, arguments, together=False):
    """All weights after each step, updated one by one or in one call."""
    arguments = dict(arguments)
    dtype, after = arguments.pop("dtype", "float32"), {}
    for k in ("lr_mult", "wd_mult"):
        after[k] = arguments.pop(k, None)
    if arguments.pop("schedule", False):
        arguments["learning_rate"] = 0.1
        arguments["lr_scheduler"] = mx.lr_scheduler.FactorScheduler(2, 0.5, base_lr=0.1)
    shapes = dict(list(SHAPES.items())[: arguments.pop("only", None)])
    made = mx.optimizer.create(kind, param_idx2name=dict(enumerate(shapes)), **arguments)
    for k, multipliers in after.items():
        if multipliers is not None:
            getattr(made, f"set_{k}")(multipliers)
    update = mx.optimizer.get_updater(made)
    weights = [array(value(name, shape).astype(dtype)) for name, shape in shapes.items()]
    found = {}
    for step in range(STEPS):
        grads = [array(value(f"{name} {step}", shape).astype(dtype)) for name, shape in shapes.items()]
        if together:
            update(list(range(len(weights))), grads, weights)
        else:
            for k, (w, g) in enumerate(zip(weights, grads)):  # noqa: B905 Python 3.9 runs this as well
                update(k, g, w)
        found[f"step {step}"] = numpy.concatenate([w.asnumpy().astype("float64").ravel() for w in weights])
    return {}, found


def schedule(mx, array, kind, arguments):
    """The learning rates of the first 25 updates."""
    made = getattr(mx.lr_scheduler, kind)(**arguments)
    return {}, {"rates": numpy.array([float(made(n)) for n in range(25)])}


def draw(mx, array, kind, arguments, shape):
    """Mean, deviation, smallest and largest of what is drawn, and the text that makes the initializer again."""
    made = getattr(mx.init, kind)(**arguments)
    x = array(numpy.zeros(shape, "float32"))
    made(mx.init.InitDesc("x_weight"), x)
    x = x.asnumpy()
    found = numpy.array([x.mean(), x.std(), x.min(), x.max()])
    if kind == "Orthogonal":
        flat = x.reshape(len(x), -1)
        flat = flat if flat.shape[0] < flat.shape[1] else flat.T
        found = flat @ flat.T
    return {"dumps": made.dumps()}, {"found": found}


def fill(mx, array, kind, arguments, name, shape):
    """What an initializer puts into an array of this name."""
    made = getattr(mx.init, kind)(**arguments)
    x = array(numpy.full(shape, 7, "float32"))
    made(mx.init.InitDesc(name), x)
    return {"dumps": made.dumps()}, {"found": x.asnumpy()}


def measure(mx, array, kind, arguments, labels, preds):
    """Names and figures after each batch, after the local reset, and after the whole one."""
    made = getattr(mx.metric, kind)(**arguments)
    text, figures = {"empty": str(made), "config": made.get_config()}, []
    for k, (label, pred) in enumerate(zip(labels, preds)):  # noqa: B905
        made.update([array(value(f"label {k}", label))], [array(value(f"pred {k}", pred))])
        figures += [made.get()[1], made.get_global()[1]]
        if k == 0:
            made.reset_local()
    figures += [made.get()[1], made.get_global()[1], *(pair[1] for pair in made.get_global_name_value())]
    text["names"] = [made.get()[0], made.get_global()[0], [pair[0] for pair in made.get_name_value()]]
    made.reset()
    text["reset"] = str(made)
    return text, {"figures": numpy.array(figures, "float64")}


def picture(spec):
    """uint8 pixels, or floats."""
    if spec[0] != "image":
        return value("picture", spec)
    return numpy.random.RandomState(sum(spec[1:])).randint(0, 256, spec[1:]).astype("uint8")


def transform(mx, array, kind, arguments, spec):
    """One image, and how the transform prints."""
    if kind == "Compose":
        made = mx.gluon.data.vision.transforms.Compose([build(mx, *part) for part in arguments["parts"]])
    else:
        made = build(mx, T, kind, arguments)
    y = made(array(picture(spec))).asnumpy()
    return {"repr": repr(made), "dtype": str(y.dtype)}, {"image": y.astype("float64")}


def several(mx, array):
    """Initializers by pattern and from arrays; metrics together, of functions, and by name."""
    mixed = mx.init.Mixed([".*bias", "x.*", ".*"], [mx.init.One(), mx.init.Constant(3.0), mx.init.Zero()])
    load = mx.init.Load({"arg:x_weight": array(value("x", (2, 3)))}, default_init=mixed)
    found = {}
    for name in ("x_weight", "x_bias", "y_weight", "y_bias"):
        for kind, made in (("mixed", mixed), ("load", load)):
            x = array(numpy.full((2, 3), 7, "float32"))
            made(mx.init.InitDesc(name), x)
            found[f"{kind} {name}"] = x.asnumpy()
    label, pred = array(value("label", ("below3", 6))), array(value("pred", ("chances", 6, 3)))
    own = mx.metric.np(lambda label, pred: float((pred[:, 0] * label).sum()), name="own")
    together = mx.metric.CompositeEvalMetric(["acc", mx.metric.create("ce"), "nll_loss", own])
    text = {"empty": str(together)}
    for _ in range(2):
        together.update([label], [pred])
    text["names"], found["figures"] = together.get()[0], numpy.array(together.get()[1])
    together.reset_local()
    found["global"] = numpy.array(together.get_global()[1])
    names = ["acc", "accuracy", "ce", "f1", "loss", "mae", "mcc", "mse", "nll_loss", "pcc", "pearsonr", "rmse", "torch",
             "caffe"]  # fmt: skip
    text["created"] = [mx.metric.create(name).name for name in names]
    return text, found


TABLE = {"several": (several,)} | {f"optimizer {name}": (optimize, *row) for name, row in OPTIMIZERS.items()}
TABLE |= {f"schedule {name}": (schedule, *row) for name, row in SCHEDULES.items()}
TABLE |= {f"draw {row[0]} {row[1]} {shape}": (draw, *row, shape) for row in DRAWN for shape in DRAWN_SHAPES}
TABLE |= {
    f"{word} {k} {row[0]} {row[1]}": (function, *row)
    for word, function, rows in (("fill", fill, FILLED), ("metric", measure, METRICS),
                                 ("transform", transform, TRANSFORMS))
    for k, row in enumerate(rows)
}  # fmt: skip
