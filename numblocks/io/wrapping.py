"""Iterators over iterators: with another number of batches, or ahead of time in a thread."""

from __future__ import annotations

import queue
import threading
import weakref

from .base import Held
from .batch import DataBatch, DataDesc


class ResizeIter(Held):
    """Another iterator with `size` batches in each round; it begins again when it is at its end.

    Args:
        data_iter: the iterator.
        size: batches in a round.
        reset_internal: let it begin anew with each round, else go on where it was.

    >>> from numblocks.io import NDArrayIter
    >>> len(list(ResizeIter(NDArrayIter(np.arange(3)), 7)))
    7
    """

    def __init__(self, data_iter, size, reset_internal=True):
        super().__init__(data_iter.batch_size)
        self.data_iter, self.size, self.reset_internal, self.cur = data_iter, size, reset_internal, 0
        self.provide_data, self.provide_label = data_iter.provide_data, data_iter.provide_label
        if hasattr(data_iter, "default_bucket_key"):
            self.default_bucket_key = data_iter.default_bucket_key

    def reset(self):
        self.cur = 0
        if self.reset_internal:
            self.data_iter.reset()

    def iter_next(self):
        if self.cur == self.size:
            return False
        try:
            self.current_batch = self.data_iter.next()
        except StopIteration:
            self.data_iter.reset()
            self.current_batch = self.data_iter.next()
        self.cur += 1
        return True


_DONE = object()


class PrefetchingIter(Held):
    """One or several iterators, read ahead by a thread; their arrays stand side by side in each batch.

    Args:
        iters: an iterator or a list of them, of equal length and batch size.
        rename_data, rename_label: for each of them a dict from old to new names.

    An error in the thread reaches `next`, with its traceback.

    >>> from numblocks.io import NDArrayIter
    >>> it = PrefetchingIter([NDArrayIter(np.arange(3)), NDArrayIter({'more': np.arange(3)})])
    >>> [desc.name for desc in it.provide_data], len(next(it).data)
    (['data', 'more'], 2)
    """

    _AHEAD = 2

    def __init__(self, iters, rename_data=None, rename_label=None):
        self.iters = list(iters) if isinstance(iters, (list, tuple)) else [iters]
        self.n_iter = len(self.iters)
        sizes = {it.batch_size for it in self.iters}
        if len(sizes) != 1:
            raise ValueError(
                f"PrefetchingIter: {self.n_iter} iterators with batch sizes {sorted(sizes)}. Their batches are joined."
                f" Give them one batch size."
            )
        super().__init__(sizes.pop())
        self.rename_data, self.rename_label = rename_data, rename_label
        self._begin()

    def _renamed(self, kind, names):
        found = []
        for it, new in zip(self.iters, names or [{}] * self.n_iter, strict=True):
            for desc in getattr(it, kind):
                desc = desc if isinstance(desc, DataDesc) else DataDesc(*desc)
                found.append(DataDesc(new.get(desc.name, desc.name), desc.shape, desc.dtype, desc.layout))
        return found

    @property
    def provide_data(self):
        """Descriptions of the inputs."""
        return self._renamed("provide_data", self.rename_data)

    @property
    def provide_label(self):
        """Descriptions of the labels."""
        return self._renamed("provide_label", self.rename_label)

    def _begin(self):
        self._queue, self._stop = queue.Queue(self._AHEAD), threading.Event()
        self._over = False
        self._thread = threading.Thread(
            target=_read_ahead, args=(self.iters, self._queue, self._stop), name="PrefetchingIter", daemon=True
        )
        # an iterator that nobody holds any more must not leave a thread behind
        weakref.finalize(self, self._stop.set)
        self._thread.start()

    def reset(self):
        """Begin again; batches that were read ahead are dropped."""
        self._stop.set()
        self._thread.join()
        for it in self.iters:
            it.reset()
        self._begin()

    def iter_next(self):
        if self._over:
            return False
        found = self._queue.get()
        self._over = found is _DONE or isinstance(found, BaseException)
        if isinstance(found, BaseException):
            raise found
        if found is _DONE:
            return False
        self.current_batch = found
        return True


def _read_ahead(iters, put_into, stop):
    def put(item):
        while not stop.is_set():
            try:
                return put_into.put(item, timeout=0.05)
            except queue.Full:
                continue

    try:
        while not stop.is_set():
            batches = [next(it, None) for it in iters]
            if any(b is None for b in batches):
                if any(b is not None for b in batches):
                    raise ValueError(
                        "PrefetchingIter: one iterator ended before another. Their batches are joined. Give them equal"
                        " lengths, e.g. with ResizeIter."
                    )
                return put(_DONE)
            first = batches[0]
            data = [x for b in batches for x in b.data]
            label = [x for b in batches for x in b.label or ()]
            put(DataBatch(data, label, first.pad, first.index, provide_data=first.provide_data))
    except BaseException as error:
        put(error)
