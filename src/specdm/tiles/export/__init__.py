"""Tile sets as files of other tools: one module a format, and what all of them share.

`export_tiles` is the way in; `FORMATS` says what there is.
"""

from specdm.tiles.export.exporting import export_tiles
from specdm.tiles.export.formats import FORMATS

__all__ = ["FORMATS", "export_tiles"]
