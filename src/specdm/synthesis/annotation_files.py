"""Annotations of whole scenes as files: masks, probabilities, confidence, entropy, amounts, window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from specdm.errors import RunError
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.georeference import georeference_of
from specdm.scenes.raster_files import RasterFacts
from specdm.scenes.raster_writer import SUFFIXES, RasterSet, check_output, mask_storage
from specdm.synthesis.annotate import Annotation, SceneReading
from specdm.synthesis.facts import TileFacts

OF_NUMBERS = tuple(suffix for suffix in SUFFIXES if suffix != ".png")


@dataclass(frozen=True)
class AnnotationFiles:
    """Where an annotation goes.

    Attributes:
        mask: class masks, or amounts where the model's masks hold nothing else. With several layers there is a file a
            layer, with the layer's name at the end of its own.
        probabilities: float32, a band a class (and layer), or None.
        confidence: float32, the largest of them, a band a layer, or None.
        entropy: float32, 0 (sure) to 1, a band a layer, or None.
    """

    mask: Path
    probabilities: Path | None = None
    confidence: Path | None = None
    entropy: Path | None = None

    def masks(self, facts: TileFacts) -> list[Path]:
        """A file for each layer of the model's masks; none without classes."""
        if len(facts.layers) == 1:
            return [self.mask]
        words = ["".join(c if c.isalnum() or c in "-." else "_" for c in layer) for layer in facts.layers]
        return [self.mask.with_name(f"{self.mask.stem}_{word}{self.mask.suffix}") for word in words]

    def amounts(self, facts: TileFacts) -> Path | None:
        """The file of the amounts; None without."""
        if facts.quantities is None:
            return None
        return self.mask.with_name(f"{self.mask.stem}_amounts{self.mask.suffix}") if facts.layers else self.mask

    def check(self, facts: TileFacts, *, overwrite: bool) -> None:
        """Raise RunError unless all of them can be written, and mean something for this model."""
        numbers = {"probabilities": self.probabilities, "confidence": self.confidence, "entropy": self.entropy}
        given = {name: path for name, path in numbers.items() if path is not None}
        if given and not facts.layers:
            raise RunError(
                f"--{next(iter(given))}: the model's masks hold amounts, which have no class probabilities; leave it "
                "out"
            )
        amounts = self.amounts(facts)
        for path in self.masks(facts):
            check_output(path, overwrite=overwrite)
            if path.suffix.lower() == ".png" and facts.classes and mask_storage(facts.classes)[0] != np.uint8:
                raise RunError(f"{path}: the model's class values do not fit into a PNG; write .tif or .npy")
        for path in (*([amounts] if amounts is not None else []), *given.values()):
            check_output(path, overwrite=overwrite, suffixes=OF_NUMBERS)
        every = [*self.masks(facts), *([amounts] if amounts is not None else []), *given.values()]
        if len({path.resolve() for path in every}) < len(every):
            raise RunError(f"{self.mask}: two outputs have the same name; give each its own")


@dataclass
class AnnotationSummary:
    """What was written.

    Attributes:
        files: masks, amounts and whatever else was asked for.
        pixels: of the scene, each counted once a layer.
        with_data: of these, pixels with data.
        counts: labelled pixels of each class, int64 `(class,)`.
        kept: pixels that have the label they were given.
        unlabelled_value: value that means no class in the masks.
        confidence_sum: of the largest probabilities, over pixels with data.
    """

    files: list[Path]
    counts: np.ndarray
    pixels: int = 0
    with_data: int = 0
    kept: int = 0
    unlabelled_value: int | None = None
    confidence_sum: float = 0.0
    class_names: Sequence[str] = field(default_factory=tuple)

    @property
    def labelled_share(self) -> float:
        """Labelled pixels over all."""
        return float(self.counts.sum()) / max(1, self.pixels)

    @property
    def mean_confidence(self) -> float:
        """Mean of the largest class probability over pixels with data; NaN without any."""
        return self.confidence_sum / self.with_data if self.with_data else float("nan")


def write_annotation(
    reading: SceneReading,
    files: AnnotationFiles,
    *,
    overwrite: bool = False,
    callback: Callable[[int, int], None] | None = None,
) -> AnnotationSummary:
    """Annotate a scene into files, in bounded memory; georeferenced as the scene is.

    Masks of classes hold the model's class values, as uint8 with 0 (or 255) for unlabelled where they fit, else as
    int16 with -1, with names and colours; `.npy` masks are int16 with -1.

    Args:
        reading: of the scene.
        files: where to; told by their endings: .tif, .npy, .png (masks only).
        overwrite: replace what is there, once everything is written.
        callback: called with (windows done, all).

    Raises:
        RunError: a file exists, or cannot be written.
        SpecDMError: the scene cannot be read.
    """
    facts = reading.facts
    files.check(facts, overwrite=overwrite)
    masks, amounts = files.masks(facts) if facts.layers else [], files.amounts(facts)
    rasters = _rasters(reading, files, masks, amounts)
    names = facts.classes.names if facts.classes else ()
    summary = AnnotationSummary(list(rasters), np.zeros(len(names), np.int64), class_names=names)
    if masks:
        summary.unlabelled_value = int(rasters[masks[0]].nodata or 0)
    with RasterSet(rasters) as written:
        for y, x, piece in reading.windows(callback):
            for layer, path in enumerate(masks):
                nothing = rasters[path].nodata
                plane = piece.mask[layer].astype(np.int32)
                written.write(path, y, x, np.where(plane == UNLABELLED, int(nothing or 0), plane)[None])
            if amounts is not None:
                written.write(amounts, y, x, piece.amounts)
            for path, values in _further(files, piece):
                written.write(path, y, x, values)
            _count(summary, piece, reading, y, x)
    return summary


def _further(files: AnnotationFiles, piece: Annotation) -> list[tuple[Path, np.ndarray]]:
    found: list[tuple[Path, np.ndarray]] = []
    if files.probabilities is not None:
        found.append((files.probabilities, piece.probabilities.reshape(-1, *piece.probabilities.shape[-2:])))
    if files.confidence is not None:
        found.append((files.confidence, piece.confidence))
    if files.entropy is not None:
        found.append((files.entropy, piece.entropy))
    return found


def _rasters(
    reading: SceneReading, files: AnnotationFiles, masks: Sequence[Path], amounts: Path | None
) -> dict[Path, RasterFacts]:
    facts, (height, width) = reading.facts, reading.grid
    place = georeference_of(reading.images.scene.dataset["image"])
    found: dict[Path, RasterFacts] = {}

    def numbers(names: Sequence[str], units: Sequence[str] | None = None) -> RasterFacts:
        return RasterFacts(
            (len(names), height, width), np.float32, nodata=float("nan"), band_name=names, units=units,
            georeference=place, block=_block(reading),
        )  # fmt: skip

    for layer, path in enumerate(masks):
        if facts.classes is None:
            continue
        dtype, nothing = mask_storage(facts.classes)
        if path.suffix.lower() == ".npy":  # NumPy files cannot say which value means nothing; -1 always does
            dtype, nothing = np.dtype(np.int16), UNLABELLED
        found[path] = RasterFacts(
            (1, height, width), dtype, nodata=nothing, band_name=[facts.layers[layer]], classes=facts.classes,
            georeference=place, block=_block(reading),
        )  # fmt: skip
    if amounts is not None and facts.quantities is not None:
        found[amounts] = numbers(facts.quantities.names, facts.quantities.units)
    layers = facts.layers
    if files.probabilities is not None and facts.classes is not None:
        prefix = [""] if len(layers) == 1 else [f"{layer}: " for layer in layers]
        found[files.probabilities] = numbers([f"{before}{name}" for before in prefix for name in facts.classes.names])
    for further, what in ((files.confidence, "confidence"), (files.entropy, "entropy")):
        if further is not None:
            found[further] = numbers([what] if len(layers) == 1 else [f"{what} {layer}" for layer in layers])
    return found


def _block(reading: SceneReading) -> int:
    return reading.step if reading.step % 16 == 0 else 256


def _count(summary: AnnotationSummary, piece: Annotation, reading: SceneReading, y: int, x: int) -> None:
    facts = reading.facts
    if facts.classes is None or not facts.layers:
        values = piece.amounts[0]
        summary.pixels += values.size
        summary.with_data += int(np.isfinite(values).sum())
        return
    index = facts.classes.index_of(piece.mask)
    summary.pixels += index.size
    summary.counts += np.bincount(index[index >= 0], minlength=len(facts.classes))
    sure = piece.confidence
    summary.with_data += int(np.isfinite(sure).sum())
    summary.confidence_sum += float(np.nansum(sure, dtype=np.float64))
    if reading.labels is not None:
        rows, columns = index.shape[-2:]
        summary.kept += int((reading.labels[:, y : y + rows, x : x + columns] != UNLABELLED).sum())
