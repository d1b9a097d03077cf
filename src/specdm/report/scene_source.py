"""What a run is made from: files with what the user says of them, or an embedded scene; as a record too."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from specdm.errors import MaskError, RunError
from specdm.report.unlabelled_imagery import (
    Imagery,
    find_imagery,
    imagery_from_record,
    imagery_record,
    opened_imagery,
)

if TYPE_CHECKING:
    from specdm.scenes.collection import SceneCollection
    from specdm.scenes.scene import Scene
    from specdm.tiles.tileset import TileSet


class Sample(NamedTuple):
    """An embedded scene.

    Attributes:
        words: what it is, for people.
        module, function: what makes it.
        options: of the function.
        part: attribute of the result that is the scene; None if the result itself is.
    """

    words: str
    module: str
    function: str
    options: Mapping[str, Any] = MappingProxyType({})
    part: str | None = None

    def open(self) -> Scene:
        made = getattr(importlib.import_module(self.module), self.function)(**self.options)
        return made if self.part is None else getattr(made, self.part)


_PINES, _MADE = "Indian Pines (AVIRIS, 145 x 145 px of 20 m, 200 bands, 16 classes)", "and a semi-synthetic second date"
_SIMULATED = "a simulated landscape (128 x 128 px of 20 m, AVIRIS-like)"

SAMPLES = {
    "indian_pines": Sample(_PINES, "specdm.scenes.samples", "indian_pines"),
    "indian_pines_change": Sample(
        f"{_PINES} {_MADE}, with a change mask", "specdm.simulation.real_change", "indian_pines_change"
    ),
    "indian_pines_semantic": Sample(
        f"{_PINES} {_MADE}, with a class mask a date",
        "specdm.simulation.real_change",
        "indian_pines_change",
        {"masks": "classes"},
    ),
    "simulated": Sample(
        f"{_SIMULATED} with a class mask", "specdm.simulation.scene", "simulate_scene", part="scene"
    ),
    "simulated_abundances": Sample(
        f"{_SIMULATED} with abundances", "specdm.simulation.scene", "simulate_scene", part="abundances_scene"
    ),
    "simulated_change": Sample(
        f"{_SIMULATED} at two dates, with a change mask", "specdm.simulation.change", "simulate_change", part="scene"
    ),
    "simulated_semantic": Sample(
        f"{_SIMULATED} at two dates, with a class mask each",
        "specdm.simulation.change",
        "simulate_change",
        {"task": "semantic_change"},
        "scene",
    ),
}
"""Scenes that need no file, by the name one types."""

FILE_OPTIONS = ("mask", "split_map", "wavelengths", "fwhm")
"""Options of `open_scene` that may name files."""


@dataclass(frozen=True)
class SceneSource:
    """Files or an embedded scene.

    Attributes:
        images: files or folders, or nothing with `sample`.
        options: keyword options of `open_scene`: plain values, lists, mappings and paths.
        sample: name of an embedded scene, one of `SAMPLES`.
        unlabelled: imagery without labels that joins training: of each scene its file (or folder of a known layout),
            or one file a date.
    """

    images: tuple[Path, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    sample: str | None = None
    unlabelled: tuple[Imagery, ...] = ()

    @classmethod
    def of(
        cls, inputs: Sequence[Path], options: Mapping[str, Any], *, unlabelled: Sequence[str] = ()
    ) -> SceneSource:
        """What a user types: files and folders, or the name of an embedded scene where there is no such file.

        Args:
            inputs: files and folders, or a name.
            options: of `open_scene`.
            unlabelled: imagery without labels, see `find_imagery`.

        Raises:
            RunError: options for an embedded scene, which has none, or no such imagery.
        """
        name = str(inputs[0])
        sample = len(inputs) == 1 and name in SAMPLES and not inputs[0].exists()
        if sample and options:
            raise RunError(
                f"{name} is an embedded scene with its own mask and wavelengths; leave "
                f"{option_flag(next(iter(options)))} out"
            )
        more = find_imagery(unlabelled, images=() if sample else inputs)
        if sample:
            return cls(sample=name, unlabelled=more)
        return cls(images=tuple(inputs), options=dict(options), unlabelled=more)

    @property
    def words(self) -> str:
        """What it is, for people."""
        if self.sample is None:
            return ", ".join(str(image) for image in self.images)
        return self._sample().words

    def _sample(self) -> Sample:
        if self.sample not in SAMPLES:
            raise RunError(f"{self.sample}: no such scene; expected one of {', '.join(SAMPLES)}")
        return SAMPLES[self.sample]

    def open(self) -> Scene | SceneCollection:
        """The scene, with its mask: classes, quantities or both.

        Raises:
            MaskError: there is no mask.
            RunError: there is no such embedded scene.
            SpecDMError: as `open_scene`.
        """
        if self.sample is not None:
            return self._sample().open()
        from specdm.scenes.open import open_scene

        images = list(self.images) if len(self.images) > 1 else self.images[0]
        scene = open_scene(images, **self.options)
        if scene.classes is None and scene.quantities is None:
            raise MaskError(f"{self.images[0]}: no mask is given; training needs one, add --mask FILE")
        return scene

    def tiles(self, **options: Any) -> tuple[TileSet, list[Path]]:
        """The scene and its imagery without labels, cut into tiles, and the files of both; options as in `tile_scenes`.

        Raises:
            SpecDMError: as `open`, `open_scene` and `tile_scenes`.
        """
        scene = self.open()
        scenes: list[Scene] = list(getattr(scene, "scenes", None) or [scene])
        more = [
            one for imagery in self.unlabelled for one in opened_imagery(imagery, options=self.options, like=scenes[0])
        ]
        named = {str(file) for one in (*scenes, *more) for file in one.sources}
        files = [Path(name) for name in sorted(named | set(self._option_files()))]
        return scene.tile(**options, unlabelled=more), [file for file in files if file.exists()]

    def _option_files(self) -> list[str]:
        """Of tables and maps; masks are among a scene's own files."""
        values = (self.options.get(key) for key in ("split_map", "wavelengths", "fwhm"))
        listed = (value if isinstance(value, (list, tuple)) else [value] for value in values)
        return [str(part) for own in listed for part in own if isinstance(part, (str, Path)) and Path(part).is_file()]

    def record(self) -> dict[str, Any]:
        """As plain values for a YAML file, with absolute paths, so that a run can go on from anywhere."""
        more = {"unlabelled": imagery_record(self.unlabelled)} if self.unlabelled else {}
        if self.sample is not None:
            return {"sample": self.sample, **more}
        options = {
            key: _absolute(value) if key in FILE_OPTIONS else _plain(value)
            for key, value in self.options.items()
        }
        return {"images": [str(image.resolve()) for image in self.images], "options": options, **more}

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, where: Path) -> SceneSource:
        """What `record` wrote.

        Raises:
            RunError: it holds something else.
        """
        sample, images = record.get("sample"), record.get("images")
        options = record.get("options") or {}
        more = imagery_from_record(record.get("unlabelled"))
        if more is not None and sample in SAMPLES:
            return cls(sample=sample, unlabelled=more)
        if more is not None and isinstance(images, list) and images and isinstance(options, dict):
            return cls(images=tuple(Path(str(image)) for image in images), options=options, unlabelled=more)
        raise RunError(f"{where}: does not say what the run was made from; start anew with image and mask")


def option_flag(option: str) -> str:
    """What an option of `open_scene` is called on the command line."""
    return "--unlabelled-value" if option == "unlabelled" else f"--{option.replace('_', '-')}"


def _absolute(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.resolve())
    if isinstance(value, str):
        return str(Path(value).resolve()) if Path(value).exists() else value
    if isinstance(value, Mapping):
        return {str(key): _absolute(part) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [_absolute(part) for part in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    return value


def read_source(path: Path) -> dict[str, Any]:
    """The file in which a run folder says what it was made from: `SceneSource.record` and more.

    Raises:
        RunError: it is missing or damaged.
    """
    import yaml

    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        record = None
    if not isinstance(record, dict):
        raise RunError(f"{path} is missing or damaged; start anew in another folder, with image and mask")
    return record
