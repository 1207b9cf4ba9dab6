"""Calls that mean the same in `mxnet.nd` and `numblocks.nd`, on data that both can make.

`python tests/npx/mxnet_cases.py` under mxnet 1.9.1 (numpy 1.23.5) writes what MXNet answers to `mxnet_answers.npz`.
"""

from pathlib import Path

import numpy as np

ANSWERS = Path(__file__).with_name("mxnet_answers.npz")


def data():
    """float32 inputs by name; NumPy's legacy generator gives the same in every version."""
    r, d = np.random.RandomState(0), {}
    for name, shape in {"img": (2, 4, 6, 7), "img2": (2, 4, 6, 7), "w": (4, 3, 3, 3), "g4": (4,), "b4": (4,),
        "g2": (2,), "b2": (2,),
                        "cls": (3, 4, 30), "theta": (2, 6), "flow": (2, 2, 6, 7), "act": (8, 3, 6), "seq": (5, 3, 4),
                        "up": (4, 1, 4, 4), "h0": (2, 3, 3), "c0": (2, 3, 3), "loc": (3, 120),
                        "rnn": (2 * (4 * 3 * 4 + 4 * 3 * 3 + 4 * 3 * 2),)}.items():  # fmt: skip
        d[name] = r.randn(*shape)
    d["theta"] = d["theta"] * 0.2 + [[1, 0, 0, 0, 1, 0]]
    d["loc"] *= 0.5
    anchors = r.rand(1, 30, 4)
    d["anchors"] = np.concatenate([anchors[..., :2], anchors[..., :2] + 0.1 + 0.4 * anchors[..., 2:]], -1)
    labels = -np.ones((3, 4, 5))
    for b, n in enumerate((2, 0, 3)):
        for k in range(n):
            x = r.rand(4)
            labels[b, k] = [
                r.randint(0, 3),
                x[0] / 2,
                x[1] / 2,
                x[0] / 2 + 0.2 + 0.3 * x[2],
                x[1] / 2 + 0.2 + 0.3 * x[3],
            ]
    d["labels"] = labels
    p = r.rand(3, 4, 30)
    d["prob"] = p / p.sum(1, keepdims=True)
    boxes = r.rand(2, 20, 6)
    boxes[..., 0] = r.randint(0, 3, (2, 20))
    boxes[..., 4:] = boxes[..., 2:4] + boxes[..., 4:] * 0.5
    d["boxes"] = boxes
    d["rois"] = [[0, 1, 1, 8, 9], [1, 0, 2, 12, 10], [0, 3, 3, 3, 3], [1, -2, -1, 5, 20]]
    d["words"], d["len"] = [[1, 2, 2, 0], [3, 0, 0, 0], [4, 4, 5, 1]], [5, 2, 3]
    d["times"], d["counts"] = [8, 6, 7], [3, 1, 2]
    d["label3"] = [0, 3, 2]
    return {k: np.asarray(v, "f4") for k, v in d.items()}


def calls(nd, x):
    """Name -> a function without arguments; `nd` is either library's, `x` the inputs as its arrays."""
    c = nd.contrib
    affine = lambda: nd.GridGenerator(x["theta"], transform_type="affine", target_shape=(3, 5))
    found = {
        "prior": lambda: c.MultiBoxPrior(x["img"], sizes=[0.5, 0.25], ratios=[1, 2, 0.5]),
        "prior_steps": lambda: c.MultiBoxPrior(x["img"], sizes=[0.5], ratios=[2, 1], clip=True, steps=(0.2, 0.3),
        offsets=(0.3, 0.6)),
        "target": lambda: c.MultiBoxTarget(x["anchors"], x["labels"], x["cls"]),
        "target_mining": lambda: c.MultiBoxTarget(x["anchors"], x["labels"], x["cls"], overlap_threshold=0.3,
                                                  negative_mining_ratio=3, negative_mining_thresh=0.4),
        "detection": lambda: c.MultiBoxDetection(x["prob"], x["loc"], x["anchors"]),
        "detection_force": lambda: c.MultiBoxDetection(x["prob"], x["loc"], x["anchors"], threshold=0.35,
        nms_threshold=0.2,
                                                       force_suppress=True, clip=False),
        "nms": lambda: c.box_nms(x["boxes"], overlap_thresh=0.3, valid_thresh=0.1, id_index=0),
        "nms_topk": lambda: c.box_nms(x["boxes"], overlap_thresh=0.3, valid_thresh=0.1, id_index=0,
        force_suppress=True, topk=6),
        "nms_center": lambda: c.box_nms(x["boxes"], overlap_thresh=0.2, id_index=0, background_id=1,
        out_format="center"),
        "iou": lambda: c.box_iou(x["anchors"][0], x["boxes"][0][:, 2:]),
        "decode": lambda: c.box_decode(x["loc"].reshape((3, 30, 4)), x["anchors"], format="corner"),
        "roi_pooling": lambda: nd.ROIPooling(x["img"], x["rois"], pooled_size=(2, 3), spatial_scale=0.5),
        "roi_align": lambda: c.ROIAlign(x["img"], x["rois"], pooled_size=(2, 3), spatial_scale=0.5, sample_ratio=2),
        "roi_align_adaptive": lambda: c.ROIAlign(x["img"], x["rois"], pooled_size=(2, 2), spatial_scale=0.5,
        sample_ratio=-1),
        "up_nearest": lambda: nd.UpSampling(x["img"], scale=2, sample_type="nearest"),
        "up_bilinear": lambda: nd.UpSampling(x["img"], x["up"], scale=2, sample_type="bilinear", num_filter=4),
        "resize": lambda: c.BilinearResize2D(x["img"], height=9, width=4),
        "resize_corners": lambda: c.BilinearResize2D(x["img"], height=3, width=11, align_corners=False),
        "adaptive": lambda: c.AdaptiveAvgPooling2D(x["img"], output_size=(4, 3)),
        "grid": affine,
        "warp": lambda: nd.GridGenerator(x["flow"], transform_type="warp"),
        "sampler": lambda: nd.BilinearSampler(x["img"], affine() * 1.1),
        "transformer": lambda: nd.SpatialTransformer(x["img"], x["theta"], target_shape=(4, 5), transform_type="affine",
                                                     sampler_type="bilinear"),
        "deconvolution": lambda: nd.Deconvolution(x["img"], x["w"], kernel=(3, 3), stride=(2, 2), pad=(1, 1),
        adj=(1, 1),
                                                  num_filter=3),
        "group_norm": lambda: nd.GroupNorm(x["img"], x["g2"], x["b2"], num_groups=2),
        "instance_norm": lambda: nd.InstanceNorm(x["img"], x["g4"], x["b4"]),
        "lrn": lambda: nd.LRN(x["img"], nsize=3, alpha=1e-2),
        "ctc": lambda: nd.ctc_loss(x["act"], x["words"]),
        "ctc_last": lambda: nd.ctc_loss(x["act"], x["words"] - 1, blank_label="last"),
        "ctc_lengths": lambda: nd.ctc_loss(x["act"], x["words"], x["times"], x["counts"], use_data_lengths=True,
                                           use_label_lengths=True),
        "im2col": lambda: nd.im2col(x["img"], kernel=(2, 3), stride=(2, 1), dilate=(1, 2), pad=(1, 0)),
        "sequence_reverse": lambda: nd.SequenceReverse(x["seq"], x["len"], use_sequence_length=True),
        "sequence_last": lambda: nd.SequenceLast(x["seq"], x["len"], use_sequence_length=True),
        "depth_to_space": lambda: nd.depth_to_space(x["img"], 2),
        "rnn": lambda: nd.RNN(x["seq"], x["rnn"], x["h0"], x["c0"], mode="lstm", state_size=3, num_layers=1,
        bidirectional=True,
                              state_outputs=True),
        "correlation": lambda: nd.Correlation(x["img"], x["img2"], kernel_size=1, max_displacement=2, pad_size=2),
        "moments": lambda: nd.moments(x["img"], axes=(0, 2)),
        "softmax_activation": lambda: nd.SoftmaxActivation(x["img"], mode="channel"),
        "slice_like": lambda: nd.slice_like(x["img2"], x["up"], axes=(1, 2)),
        "khatri_rao": lambda: nd.khatri_rao(x["img"][0][0], x["img"][0][1]),
        "topk": lambda: nd.topk(x["seq"], k=2, ret_typ="both"),
        "topk_mask": lambda: nd.topk(x["seq"], k=2, ret_typ="mask", axis=0),
        "reshape": lambda: [nd.reshape(x["img"], s) for s in ((0, -1), (-2,), (-3, 0, 0), (-4, 1, 2, -2), (0, -4,
        -1, 2, -2))],
        "reshape_reverse": lambda: nd.reshape(x["img"], (-1, 0), reverse=True),
        "softmax_output": lambda: nd.SoftmaxOutput(x["seq"][0], x["label3"]),
        "sum_exclude": lambda: nd.sum(x["img"], axis=1, exclude=True),
        "gammaln": lambda: nd.gammaln(nd.abs(x["seq"]) + 0.1),
        "erfinv": lambda: nd.erfinv(nd.tanh(x["seq"])),
        "gather_nd": lambda: nd.gather_nd(x["img"], nd.array([[0, 1, 1], [3, 2, 0]])),
        "diag": lambda: nd.diag(x["seq"][0]),
        "gemm2": lambda: nd.linalg.gemm2(x["seq"], x["seq"], transpose_b=True, alpha=2.0),
        "syrk": lambda: nd.linalg.syrk(x["seq"], transpose=True),
        "trsm": lambda: nd.linalg.trsm(x["cls"][:, :, :4] + 3 * nd.eye(4).reshape((1, 4, 4)), x["cls"][:, :, 4:9],
        rightside=False),
        "trmm": lambda: nd.linalg.trmm(x["cls"][:, :, :4], x["cls"][:, :, 4:9], lower=False),
        "potrf": lambda: nd.linalg.potrf(nd.linalg.syrk(x["cls"])),
        "extracttrian": lambda: nd.linalg.extracttrian(x["cls"][:, :, :4], offset=-1),
        "gelqf": lambda: [nd.linalg.gemm2(part, part, transpose_b=True) for part in nd.linalg.gelqf(x["cls"][0])],
    }  # fmt: skip
    l2 = {f"l2_{m}": lambda m=m: nd.L2Normalization(x["img"], mode=m) for m in ("instance", "channel", "spatial")}
    return found | l2 if hasattr(dict, "__or__") else {**found, **l2}


def parts(y):
    """The arrays of an answer."""
    return [p.asnumpy() for p in (y if isinstance(y, (list, tuple)) else [y])]


if __name__ == "__main__":
    import mxnet

    answers = {}
    for name, call in calls(mxnet.nd, {k: mxnet.nd.array(v) for k, v in data().items()}).items():
        try:
            for k, part in enumerate(parts(call())):
                answers[f"{name}.{k}"] = part
        except Exception as error:
            print(name, error)
    np.savez_compressed(ANSWERS, **answers)
