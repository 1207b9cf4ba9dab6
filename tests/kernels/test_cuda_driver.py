"""`driver.Gpu` against a driver library written in C for this test: memory of the host, launches run by the simulator.

So every foreign call of the driver module happens, with its true arguments, and whole nets compute right through it.
What it cannot tell is what a GPU does.
"""

import ctypes
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from numblocks import autograd, gpu, npx, num_gpus
from numblocks import np as nbp
from numblocks.base import MXNetError
from numblocks.kernels.cuda import compiler, devices, driver, simulator

LAUNCHED = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, *[ctypes.c_uint] * 4, ctypes.POINTER(ctypes.c_void_p))
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler to build the driver with")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The library, built."""
    target = tmp_path_factory.mktemp("driver") / "libnull.so"
    source = Path(__file__).with_name("null_driver.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", target, source], check=True)
    return str(target)


@pytest.fixture
def null(path, monkeypatch):
    """That library as the machine's driver, and the simulator behind its launches; the list of what was launched."""
    monkeypatch.delenv("NUMBLOCKS_CUDA", raising=False)
    monkeypatch.setenv("NUMBLOCKS_CUDA_DRIVER", path)
    monkeypatch.setattr(compiler, "available", lambda: True)
    texts, log = {}, []

    def made(text, name, capability):
        assert capability == (9, 0)
        texts[name] = simulator.load(text, name)
        return compiler.Cubin(b"test", name)

    def launch(name, gx, gy, gz, bx, parameters):
        function, args = texts[name.decode()], []
        log.append((name.decode(), gx, bx))
        for k, (label, dtype, pointed) in enumerate(function.signature.parameters):
            kind = np.dtype(dtype)
            if pointed:
                address = ctypes.cast(parameters[k], ctypes.POINTER(ctypes.c_size_t))[0]
                memory = np.ctypeslib.as_array((ctypes.c_uint8 * (1 << 16)).from_address(address))
                args.append(simulator.Pointer(memory.view(kind), 0, label))
            else:
                args.append(np.frombuffer(ctypes.string_at(parameters[k], kind.itemsize), kind)[0])
        simulator.run(function, gx, bx, args)
        return 0

    monkeypatch.setattr(driver, "cubin", made)
    library = ctypes.CDLL(path)
    library.null_held.restype = ctypes.c_size_t
    library.null_limit.argtypes = [ctypes.c_size_t]
    callback = LAUNCHED(launch)
    library.null_on_launch(callback)
    library.null_limit(1 << 24)
    devices.forget()
    driver.Gpu._last.gpu = None
    yield library, log
    library.null_on_launch(LAUNCHED())
    monkeypatch.undo()
    devices.forget()


def test_a_device_tells_what_it_is(null):
    assert num_gpus() == 2
    device = devices.get(0)
    assert isinstance(device, driver.Gpu) and (device.name, device.capability) == ("null device", (9, 0))
    free, total = device.memory_info()
    assert 0 < free <= total == 1 << 24


def test_a_net_computes_through_it(null):
    x = np.random.default_rng(0).standard_normal((5, 4)).astype("float32")
    w = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")
    found = []
    for place in (nbp.ones(1).ctx, gpu(0), gpu(1)):
        a, b = nbp.array(x, ctx=place), nbp.array(w, ctx=place)
        b.attach_grad()
        with autograd.record():
            loss = (npx.softmax(nbp.tanh(nbp.dot(a, b) * 0.5)) ** 2).sum(axis=0)
        loss.backward()
        found.append((loss.asnumpy(), b.grad.asnumpy()))
    for loss, grad in found[1:]:
        np.testing.assert_allclose(loss, found[0][0], rtol=1e-5)
        np.testing.assert_allclose(grad, found[0][1], rtol=1e-4, atol=1e-6)
    assert len(null[1]) == devices.get(0).launches + devices.get(1).launches > 10
    assert {block for _, _, block in null[1]} <= {32, 128, 256}


def test_memory_is_kept_and_given_back(null):
    library, _ = null
    x = nbp.ones((1000,), ctx=gpu(0))
    held = library.null_held()
    for _ in range(3):
        y = x * 2
    assert library.null_held() <= held + 2 * 4096  # what y was serves again
    del x, y
    gpu(0).empty_cache()
    assert library.null_held() == held - 4096


def test_out_of_memory_gives_the_kept_back_first(null):
    library, _ = null
    x = nbp.ones((1000,), ctx=gpu(0))
    del x  # kept
    library.null_limit(library.null_held() + 4096)
    y = nbp.ones((2000,), ctx=gpu(0))  # 8000 bytes fit only where the kept block was
    with pytest.raises(MXNetError, match=r"gpu\(0\): 40000 bytes of device memory cannot be had"):
        nbp.ones((10000,), ctx=gpu(0))
    assert y.asnumpy().sum() == 2000


def test_refusals_are_in_the_driver_s_words(null):
    library, _ = null
    x = nbp.ones((3,), ctx=gpu(0))
    refuse = LAUNCHED(lambda *a: 1)
    library.null_on_launch(refuse)
    with pytest.raises(driver.CudaError, match="map_multiply.*: launch: CUDA_ERROR_INVALID_VALUE: a fault"):
        x * 3
    device = devices.get(0)
    function = driver.Function("k", 1, 2, None)
    with pytest.raises(TypeError, match="1 parameters are given, it takes 2"):
        device.launch(function, 1, 1, [0])


def test_another_thread_has_the_device_too(null):
    found = []
    x = nbp.ones((3,), ctx=gpu(1))
    thread = threading.Thread(target=lambda: found.append((x * 2).asnumpy()))
    thread.start()
    thread.join()
    assert found[0].tolist() == [2.0, 2.0, 2.0]


def test_a_machine_without_a_driver_has_no_gpu(monkeypatch):
    monkeypatch.setenv("NUMBLOCKS_CUDA_DRIVER", "/nowhere/libcuda.so")
    assert driver.find() is None
