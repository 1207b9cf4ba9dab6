"""`mx.attribute`: attributes of symbols. There are no symbols here, so a scope holds them and nobody asks."""

from __future__ import annotations


class AttrScope:
    """`with AttrScope(lr_mult="2"):` is accepted and changes nothing: set them on Parameters instead.

    >>> with AttrScope(group="first") as scope:
    ...     scope.get({"lr_mult": "2"})
    {'group': 'first', 'lr_mult': '2'}
    """

    def __init__(self, **kwargs):
        for value in kwargs.values():
            if not isinstance(value, str):
                raise ValueError(
                    f"AttrScope: got {value!r} ({type(value).__name__}). Attributes are texts. Pass str({value!r})."
                )
        self._attr = kwargs

    def get(self, attr: dict | None) -> dict:
        """The attributes of this scope under those given."""
        return {**self._attr, **(attr or {})}

    def __enter__(self) -> AttrScope:
        return self

    def __exit__(self, *exc) -> None:
        pass
