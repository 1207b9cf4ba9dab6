"""`DataLoader`: batches of a dataset, read ahead by threads or processes if asked for."""

from __future__ import annotations

import queue
import threading
import weakref

from .batchify import default_batchify_fn
from .dataset import Dataset
from .processes import Pool
from .sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterates over a dataset in batches; each batch is a list of arrays, or one array if examples are no
    tuples.

    Args:
        dataset: anything with `__getitem__` and `__len__`.
        batch_size: examples in a batch.
        shuffle: read in a new random order each time.
        sampler: the order, instead of `shuffle`.
        last_batch: `'keep'`, `'discard'` or `'rollover'` an incomplete last batch; `'keep'` if None.
        batch_sampler: yields lists of example numbers, instead of all four above.
        batchify_fn: makes a batch from a list of examples.
        num_workers: how many workers read ahead; 0 reads when asked.
        pin_memory, pin_device_id: accepted; there is nothing to pin on the CPU.
        prefetch: how many batches to read ahead, 2 for each thread if None.
        thread_pool: True or None: workers are threads; False: they are processes. Reading and transforms hold
            Python's lock wherever they are plain Python, so threads help most with files and NumPy work.
            Processes get a copy of the dataset by pickle and are kept until `clean()`; the script that starts
            them needs `if __name__ == "__main__":`. (In MXNet processes are the default.)
        timeout: seconds to wait for a batch of a worker.
        auto_reload: accepted; reading ahead starts with each iteration.

    Raises:
        ValueError: arguments that exclude each other, or none that say how large a batch is.

    >>> from numblocks.gluon.data import ArrayDataset
    >>> [len(batch) for batch in DataLoader(ArrayDataset([1, 2, 3]), batch_size=2)]
    [2, 1]
    """

    def __init__(
        self, dataset, batch_size=None, shuffle=False, sampler=None, last_batch=None, batch_sampler=None,
        batchify_fn=None, num_workers=0, pin_memory=False, pin_device_id=0, prefetch=None, thread_pool=None,
        timeout=120, auto_reload=False,
    ):  # fmt: skip
        self._dataset = dataset
        self._timeout = timeout
        if batch_sampler is None:
            batch_sampler = _batch_sampler(dataset, batch_size, shuffle, sampler, last_batch)
        elif batch_size is not None or shuffle or sampler is not None or last_batch is not None:
            raise ValueError(
                "DataLoader: batch_size, shuffle, sampler and last_batch were given beside batch_sampler."
                " It decides all of them. batch_size, shuffle, sampler and last_batch must not be"
                " specified with it."
            )
        self._batch_sampler = batch_sampler
        self._batchify_fn = default_batchify_fn if batchify_fn is None else batchify_fn
        self._use_processes, self._pool = thread_pool is False, None
        self._num_workers = max(0, int(num_workers))
        self._prefetch = max(1, 2 * self._num_workers if prefetch is None else int(prefetch))

    def __len__(self) -> int:
        return len(self._batch_sampler)

    def __iter__(self):
        make = _Maker(self._dataset, self._batchify_fn)
        if self._num_workers == 0:
            return map(make, self._batch_sampler)
        if self._use_processes:
            if self._pool is None or not self._pool.alive:
                self._pool = Pool(make, self._num_workers)
                weakref.finalize(self, self._pool.close)
            return self._from_pool()
        return _read_ahead(make, self._batch_sampler, self._num_workers, self._prefetch, self._timeout)

    def _from_pool(self):
        # A method, so that it keeps the loader: the pool ends when nobody has the loader any more.
        yield from self._pool.batches(self._batch_sampler, self._prefetch, self._timeout)

    def refresh(self) -> None:
        """Accepted: reading ahead starts with each iteration."""

    def clean(self) -> None:
        """End worker processes; the next iteration starts new ones. Threads end with the iteration they serve."""
        if self._pool is not None:
            self._pool.close()


class _Maker:
    """Makes a batch from example numbers; a copy of it goes to each worker process."""

    def __init__(self, dataset, batchify_fn):
        self._dataset, self._batchify_fn = dataset, batchify_fn

    def __call__(self, indices):
        # Arrays are gathered in one go; the result is what stacking the examples one by one would give.
        if self._batchify_fn is default_batchify_fn and isinstance(self._dataset, Dataset):
            columns = self._dataset._rows(indices)
            if columns is not None:
                return columns if len(columns) > 1 else columns[0]
        return self._batchify_fn([self._dataset[k] for k in indices])


def _batch_sampler(dataset, batch_size, shuffle, sampler, last_batch):
    if batch_size is None:
        raise ValueError(
            "DataLoader: neither batch_size nor batch_sampler was given. Nothing says how large a batch"
            " is. batch_size must be specified unless batch_sampler is specified."
        )
    if sampler is None:
        sampler = RandomSampler(len(dataset)) if shuffle else SequentialSampler(len(dataset))
    elif shuffle:
        raise ValueError(
            "DataLoader: both shuffle and sampler were given. The sampler decides the order. shuffle must"
            " not be specified if sampler is specified."
        )
    return BatchSampler(sampler, batch_size, last_batch or "keep")


def _read_ahead(make, sampler, workers, ahead, timeout):
    """Yield `make(indices)` in the sampler's order while threads make the next ones.

    An exception of `make` is raised where its batch would have come; the threads end when the generator does.
    """
    todo: queue.SimpleQueue = queue.SimpleQueue()
    jobs = iter(
        sampler
    )  # only this thread reads it: samplers draw random numbers and need not be thread-safe
    pending: list[_Job] = []

    def work():
        while (job := todo.get()) is not None:
            job.run(make)

    threads = [threading.Thread(target=work, daemon=True, name="numblocks-data") for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        for indices in jobs:
            pending.append(_Job(indices))
            todo.put(pending[-1])
            if len(pending) > ahead:
                yield pending.pop(0).result(timeout)
        while pending:
            yield pending.pop(0).result(timeout)
    finally:
        for job in pending:
            job.abandoned = True
        for _ in threads:
            todo.put(None)


class _Job:
    """One batch on its way from a worker."""

    def __init__(self, indices):
        self.indices, self.abandoned = indices, False
        self._done, self._value, self._error = threading.Event(), None, None

    def run(self, make) -> None:
        if not self.abandoned:
            try:
                self._value = make(self.indices)
            except BaseException as error:  # handed to the thread that waits for the batch
                self._error = error
        self._done.set()

    def result(self, timeout):
        if not self._done.wait(timeout):
            raise RuntimeError(
                f"DataLoader: a worker made no batch within {timeout} seconds. The dataset is slow, or it"
                f" hangs. Raise timeout, or set num_workers=0 to see where."
            )
        if self._error is not None:
            raise self._error
        return self._value
