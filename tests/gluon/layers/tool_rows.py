"""Optimizers, learning rates, initializers, metrics and transforms of images, each with its variants: data only."""

import itertools

# name: registered name, arguments; `lr_mult`, `wd_mult`, `schedule` are set afterwards, `dtype` is the weights',
# `only` how many weights there are
EVERY = [
    {}, {"wd": 0.1}, {"clip_gradient": 0.3}, {"rescale_grad": 0.5, "wd": 0.05, "clip_gradient": 0.2},
    {"lr_mult": {0: 0.5, 1: 2.0}, "wd_mult": {0: 0.3}, "wd": 0.1}, {"learning_rate": 0.05, "begin_num_update": 3},
    {"multi_precision": True, "dtype": "float16", "wd": 0.1}, {"schedule": True, "wd": 0.1},
]  # fmt: skip
SPECIAL = {
    "adadelta": [{"rho": 0.7, "epsilon": 1e-3}], "adagrad": [{"eps": 1e-3, "learning_rate": 0.1}],
    "adam": [{"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3}, {"lazy_update": False}],
    "adamax": [{"beta1": 0.5, "beta2": 0.9}], "ccsgd": [{"momentum": 0.9}],
    "dcasgd": [{"momentum": 0.9, "lamda": 0.3}], "ftml": [{"beta1": 0.3, "beta2": 0.9, "epsilon": 1e-3}],
    "ftrl": [{"lamda1": 0.1, "beta": 0.5, "learning_rate": 0.3, "wd": 0.2}],
    "lamb": [{"bias_correction": False, "lower_bound": 0.2, "upper_bound": 0.9, "wd": 0.1}, {"lower_bound": 2.0},
             {"upper_bound": 0.1}, {"beta1": 0.5, "beta2": 0.8, "epsilon": 1e-2, "learning_rate": 0.1}],
    "lars": [{"momentum": 0.9, "eta": 0.1, "wd": 0.1, "learning_rate": 0.5}, {"momentum": 0.9, "schedule": True},
             {"momentum": 0.9, "schedule": True, "momentum_correction": False}, {"eps": 0.1}],
    "lbsgd": [{"momentum": 0.9, "warmup_strategy": s, "updates_per_epoch": 2, "warmup_epochs": 1, "batch_scale": 2}
              for s in ("linear", "power2", "sqrt", "lars")],
    "nadam": [{"schedule_decay": 0.1, "beta1": 0.5}], "nag": [{"momentum": 0.9, "wd": 0.1}],
    "rmsprop": [{"centered": True}, {"gamma1": 0.5, "gamma2": 0.3, "centered": True, "wd": 0.1},
                {"clip_weights": 0.4, "learning_rate": 0.1}],
    "sgd": [{"momentum": 0.9, "wd": 0.1}, {"momentum": 0.9, "multi_precision": True, "dtype": "float16"},
            {"momentum": 0.9, "dtype": "float64"}],
    "signum": [{"momentum": 0.0}, {"wd_lh": 0.1, "momentum": 0.5}], "test": [],
}  # fmt: skip
STEPS = 6
SHAPES = {"a_weight": (3, 4), "b_bias": (4,), "c_gamma": (2, 1, 3)}
OPTIMIZERS = {
    " ".join([kind, *(f"{k}={v}" for k, v in arguments.items())]): (
        # MXNet's schedule of nadam goes on with each weight; lars corrects the momentum of one weight a step
        kind, arguments | ({"only": 1} if kind == "nadam" or {"schedule", "momentum"} <= arguments.keys() else {}),
    )
    for kind, more in SPECIAL.items()
    for arguments in EVERY + more
}
for _arguments in ({}, {"eps": 1e-2, "clip_gradient": 0.3, "rescale_grad": 0.5}, {"lr_mult": {0: 0.5}}):
    OPTIMIZERS[f"groupadagrad {_arguments}"] = "groupadagrad", _arguments | {"only": 1}  # matrices alone

WARM = {"warmup_steps": 4, "warmup_begin_lr": 0.1}
SCHEDULES = {
    f"{kind} {arguments} {extra}": (kind, arguments | extra)
    for kind, all_ in {
        "FactorScheduler": [{"step": 3, "factor": 0.5}, {"step": 1, "factor": 0.1, "stop_factor_lr": 0.01}],
        "MultiFactorScheduler": [{"step": [5, 8, 15], "factor": 0.3}, {"step": [4], "factor": 0.5}],
        "PolyScheduler": [{"max_update": 12}, {"max_update": 12, "pwr": 1, "final_lr": 0.05}],
        "CosineScheduler": [{"max_update": 12}, {"max_update": 12, "final_lr": 0.05}],
    }.items()
    for arguments in all_
    for extra in ({}, {"base_lr": 0.5}, {"base_lr": 0.5, **WARM}, {"base_lr": 0.5, "warmup_mode": "constant", **WARM})
}  # fmt: skip

DRAWN = [
    ("Uniform", {}), ("Uniform", {"scale": 0.5}), ("Normal", {}), ("Normal", {"sigma": 2.0}), *(
        ("Xavier", {"rnd_type": r, "factor_type": f, "magnitude": m})
        for r, f, m in itertools.product(("uniform", "gaussian"), ("avg", "in", "out"), (3, 0.5))),
    ("Xavier", {}), ("MSRAPrelu", {}), ("MSRAPrelu", {"factor_type": "in", "slope": 0.0}), ("Orthogonal", {}),
    ("Orthogonal", {"scale": 2.0, "rand_type": "normal"}),
]  # fmt: skip
DRAWN_SHAPES = [(64, 48), (32, 12, 3, 3)]
FILLED = [
    ("Zero", {}, "x_weight", (2, 3)), ("One", {}, "x_weight", (2, 3)), ("Constant", {"value": 2.5}, "x_weight", (3,)),
    ("Bilinear", {}, "x_weight", (2, 1, 4, 4)), ("Bilinear", {}, "x_weight", (1, 1, 3, 3)),
    ("LSTMBias", {"forget_bias": 1.5}, "x_weight", (12,)),
    *(("One", {}, f"x_{end}", (4,)) for end in ("bias", "gamma", "beta", "min", "max", "running_var", "moving_mean")),
    *(("Zero", {}, f"x_{end}", (4,)) for end in ("bias", "gamma", "max", "running_var")),
]  # fmt: skip

P2, L2 = [("chances", 6, 2), ("chances", 5, 2)], [("below2", 6), ("below2", 5)]
P4, L4 = [("chances", 6, 4), ("chances", 3, 4)], [("below4", 6), ("below4", 3)]
V, W = [(5, 3), (4, 3)], [(5, 3), (4, 3)]
COLUMNS = [(5, 1), (4, 1)], [(5, 1), (4, 1)]
METRICS = [
    ("Accuracy", {}, L4, P4), ("Accuracy", {"axis": 1}, [("below3", 2, 5)], [("chances", 2, 3, 5)]),
    ("Accuracy", {}, [("below2", 6)], [("below2", 6)]), ("Accuracy", {"name": "mine"}, L4, P4),
    *(("TopKAccuracy", {"top_k": k}, L4, P4) for k in (1, 2, 3)),
    *((kind, {} | a, L2, P2) for kind in ("F1", "MCC") for a in ({}, {"average": "micro"})),
    ("Perplexity", {"ignore_label": None}, L4, P4), ("Perplexity", {"ignore_label": 1}, L4, P4),
    *((kind, {}, V, W) for kind in ("MAE", "MSE", "RMSE")), *((kind, {}, *COLUMNS) for kind in ("MAE", "MSE", "RMSE")),
    ("MAE", {}, [(5,), (4,)], [(5,), (4,)]), ("CrossEntropy", {}, L4, P4), ("CrossEntropy", {"eps": 0.1}, L4, P4),
    ("NegativeLogLikelihood", {}, L4, P4), ("PearsonCorrelation", {}, V, W),
    ("PearsonCorrelation", {"average": "micro"}, V, W), ("PCC", {}, L4, P4), ("PCC", {}, L2, P2),
    ("Loss", {}, V, W), ("Torch", {}, V, W), ("Caffe", {}, V, W),
]  # fmt: skip

IMAGE, FLAT, MANY = ("image", 7, 9, 3), ("image", 6, 6, 3), ("image", 2, 7, 9, 3)
TENSOR = ("unit", 3, 5, 4)
T = "gluon.data.vision.transforms"
TRANSFORMS = [
    ("ToTensor", {}, IMAGE), ("ToTensor", {}, MANY), ("ToTensor", {}, ("unit", 4, 5, 3)),
    ("Normalize", {"mean": 0.5, "std": 0.25}, TENSOR), ("Normalize", {}, TENSOR),
    ("Normalize", {"mean": (0.1, 0.2, 0.3), "std": (0.5, 1.0, 2.0)}, TENSOR),
    ("Normalize", {"mean": (0.1, 0.2, 0.3), "std": (0.5, 1.0, 2.0)}, ("unit", 2, 3, 5, 4)),
    ("Normalize", {"mean": 0.5}, ("unit", 1, 5, 4)), ("Cast", {}, IMAGE), ("Cast", {"dtype": "float16"}, TENSOR),
    ("Cast", {"dtype": "int32"}, IMAGE), *(("Resize", {"size": s, "interpolation": i}, IMAGE)
                                          for s in (5, (12, 4), (9, 7)) for i in (0, 1, 2)),
    ("Resize", {"size": 5, "keep_ratio": True}, IMAGE), ("Resize", {"size": 12, "keep_ratio": True}, MANY),
    ("Resize", {"size": (4, 3)}, MANY), ("Resize", {"size": (4, 6)}, ("unit", 7, 9, 3)),
    ("CenterCrop", {"size": 4}, IMAGE), ("CenterCrop", {"size": (5, 3)}, IMAGE), ("CenterCrop", {"size": 12}, IMAGE),
    ("CenterCrop", {"size": (8, 3), "interpolation": 2}, IMAGE),
    ("CropResize", {"x": 1, "y": 2, "width": 5, "height": 4}, IMAGE),
    ("CropResize", {"x": 1, "y": 2, "width": 5, "height": 4, "size": (3, 6), "interpolation": 1}, IMAGE),
    ("CropResize", {"x": 0, "y": 0, "width": 4, "height": 4, "size": 6, "interpolation": 0}, MANY),
    *(("Rotate", {"rotation_degrees": d} | z, TENSOR) for d in (30, -90) for z in ({}, {"zoom_in": True},
                                                                                 {"zoom_out": True})),
    ("RandomResizedCrop", {"size": (4, 5), "scale": (1, 1), "ratio": (1, 1)}, FLAT),
    *((f"Random{kind}", {argument: 0}, IMAGE) for kind, argument in (
        ("Brightness", "brightness"), ("Contrast", "contrast"), ("Saturation", "saturation"), ("Hue", "hue"),
        ("Lighting", "alpha"))),
    ("Compose", {"parts": [(T, "CenterCrop", {"size": 4}), (T, "ToTensor", {}),
                           (T, "Normalize", {"mean": 0.5, "std": 0.5})]}, IMAGE),
]  # fmt: skip
