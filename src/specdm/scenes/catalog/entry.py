"""What the catalogue knows of a data set, how it is checked on disk, and how it is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import SceneError

if TYPE_CHECKING:
    from specdm.scenes.collection import SceneCollection
    from specdm.scenes.scene import Scene

HASHED_BYTES = 64 * 2**20
"""Files up to this size are compared with their published checksum when the set is opened; all by `check`."""

NOT_STATED = "not stated"
NOMINAL = "nominal"


@dataclass(frozen=True)
class FileFact:
    """One file of a data set.

    Attributes:
        name: its name, or a pattern such as "*-cm.tif"; it may lie anywhere below the folder. With a slash, the last
            parts of its path.
        bytes: its size, or None where no source gives it.
        sha256: its checksum, or None where no source gives it. Never made up.
        shape: what it holds, in words.
        variant: some sets go round in several forms; a folder needs the files of one of them. "" belongs to all.
        optional: whether the set can be opened without it.
    """

    name: str
    bytes: int | None = None
    sha256: str | None = None
    shape: str = ""
    variant: str = ""
    optional: bool = False

    def find(self, folder: Path) -> list[Path]:
        """Where it is below a folder, sorted; the letters' case does not matter."""
        parts = self.name.lower().split("/")
        return sorted(
            path
            for path in folder.rglob("*")
            if len(path.parts) >= len(parts)
            and all(_fits(have, want) for have, want in zip(path.parts[-len(parts) :], parts, strict=True))
        )


@dataclass(frozen=True)
class Opening:
    """How files are opened: the first argument of `open_scene` and its options."""

    image: Any
    options: Mapping[str, Any] = field(default_factory=dict)


class Files:
    """The files of one variant of a data set, found below a folder."""

    def __init__(self, folder: Path, variant: str, found: Mapping[str, list[Path]]) -> None:
        self.folder = folder
        self.variant = variant
        self._found = found

    def __getitem__(self, name: str) -> Path:
        """The file of a `FileFact.name`; the first if there are several."""
        return self._found[name][0]

    def has(self, name: str) -> bool:
        return bool(self._found.get(name))


@dataclass(frozen=True)
class DatasetEntry:
    """A public data set.

    Attributes:
        name: what one types: lower case, with dashes.
        title: what one reads.
        task: one of `specdm.scenes.task.TASKS`.
        sensor: sensor and platform.
        where: where to download it.
        files: what the folder should hold.
        size: rows and columns of a scene, or None if the scenes differ.
        bands: number of bands, None if there are no images.
        wavelengths: first and last wavelength in nm, None if not published.
        classes: mask value -> class name; for abundances position from 1 -> material.
        citation: what to cite, with its DOI.
        licence: as published, else `NOT_STATED`.
        opener: files and the user's options -> how to open; takes out of the options what `open_scene` does not know.
        nominal_wavelengths: band centres in nm spread evenly over the published range, where no others are published;
            used only if the user says wavelengths="nominal".
        note: what one should know; what could not be confirmed is called so.
        place: place and date.
        gsd: ground sampling distance in m, or None.
        scenes: how many scenes.
    """

    name: str
    title: str
    task: str
    sensor: str
    where: str
    files: tuple[FileFact, ...]
    size: tuple[int, int] | None
    bands: int | None
    wavelengths: tuple[float, float] | None
    classes: Mapping[int, str]
    citation: str
    licence: str
    opener: Callable[[Files, dict[str, Any]], Opening]
    nominal_wavelengths: tuple[float, ...] = ()
    note: str = ""
    place: str = ""
    gsd: float | None = None
    scenes: int = 1

    @property
    def variants(self) -> tuple[str, ...]:
        """The forms in which the set goes round; ("",) if there is only one."""
        named = dict.fromkeys(fact.variant for fact in self.files if fact.variant)
        return tuple(named) or ("",)

    def check(self, folder: str | Path, *, hash_up_to: int | None = None) -> list[str]:
        """What is wrong with a folder, one line each; empty if all is as published.

        Args:
            folder: where the files are.
            hash_up_to: checksums are compared for files up to this size in bytes; None: for all.
        """
        folder = Path(folder)
        if not folder.is_dir():
            return [f"{folder}: is no folder; download {self.title} from {self.where} into it"]
        try:
            files = self.locate(folder)
        except SceneError as error:
            return [str(error)]
        problems = []
        for fact in self._facts(files.variant):
            for path in fact.find(folder)[:1]:
                problems += _differences(path, fact, hash_up_to)
        return problems

    def locate(self, folder: Path) -> Files:
        """The files of the first variant that is complete.

        Raises:
            SceneError: none is complete; says what is missing.
        """
        missing: dict[str, list[str]] = {}
        for variant in self.variants:
            facts = self._facts(variant)
            found = {fact.name: fact.find(folder) for fact in facts}
            missing[variant] = [fact.name for fact in facts if not found[fact.name] and not fact.optional]
            if not missing[variant]:
                return Files(folder, variant, found)
        nearest = min(missing, key=lambda variant: len(missing[variant]))
        names = ", ".join(missing[nearest])
        others = f" (or the files of another form: {'; '.join(v for v in missing if v != nearest)})"
        raise SceneError(
            f"{folder}: {self.title} is not complete, there is no {names}{others if len(missing) > 1 else ''}; "
            f"download it from {self.where}"
        )

    def plan(self, folder: str | Path, options: Mapping[str, Any]) -> Opening:
        """What `open` hands to `open_scene`; the user's options go before those of the catalogue.

        Raises:
            SceneError: the folder is not there or not complete.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise SceneError(f"{folder}: is no folder; download {self.title} from {self.where} into it")
        given = {key: value for key, value in options.items() if value is not None}
        if isinstance(given.get("wavelengths"), str) and given["wavelengths"] == NOMINAL:
            if not self.nominal_wavelengths:
                raise SceneError(f"{self.title}: has no nominal wavelengths; leave wavelengths={NOMINAL!r} out")
            given["wavelengths"] = list(self.nominal_wavelengths)
        opening = self.opener(self.locate(folder), given)
        return Opening(opening.image, {"name": self.title} | dict(opening.options) | given)

    def open(self, folder: str | Path, **options: Any) -> Scene | SceneCollection:
        """The data set as scenes, with its names, dates, scale and mask as published.

        Files that differ from the published ones are opened all the same; `problems` says so.

        Args:
            folder: where the files are.
            options: of `open_scene`, for what should be otherwise.

        Raises:
            SceneError: the folder is not there or not complete.
            SpecDMError: as `open_scene`.
        """
        from specdm.scenes.collection import SceneCollection
        from specdm.scenes.open import open_scene

        opening = self.plan(folder, options)
        opened = open_scene(opening.image, **opening.options)
        scenes = opened.scenes if isinstance(opened, SceneCollection) else [opened]
        remarks = self.check(folder, hash_up_to=HASHED_BYTES)
        for position, scene in enumerate(scenes):
            attrs = scene.dataset.attrs
            found = [*(remarks if position == 0 else []), *self._surprises(scene)]
            attrs["problems"] = [*attrs.get("problems", ()), *found]
            # what the user says goes before
            attrs |= {"citation": self.citation, "licence": self.licence, **attrs, "dataset": self.name}
        return opened

    def _facts(self, variant: str) -> list[FileFact]:
        return [fact for fact in self.files if fact.variant in ("", variant)]

    def _surprises(self, scene: Scene) -> list[str]:
        """How a scene differs from what is published: grid and number of bands."""
        sizes = scene.dataset["image"].sizes
        lines = []
        if self.size is not None and (sizes["y"], sizes["x"]) != self.size:
            lines.append(
                f"{sizes['y']} x {sizes['x']} px, {self.title} is published with {self.size[0]} x {self.size[1]}"
            )
        n_bands = sizes["band"] + len(scene.left_out)
        if self.bands is not None and n_bands != self.bands:
            lines.append(f"{n_bands} bands, {self.title} is published with {self.bands}")
        return lines


def _fits(have: str, want: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(have.lower(), want)


def _differences(path: Path, fact: FileFact, hash_up_to: int | None) -> list[str]:
    size = path.stat().st_size
    if fact.bytes is not None and size != fact.bytes:
        return [f"{path}: has {size} bytes, the published file {fact.bytes}; download it again"]
    if fact.sha256 is None or (hash_up_to is not None and size > hash_up_to):
        return []
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    same = digest == fact.sha256
    return [] if same else [f"{path}: its content is not that of the published file; download it again"]
