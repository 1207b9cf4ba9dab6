"""What is asked of both libraries' iterators: `rounds(io, folder)` gives lists of numbers by name.

`python io_cases.py` with MXNet 1.9.1 writes io_answers.json.
"""

import json
import struct
import tempfile
from pathlib import Path

import numpy

HERE = Path(__file__).parent
X, Y = numpy.arange(10).reshape(5, 2).astype("float32"), numpy.arange(5).astype("float32")


def three(it, data=False):
    """Of three rounds the labels and pad of each batch, and the data if asked."""
    found = []
    for _ in range(3):
        found.append([])
        for batch in it:
            labels = [x.asnumpy().tolist() for x in batch.label]
            found[-1].append([labels, batch.pad] + ([x.asnumpy().tolist() for x in batch.data] if data else []))
        it.reset()
    return found


def said(it):
    """What an iterator says of its batches."""
    kinds = [[(d.name, list(d.shape), numpy.dtype(d.dtype).name, d.layout) for d in descs]
             for descs in (it.provide_data, it.provide_label)]  # fmt: skip
    return json.loads(json.dumps(kinds))


def rounds(io, folder):
    folder, found = Path(folder), {}
    for handle in ("pad", "discard", "roll_over"):
        found[handle] = three(io.NDArrayIter(X, Y, 2, last_batch_handle=handle), data=True)
    named = io.NDArrayIter({"b": X, "a": X}, [Y, Y], 3)
    found["named"], found["named said"] = three(named), said(named)
    several = io.NDArrayIter([X, X], None, 3, layout="NC")
    found["several"], found["several said"] = three(several), said(several)
    found["resized"] = three(io.ResizeIter(io.NDArrayIter(X, Y, 2), 4))
    found["resized going on"] = three(io.ResizeIter(io.NDArrayIter(X, Y, 2), 2, reset_internal=False))
    joined = io.PrefetchingIter([io.NDArrayIter(X, Y, 2), io.NDArrayIter({"d2": X}, {"l2": Y}, 2)])
    found["joined"], found["joined said"] = three(joined), said(joined)
    renamed = io.PrefetchingIter(io.NDArrayIter(X, Y, 2), [{"data": "x"}], [{"softmax_label": "y"}])
    found["renamed said"] = said(renamed)
    (folder / "d.csv").write_text("\n".join(f"{k},{k + 1},{k + 2},{k + 3}" for k in range(5)))
    (folder / "l.csv").write_text("\n".join(map(str, range(5))))
    (folder / "w.csv").write_text("\n".join(f"{k},{-k}" for k in range(5)))
    csv = dict(data_csv=str(folder / "d.csv"), batch_size=2)
    labelled = io.CSVIter(data_shape=(2, 2), label_csv=str(folder / "l.csv"), **csv)
    found["csv"], found["csv said"] = three(labelled, data=True), said(labelled)
    found["csv each round"] = three(io.CSVIter(data_shape=(4,), round_batch=False, **csv))
    found["csv wide"] = three(io.CSVIter(data_shape=(4,), label_csv=str(folder / "w.csv"), label_shape=(2,), **csv))
    (folder / "images").write_bytes(struct.pack(">IIII", 0x803, 5, 2, 2) + bytes(range(20)))
    (folder / "labels").write_bytes(struct.pack(">II", 0x801, 5) + bytes(range(5)))
    files = dict(image=str(folder / "images"), label=str(folder / "labels"), batch_size=2, shuffle=False, silent=True)
    ways = {"mnist": {}, "mnist flat": {"flat": True}, "mnist part": {"num_parts": 2, "part_index": 1}}
    for name, more in ways.items():
        it = io.MNISTIter(**files, **more)
        found[name], found[f"{name} said"] = three(it, data=True), said(it)
    return found


if __name__ == "__main__":
    import mxnet

    with tempfile.TemporaryDirectory() as folder:
        answers = rounds(mxnet.io, folder)
    lines = [f"  {json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    (HERE / "io_answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
