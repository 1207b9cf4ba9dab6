"""`nd.image`: the functions of `npx.image` with the manners of `mx.nd`."""

from __future__ import annotations

from ..npx import image
from .wrapping import export

export(globals(), {name: getattr(image, name) for name in image.__all__})
