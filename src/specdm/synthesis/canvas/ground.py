"""What is known of a scene that is extended or completed, area by area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from specdm.errors import MaskError, ModelError
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.models.receptive_field import reach
from specdm.scenes.scene import Scene
from specdm.synthesis.canvas.latents import KnownCells
from specdm.synthesis.canvas.windows import Area
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.given import encoded_known, known_pixels, known_streams, pasted
from specdm.synthesis.model_images import ModelImages, model_images
from specdm.synthesis.model_masks import matched_values, replaced
from specdm.synthesis.reading_masks import read_known


@dataclass(frozen=True)
class KnownGround:
    """A real scene on a larger canvas. Make one with `known_ground`, which checks.

    Attributes:
        scene: the real scene.
        images: its images with the model's bands; None if they are not known.
        values: its mask values -> those of the model; None if its mask is not known.
        top, left: canvas pixels above and left of it.
        numbers: of the streams that are known there.
        area: boolean `(y, x)` of the scene's size, True for ground that is known; None for all of it.
        model: that draws the rest.
        facts: of the model.
        reader: of the masks, which are pulled to what the known image shows; None if there is none.
    """

    scene: Scene
    images: ModelImages | None
    values: Mapping[int, int] | None
    top: int
    left: int
    numbers: list[int]
    area: np.ndarray | None
    model: JointModel
    facts: TileFacts
    reader: MaskReader | None

    @property
    def place(self) -> Area:
        """Where the scene lies on the canvas, in pixels."""
        return Area(self.top, self.left, self.scene.height, self.scene.width)

    def cells(self, area: Area, *, canvas: Area) -> KnownCells:
        """What is given of an area of cells.

        A cell is given if all its pixels are known; unknown pixels beside it take the spectrum of the nearest known
        one before it is encoded, as far as its codec looks.

        Args:
            area: of cells.
            canvas: all cells.
        """
        streams, channels = len(self.model.streams), sum(self.model.stream_channels)
        if self.place.meet(area.times(self.model.factor)) is None:
            nothing = torch.zeros(streams, area.height, area.width)
            return KnownCells(torch.zeros(channels, area.height, area.width), nothing.bool(), nothing)
        wide = area.grown(self._margin, inside=canvas)
        pixels, inside = self._pixels(wide.times(self.model.factor))
        known = known_pixels(pixels, inside=inside, numbers=self.numbers, streams=self.model.streams)
        encoded = encoded_known(pixels, known, model=self.model)
        cells = avg_pool2d(known.float(), self.model.factor) == 1
        # as in training: of a given mask's cells without a label nothing is known
        levels = 1.0 - encoded.known
        kept = area.within(wide)
        latents, cells, levels = (part[0, :, *kept].cpu() for part in (encoded.latents, cells, levels))
        read = read_known(self.model, self.reader, pixels, known)
        if read is not None:
            ground = area.times(self.model.factor).within(wide.times(self.model.factor))
            read = read.apply(lambda values: values[..., *ground].cpu())
        return KnownCells(latents, cells, levels, read)

    def pasted(self, drawn: Pixels, area: Area) -> Pixels:
        """Drawn pixels of an area with what is known as it was given.

        Args:
            drawn: one tile, of the area's size.
            area: of pixels.
        """
        if self.place.meet(area) is None:
            return drawn
        pixels, inside = self._pixels(area)
        known = known_pixels(pixels, inside=inside, numbers=self.numbers, streams=self.model.streams)
        return pasted(drawn, pixels, known, streams=self.model.streams)

    @cached_property
    def _margin(self) -> int:
        # cells as far as the codec looks, and as far again (diagonally) to where their fill comes from
        coded = 3 * max(reach(self.model.codec_of(stream)) for stream in self.model.streams)  # type: ignore[arg-type]
        return max(coded, 0 if self.reader is None else -(-self.reader.reach // self.model.factor))

    def _pixels(self, area: Area) -> tuple[Pixels, torch.Tensor]:
        """The scene in an area of pixels, as one tile, and which of them are known ground `(1, y, x)`."""
        shape, (height, width) = self.model.tile_shape, (area.height, area.width)
        images = np.full((shape.dates, shape.bands, height, width), np.nan, np.float32)
        positions = np.full((shape.layers, height, width), -1, np.int64)
        amounts = np.full((shape.quantities, height, width), np.nan, np.float32)
        inside = np.zeros((height, width), bool)
        if (part := self.place.meet(area)) is not None:
            there, here = part.within(self.place), part.within(area)
            window = (there[0].start, there[1].start, part.height, part.width)
            inside[here] = True if self.area is None else self.area[there]
            if self.images is not None:
                images[:, :, *here] = self.images.window(*window)
            if self.values is not None:
                mask, found = self.scene.window(*window)[1], self.scene.amount_window(*window)
                if mask is not None and self.facts.classes is not None:
                    positions[:, *here] = self.facts.classes.index_of(replaced(mask, self.values))
                if found is not None:
                    amounts[:, *here] = found
        tile = Pixels(*(torch.from_numpy(part)[None] for part in (images, positions, amounts)))
        device = self.model.device
        return tile.apply(lambda values: values.to(device)), torch.from_numpy(inside)[None].to(device)


def known_ground(
    scene: Scene,
    *,
    margin: tuple[int, int, int, int],
    known: Sequence[str] | None,
    area: np.ndarray | None,
    model: JointModel,
    facts: TileFacts,
    reader: MaskReader | None,
) -> KnownGround:
    """A scene that the model can extend.

    Args:
        scene: with the model's bands and dates.
        margin: pixels above, right of, below and left of it.
        known: what of it is known, see `SpecDMPipeline.sample`; default: image and, if it has one, mask.
        area: boolean `(y, x)`, known ground; default: all.
        model: that draws the rest.
        facts: of the model.
        reader: of the masks, or None.

    Raises:
        SceneError, MaskError: the scene has other bands, dates, classes or quantities than the model.
        ModelError: a name that no stream has, or an area of another size.
    """
    has_mask = bool(scene.layers or scene.quantities)
    names = known if known is not None else ["image", *(["mask"] if has_mask else [])]
    numbers = known_streams(names, streams=model.streams, where=scene.name)
    kinds = {model.streams[number].kind for number in numbers}
    images = model_images(scene, facts) if "image" in kinds else None
    values = _mask_values(scene, facts) if kinds - {"image"} else None
    if area is not None and (area.dtype != bool or area.shape != (scene.height, scene.width)):
        raise ModelError(
            f"area is {area.dtype} of shape {area.shape}, expected boolean {(scene.height, scene.width)}: True where "
            "the ground is known"
        )
    return KnownGround(scene, images, values, margin[0], margin[3], numbers, area, model, facts, reader)


def _mask_values(scene: Scene, facts: TileFacts) -> dict[int, int]:
    """Mask values -> the model's; empty for a model without classes."""
    if len(scene.layers) != len(facts.layers):
        raise MaskError(
            f"{scene.name}: has the mask layers {', '.join(scene.layers) or 'none'}, expected "
            f"{', '.join(facts.layers) or 'none'}, as the model has"
        )
    if scene.quantities != facts.quantities:
        found, wanted = (
            ", ".join(q.names) if q is not None else "none" for q in (scene.quantities, facts.quantities)
        )
        raise MaskError(f"{scene.name}: has the quantities {found}, expected {wanted}, as the model has")
    if scene.classes is None or facts.classes is None:
        return {}
    return matched_values(scene.classes, facts.classes, where=scene.name)
