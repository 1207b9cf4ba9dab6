"""Worker processes that make batches, and the shared memory in which batches come back.

Workers are started fresh (spawned), so that no lock or thread of this process is copied half-way. Each has a pipe of
its own: if a worker dies, its pipe tells; if this process dies, the workers' pipes tell them to end.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import multiprocessing.connection
import multiprocessing.shared_memory
import pickle
import signal
import time
import traceback

from ... import random
from ...array import ndarray, wrap
from ...device import cpu


class _Pickler(pickle.Pickler):
    """Arrays of ours travel as the NumPy arrays in them."""

    def reducer_override(self, x):
        if isinstance(x, ndarray):
            return _rebuilt, (x.asnumpy() if x._data.base is not None else x._data, type(x))
        return NotImplemented


def _rebuilt(data, klass):
    return wrap(data, cpu(), klass)


def packed(x, buffer_callback=None) -> bytes:
    """`x` as bytes that `pickle.loads` reads; arrays inside may be numblocks' own."""
    out = io.BytesIO()
    _Pickler(out, 5, buffer_callback=buffer_callback).dump(x)
    return out.getvalue()


def put(x) -> tuple[str, list[int]]:
    """Write `x` into new shared memory; its name, and the sizes of the parts in it, are what `take` needs."""
    buffers: list[pickle.PickleBuffer] = []
    parts = [packed(x, buffers.append), *(b.raw() for b in buffers)]
    sizes = [len(p) for p in parts]
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=max(1, sum(sizes)))
    at = 0
    for part, size in zip(parts, sizes, strict=True):
        memory.buf[at : at + size] = part
        at += size
    memory.close()
    return memory.name, sizes


def take(name: str, sizes: list[int] | None):
    """What `put` wrote, copied out of the shared memory, which is freed; with sizes None it is only freed."""
    memory = multiprocessing.shared_memory.SharedMemory(name)
    try:
        parts, at = [], 0
        for size in sizes or ():
            parts.append(bytearray(memory.buf[at : at + size]))  # writable, as every array is
            at += size
    finally:
        memory.close()
        memory.unlink()
    return pickle.loads(parts[0], buffers=parts[1:]) if parts else None


@contextlib.contextmanager
def _masked(how: str = "SIG_BLOCK"):
    """Ctrl-C and the end by `terminate` held back; all threads of a process started here inherit that, so it is not
    interrupted before it can ignore the one, nor ended between making shared memory and telling of it by the other.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(getattr(signal, how), {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe, maker: bytes) -> None:
    """The life of a worker: `(number, seed, indices)` in, `(number, error, where the batch is)` out."""
    # Ctrl-C reaches the whole group of processes; the parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        make = None
        while (task := pipe.recv()) is not None:
            number, seed, indices = task
            try:
                with _masked("SIG_UNBLOCK"):
                    make = make or pickle.loads(maker)
                    random.seed(seed)
                    made = make(indices)
                answer = number, None, put(made)
            except BaseException as error:  # whatever it is, the caller shall see it
                answer = number, _portable(error), None
            pipe.send(answer)


def _portable(error: BaseException) -> tuple[BaseException | None, str]:
    text = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return None, text
    return error, text


class _Remote(Exception):
    """The traceback that an exception had in its worker."""

    def __str__(self):
        return f"in a worker process of DataLoader:\n\n{self.args[0]}"


class Pool:
    """Worker processes of one DataLoader.

    Args:
        make: called with a list of example numbers, in a worker; it must be possible to pickle it.
        workers: how many.

    Raises:
        TypeError: `make`, that is the dataset, its transform or the batchify function, cannot be pickled.
    """

    def __init__(self, make, workers: int):
        try:
            maker = packed(make)
        except Exception as error:
            raise TypeError(
                f"DataLoader: the dataset or batchify_fn cannot be sent to a worker process: {error}. Processes get"
                f" a copy by"
                f" pickle, which knows functions by name: no lambdas, no functions inside functions. Define them at"
                f" the top"
                f" of a module, or pass thread_pool=True."
            ) from error
        context = multiprocessing.get_context("spawn")
        self._workers, self._round = [], 0
        for _ in range(workers):
            mine, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, maker), daemon=True, name="numblocks-data")
            with _masked():
                process.start()
            theirs.close()
            self._workers.append((process, mine))
        self._busy = dict.fromkeys((pipe for _, pipe in self._workers), 0)

    def batches(self, sampler, ahead: int, timeout: float):
        """Yield the batch of each list of numbers, in order, while workers make the next `ahead` ones."""
        self._round += 1
        mine, sent, jobs, ready = self._round, 0, iter(sampler), {}
        asked, more = 0, True
        try:
            while True:
                while more and sent - asked <= ahead:
                    indices = next(jobs, None)
                    more = indices is not None
                    if more:
                        # a seed for each batch: its draws do not depend on which worker makes it
                        seed = int(random.numpy_generator().integers(1 << 31))
                        self._send(((mine, sent), seed, list(indices)))
                        sent += 1
                if asked == sent:
                    return
                deadline = time.monotonic() + timeout
                while asked not in ready:
                    self._receive(mine, ready, deadline, timeout)
                error, where = ready.pop(asked)
                asked += 1
                if error is not None:
                    raise _revived(*error)
                yield take(*where)
        except GeneratorExit:  # the loop was left: what is still made is thrown away when it arrives
            raise
        except BaseException:
            self.close()
            raise
        finally:
            for _, where in ready.values():
                if where is not None:
                    take(where[0], None)

    def _send(self, task):
        pipe = min(self._busy, key=self._busy.get)
        try:
            pipe.send(task)
        except (BrokenPipeError, ConnectionResetError):
            self._died(pipe)
        self._busy[pipe] += 1

    def _receive(self, mine, ready, deadline, timeout):
        pipes = multiprocessing.connection.wait(list(self._busy), max(0.0, deadline - time.monotonic()))
        if not pipes:
            raise RuntimeError(
                f"DataLoader: a worker made no batch within {timeout} seconds. The dataset is slow, or it hangs. Raise"
                f" timeout, or set num_workers=0 to see where."
            )
        for pipe in pipes:
            try:
                (round_, number), error, where = pipe.recv()
            except (EOFError, ConnectionResetError):
                self._died(pipe)
            self._busy[pipe] -= 1
            if round_ == mine:
                ready[number] = error, where
            elif where is not None:
                take(where[0], None)

    def _died(self, pipe):
        process = next(p for p, q in self._workers if q is pipe)
        process.join(1)
        raise RuntimeError(
            f"DataLoader: a worker process ended with exit code {process.exitcode}. It was killed, ran out of"
            f" memory, or"
            f' could not start because the script has no `if __name__ == "__main__":`. See its messages above, or pass'
            f" thread_pool=True."
        )

    @property
    def alive(self) -> bool:
        """Whether `close` was not called yet."""
        return bool(self._workers)

    def close(self) -> None:
        """End all workers and free what they have made; closing twice does nothing."""
        workers, self._workers, self._busy = self._workers, [], {}
        for _, pipe in workers:
            with contextlib.suppress(OSError):
                pipe.send(None)
        deadline = time.monotonic() + 1.0  # for batches that are nearly made; longer ones are cut off
        for process, pipe in workers:
            _free_all(pipe, deadline)
            process.join(max(0.05, deadline - time.monotonic()))
            for end in (process.terminate, process.kill):
                if process.is_alive():
                    end()
                    process.join(5)
            _free_all(pipe, deadline)  # what was sent just before
            pipe.close()
            process.close()


def _free_all(pipe, deadline: float) -> None:
    """Free the batches that a worker sends until it ends, or until the deadline."""
    with contextlib.suppress(EOFError, OSError):
        while pipe.poll(max(0.0, deadline - time.monotonic())):
            where = pipe.recv()[2]
            if where is not None:
                take(where[0], None)


def _revived(error, text) -> BaseException:
    if error is None:
        return RuntimeError(f"DataLoader: {_Remote(text)}")
    error.__cause__ = _Remote(text)
    return error
