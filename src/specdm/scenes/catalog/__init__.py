"""Public data sets by name: where they are, what they hold, what to cite, and how to open them.

Facts come from the publishers' pages, papers and loaders, and for the sets in `shared/data` from the files. A checksum
or size that no source gives is None; what could not be confirmed is said in the entry's note.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from specdm.errors import SceneError
from specdm.scenes.catalog.abundances import ABUNDANCES
from specdm.scenes.catalog.change import CHANGE
from specdm.scenes.catalog.change_hyperspectral import CHANGE_HYPERSPECTRAL
from specdm.scenes.catalog.entry import NOMINAL, DatasetEntry, FileFact
from specdm.scenes.catalog.segmentation import SEGMENTATION
from specdm.scenes.catalog.segmentation_sentinel2 import SEGMENTATION_SENTINEL2

__all__ = ["DATASETS", "DatasetEntry", "FileFact", "find", "without_nominal"]

_ALL = (*SEGMENTATION, *SEGMENTATION_SENTINEL2, *CHANGE, *CHANGE_HYPERSPECTRAL, *ABUNDANCES)

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in _ALL}
"""All entries by name."""


def find(name: str) -> DatasetEntry:
    """The entry of this name; case, blanks, dashes and underscores do not matter.

    Raises:
        SceneError: there is none; names the closest.
    """
    keys = {_key(known): entry for known, entry in DATASETS.items()}
    if _key(name) in keys:
        return keys[_key(name)]
    close = [key for key in keys if _key(name) and (_key(name) in key or key in _key(name))]
    close += [key for key in difflib.get_close_matches(_key(name), keys, n=3, cutoff=0.5) if key not in close]
    meant = f"did you mean {' or '.join(keys[key].name for key in close[:3])}? " if close else ""
    raise SceneError(f"no data set is called {name!r}; {meant}specdm catalog lists all {len(DATASETS)}")


def without_nominal(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `open_scene` for a data set by name, with its nominal wavelengths as numbers: for files beside it."""
    found = dict(options)
    if isinstance(found.get("wavelengths"), str) and found["wavelengths"] == NOMINAL and found.get("dataset"):
        found["wavelengths"] = list(find(str(found["dataset"])).nominal_wavelengths)
    return found


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name.lower())
