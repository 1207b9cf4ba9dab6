"""`DataIter`: what gives one batch after another, and begins again when `reset` is called."""

from __future__ import annotations

from .batch import DataBatch


class DataIter:
    """The base of iterators over batches. Override `next`, or `iter_next`, `getdata`, `getlabel` and `getpad`.

    Args:
        batch_size: number of examples in a batch.

    >>> class Two(DataIter):
    ...     provide_data = provide_label = ()
    ...     left = 2
    ...     def iter_next(self):
    ...         self.left -= 1
    ...         return self.left >= 0
    ...     def getdata(self):
    ...         return [np.ones((1, 1))]
    ...     getlabel = getdata
    ...     def getpad(self):
    ...         return 0
    >>> len(list(Two(1)))
    2
    """

    def __init__(self, batch_size=0):
        self.batch_size = batch_size

    def __iter__(self):
        return self

    def __next__(self):
        return self.next()

    def reset(self) -> None:
        """Begin again."""

    def next(self) -> DataBatch:
        """The next batch.

        Raises:
            StopIteration: there is none until `reset`.
        """
        if not self.iter_next():
            raise StopIteration
        return DataBatch(self.getdata(), self.getlabel(), self.getpad(), self.getindex())

    def iter_next(self) -> bool:
        """Go on to the next batch; whether there is one."""
        raise NotImplementedError(f"{type(self).__name__} has neither next nor iter_next. Write one of them.")

    def getdata(self) -> list:
        """The inputs of this batch."""
        raise NotImplementedError(f"{type(self).__name__} has no getdata. It gives a batch's inputs. Write it.")

    def getlabel(self) -> list:
        """The labels of this batch."""
        raise NotImplementedError(f"{type(self).__name__} has no getlabel. It gives a batch's labels. Write it.")

    def getindex(self):
        """The numbers of this batch's examples; None if nobody counts them."""
        return None

    def getpad(self) -> int:
        """How many examples at the end of this batch only fill it."""
        raise NotImplementedError(f"{type(self).__name__} has no getpad. It counts filling examples. Write it.")


class Held(DataIter):
    """An iterator whose `iter_next` puts a whole batch into `current_batch`.

    >>> Held(4).batch_size
    4
    """

    current_batch: DataBatch | None = None

    def next(self):
        if not self.iter_next():
            raise StopIteration
        return self.current_batch

    def getdata(self):
        return self.current_batch.data

    def getlabel(self):
        return self.current_batch.label

    def getindex(self):
        return self.current_batch.index

    def getpad(self):
        return self.current_batch.pad
