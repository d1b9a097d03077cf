"""Masks of whole scenes, read off their images window by window: the same as if the scene were read at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from specdm.errors import MaskError, ModelError
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.raster_writer import block_of
from specdm.scenes.scene import Scene
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.model_images import ModelImages, model_images
from specdm.training.class_thresholds import class_thresholds, surer_than
from specdm.training.orientations import ORIENTATIONS
from specdm.training.reading import read_pixels

WINDOW = 128
VIEWS = 8


@dataclass(frozen=True)
class Annotation:
    """What a model reads off a scene, or off a window of it.

    Attributes:
        mask: int16 `(layer, y, x)`, class values of the model, -1 where unlabelled.
        probabilities: float32 `(layer, class, y, x)`, summing to one over the classes; NaN where a date has no
            data.
        amounts: float32 `(quantity, y, x)`, in the units of the quantities; NaN where a date has no data.
    """

    mask: np.ndarray
    probabilities: np.ndarray
    amounts: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """Largest probability of a class, float32 `(layer, y, x)`."""
        shape = (len(self.mask), *self.probabilities.shape[-2:])
        return self.probabilities.max(axis=1) if len(self.mask) else np.zeros(shape, np.float32)

    @property
    def entropy(self) -> np.ndarray:
        """Of the probabilities over the logarithm of the number of classes, float32 `(layer, y, x)`, 0 sure to 1."""
        shares = self.probabilities
        most = np.log(max(2, shares.shape[1]))
        return -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1) / np.float32(most)


@dataclass(frozen=True)
class SceneReading:
    """How a scene is read.

    Attributes:
        images: of the scene.
        model, reader, facts: of the pipeline.
        window: pixels along a window.
        views: turned and mirrored images whose readings are averaged.
        min_confidence: pixels whose largest probability is below are left unlabelled.
        min_share: of what is read as each class, the surest share is labelled in any case, and without
            `min_confidence` nothing else; the scene is then read twice. See `class_thresholds`.
        labels: int16 `(layer, y, x)`, the model's class values; where not -1 they stay as they are. Or None.
    """

    images: ModelImages
    model: JointModel
    reader: MaskReader
    facts: TileFacts
    window: int = WINDOW
    views: int = VIEWS
    min_confidence: float | None = None
    min_share: float | None = None
    labels: np.ndarray | None = None

    def __post_init__(self) -> None:
        least = 2 * self.reader.reach + 1
        if self.window < least:
            raise ModelError(
                f"window is {self.window} px, expected at least {least}: the model looks {self.reader.reach} px around"
            )
        if not 1 <= self.views <= ORIENTATIONS:
            raise ModelError(f"views is {self.views}, expected 1 to {ORIENTATIONS}")
        for name, value in (("min_confidence", self.min_confidence), ("min_share", self.min_share)):
            if value is not None and not 0 <= value <= 1:
                raise ModelError(f"{name} is {value}, expected 0 to 1")
            if value is not None and not self.facts.layers:
                raise ModelError(f"{name} is about classes, but the model's masks hold amounts only; leave it out")
        if self.labels is not None and self.labels.shape != (len(self.facts.layers), *self.grid):
            raise MaskError(
                f"labels to keep are of shape {self.labels.shape}, expected {(len(self.facts.layers), *self.grid)} "
                "(layer, y, x), as the scene has"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.images.scene.height, self.images.scene.width

    @property
    def step(self) -> int:
        """Pixels from one window to the next: without the margins that a reading depends on.

        A multiple of the blocks of a GeoTIFF where it can be, so that each is written once.
        """
        inner = self.window - 2 * self.reader.reach
        return block_of(inner) if inner >= block_of(0) else inner

    @property
    def starts(self) -> list[tuple[int, int]]:
        """First row and column of each window without its margins, row by row."""
        height, width = self.grid
        return [(y, x) for y in range(0, height, self.step) for x in range(0, width, self.step)]

    def windows(self, callback: Callable[[int, int], None] | None = None) -> Iterator[tuple[int, int, Annotation]]:
        """First row, first column and reading of pieces that cover the scene side by side; memory holds one."""
        starts, least = self.starts, self._least(callback)
        before = 0 if self.min_share is None else len(starts)
        for done, (y, x) in enumerate(starts, start=1):
            yield y, x, self._labelled(self._piece(y, x), least, y=y, x=x)
            if callback is not None:
                callback(before + done, before + len(starts))

    def _least(self, callback: Callable[[int, int], None] | None) -> np.ndarray | None:
        """Confidence from which on a pixel is labelled, `(layer, class)`; None: any."""
        classes = self.facts.classes
        if classes is None or (self.min_confidence is None and self.min_share is None):
            return None
        if self.min_share is None:
            return np.full((len(self.facts.layers), len(classes)), self.min_confidence, np.float32)
        starts = self.starts

        def readings() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for done, (y, x) in enumerate(starts, start=1):
                piece = self._piece(y, x)
                yield classes.index_of(piece.mask), piece.confidence
                if callback is not None:
                    callback(done, 2 * len(starts))

        return class_thresholds(
            readings(), classes=len(classes), share=self.min_share, min_confidence=self.min_confidence
        )

    def _labelled(self, piece: Annotation, least: np.ndarray | None, *, y: int, x: int) -> Annotation:
        """A piece with the labels that there are, and without those that are not sure enough."""
        mask = piece.mask
        if least is not None and self.facts.classes is not None:
            sure = surer_than(least, self.facts.classes.index_of(mask), piece.confidence)
            mask = np.where(sure, mask, np.int16(UNLABELLED))
        if self.labels is not None:
            own = self.labels[:, y : y + mask.shape[-2], x : x + mask.shape[-1]]
            mask = np.where(own != UNLABELLED, own, mask)
        return Annotation(mask, piece.probabilities, piece.amounts)

    def _piece(self, y: int, x: int) -> Annotation:
        """What is read of a window without its margins."""
        (height, width), reach = self.grid, self.reader.reach
        bottom, right = min(y + self.step, height), min(x + self.step, width)
        top, left = max(0, y - reach), max(0, x - reach)
        rows, columns = min(bottom + reach, height) - top, min(right + reach, width) - left
        image = self.images.window(top, left, rows, columns)
        inner = (slice(y - top, bottom - top), slice(x - left, right - left))
        found = self._read(image)
        return Annotation(*(part[(..., *inner)] for part in (found.mask, found.probabilities, found.amounts)))

    def _read(self, image: np.ndarray) -> Annotation:
        """A window `(date, band, y, x)` as a whole."""
        facts = self.facts
        shape = image.shape[-2:]
        device = self.model.device
        pixels = Pixels(
            torch.from_numpy(image)[None].to(device),
            torch.full((1, len(facts.layers), *shape), -1, dtype=torch.int64, device=device),
            torch.full((1, len(facts.quantities or ()), *shape), float("nan"), device=device),
        )
        chances, amounts = read_pixels(self.model, self.reader, pixels, views=self.views)
        probabilities = chances[0].cpu().numpy()
        if facts.classes is None or not facts.layers:
            mask = np.zeros((0, *shape), np.int16)
        else:
            best = np.where(np.isfinite(probabilities).all(axis=1), np.nan_to_num(probabilities).argmax(axis=1), -1)
            mask = facts.classes.values_of(best)
        return Annotation(mask, probabilities, amounts[:, 0].mean(dim=0).cpu().numpy())


def scene_reading(
    scene: Scene,
    *,
    model: JointModel,
    reader: MaskReader | None,
    facts: TileFacts,
    resample: bool = False,
    window: int = WINDOW,
    views: int = VIEWS,
    min_confidence: float | None = None,
    min_share: float | None = None,
    labels: np.ndarray | None = None,
) -> SceneReading:
    """How a scene is read; see `SceneReading` and `SpecDMPipeline.annotate`.

    Raises:
        ModelError: a number is out of range, or the model cannot read masks (preset ldm).
        SceneError: the scene has other dates, bands or units than the model.
        MaskError: labels of another size.
    """
    if reader is None:
        raise ModelError("this model encodes image and mask together (preset ldm) and cannot read masks off images")
    images = model_images(scene, facts, resample=resample)
    return SceneReading(
        images, model, reader, facts, window=window, views=views, min_confidence=min_confidence, min_share=min_share,
        labels=labels,
    )  # fmt: skip


def annotated(reading: SceneReading, callback: Callable[[int, int], None] | None = None) -> Annotation:
    """The whole scene, in memory."""
    facts, grid = reading.facts, reading.grid
    classes = len(facts.classes or ()) if facts.layers else 0
    whole = Annotation(
        np.full((len(facts.layers), *grid), UNLABELLED, np.int16),
        np.full((len(facts.layers), classes, *grid), np.nan, np.float32),
        np.full((len(facts.quantities or ()), *grid), np.nan, np.float32),
    )
    for y, x, piece in reading.windows(callback):
        rows, columns = piece.mask.shape[-2:] if facts.layers else piece.amounts.shape[-2:]
        part = (..., slice(y, y + rows), slice(x, x + columns))
        for name in ("mask", "probabilities", "amounts"):
            getattr(whole, name)[part] = getattr(piece, name)
    return whole
