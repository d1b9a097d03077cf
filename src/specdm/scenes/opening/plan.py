"""What is to be read for each scene. Every way of naming files, and every folder layout, ends in this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specdm.scenes.pairs import Source, source_name


@dataclass(frozen=True)
class RasterSource:
    """Where one raster is.

    Attributes:
        files: one file or array; or several files of one band each, which become the bands in this order.
        band_names: names of the bands where there are several files; else the file's own count.
        variable: the array of a file with several, or None for the reader to tell.
        position: which date of a 4-D array, or None if the array holds no dates.
    """

    files: tuple[Source, ...]
    band_names: tuple[str, ...] | None = None
    variable: str | None = None
    position: int | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        first = source_name(self.files[0])
        more = f" and {len(self.files) - 1} more bands" if len(self.files) > 1 else ""
        return f"{first}{more}" + (f" ({self.variable})" if self.variable else "")


@dataclass(frozen=True)
class ScenePlan:
    """The sources of one scene.

    Attributes:
        name: what messages, reports and splits call the scene.
        images: one a date.
        masks: none; one for all dates; one a date; or one a class, then `mask_classes` names them.
        mask_classes: class names where each mask marks the pixels of one class.
        split_map: a given map of training and test ground, or None.
        dates: labels, one a date; None: those of the opening as a whole.
        split: the published split the scene belongs to ("train", "val", "test"), if there is one.
        attrs: further attributes of the scene's data set, such as when a city was really taken.
    """

    name: str
    images: tuple[RasterSource, ...]
    masks: tuple[RasterSource, ...] = ()
    mask_classes: tuple[str, ...] | None = None
    split_map: RasterSource | None = None
    dates: tuple[str | int, ...] | None = None
    split: str | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OpeningPlan:
    """All scenes to be opened together.

    Attributes:
        scenes: in the order of the collection.
        name: what the collection is called.
        dates: labels, one a date; None for one date without a label.
        many: whether a collection is wanted (also of one scene).
        defaults: options of `open_scene` that the layout knows; what the user says goes before them.
        remarks: lines for `problems`.
    """

    scenes: tuple[ScenePlan, ...]
    name: str
    dates: tuple[str | int, ...] | None = None
    many: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def one_file(source: Source, *, variable: str | None = None, position: int | None = None) -> RasterSource:
    """The source of a single file or array."""
    return RasterSource((source,), variable=variable, position=position)
