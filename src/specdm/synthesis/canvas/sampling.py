"""A scene from order to file: drawn, decoded and written part by part, moved into place when it is whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from specdm.errors import ModelError, RunError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.drawing import Drawing
from specdm.models.mask_reader import MaskReader
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.scenes.scene import Scene
from specdm.scenes.write_failures import not_written
from specdm.synthesis.canvas.cells import CellFile
from specdm.synthesis.canvas.draws import BLOCK, CompositionLattice, white_noise
from specdm.synthesis.canvas.files import SceneHead, file_names, least_bytes, new_files, open_files
from specdm.synthesis.canvas.latents import CanvasDrawing
from specdm.synthesis.canvas.order import SceneOrder
from specdm.synthesis.canvas.pixels import SceneFinish, finished_parts
from specdm.synthesis.canvas.room import check_room
from specdm.synthesis.canvas.windows import Area, WindowGrid
from specdm.synthesis.facts import TileFacts
from specdm.tiles.leftovers import partial_folder, sweep_leftovers

Callback = Callable[[int, int], None]


@dataclass(frozen=True)
class SceneSampler:
    """How a model draws scenes.

    Attributes:
        drawing: how it draws tiles.
        prior: of compositions.
        facts: of its tiles.
        reader: of its masks, that labels ground which they say nothing of; None if there is none.
        calibration: of spectra, or None.
        sensor_noise: put it back on the images.
        dense: label all ground.
        overlap: share of a window that the next covers too.
        batch_size: windows at once.
        model_id: what the file gives as its source.
    """

    drawing: Drawing
    prior: CompositionPrior
    facts: TileFacts
    reader: MaskReader | None
    calibration: SpectralCalibration | None
    sensor_noise: bool
    dense: bool
    overlap: float
    batch_size: int
    model_id: str

    def write(self, order: SceneOrder, path: Path, *, seed: int, callback: Callback | None = None) -> Scene:
        """Draw and write a scene.

        Args:
            order: the scene.
            path: of its file.
            seed: of all that is drawn at random.
            callback: called with (done, all) after every batch of windows and at the end.

        Raises:
            ModelError: everything is known.
            RunError: the place is not writable, or has too little room.
        """
        head = self._head(order, path, seed)
        model = self.drawing.model
        factor, size = model.factor, self.facts.size // model.factor
        # cells that the scene does not fill are drawn whole, and cut off
        grid = WindowGrid(-(-order.height // factor), -(-order.width // factor), size, self.overlap)
        with _replacing_files(path, file_names(path, self.facts)) as folder:
            (folder / "first").mkdir()
            canvas = CanvasDrawing(self.drawing, grid, folder / "first", self.batch_size)
            # asked before the hours that drawing may take
            check_room(path, canvas.least_bytes + least_bytes(path, head))
            progress = _Progress(callback, canvas.batches + 1)
            latents = self._latents(order, canvas, seed, progress=progress)
            finish = SceneFinish(
                self.calibration,
                seed if self.sensor_noise else None,
                order.known,
                reader=self.reader if self.dense else None,
            )
            whole = Area(0, 0, order.height, order.width)
            writer = new_files(folder, path, head, block=BLOCK * factor)
            try:
                for area, pixels in finished_parts(model, latents, canvas=canvas.canvas, finish=finish):
                    if (part := area.meet(whole)) is not None:
                        writer.write(part, pixels)
            finally:
                writer.close()
        progress.finish()
        return open_files(path, head)

    def _latents(
        self, order: SceneOrder, canvas: CanvasDrawing, seed: int, *, progress: _Progress
    ) -> CellFile:
        model, ground = self.drawing.model, order.known
        channels = sum(model.stream_channels)

        def white(area: Area) -> torch.Tensor:
            return white_noise(seed, area, channels)

        lattice = CompositionLattice(self.prior, seed, canvas.windows.size, order.composition)
        latents = canvas.latents(
            white,
            composition=lattice.of,
            known=None if ground is None else lambda area: ground.cells(area, canvas=canvas.canvas),
            keep_composition=order.composition is not None,
            told=progress.step,
        )
        if latents is None:
            raise ModelError(
                "everything of the scene is known, so there is nothing to draw; add a margin, or leave something out "
                "of what is known"
            )
        return latents

    def _head(self, order: SceneOrder, path: Path, seed: int) -> SceneHead:
        ground = order.known
        transform, crs = (None, None) if ground is None else _place_of(ground.scene, top=ground.top, left=ground.left)
        notes = [f"synthetic, drawn by {self.model_id}"]
        if ground is not None:
            place = ground.place
            notes = [
                f"partly synthetic, drawn by {self.model_id} around {ground.scene.name}, which is {place.height} x "
                f"{place.width} px from row {place.y}, column {place.x}"
            ]
        notes += [str(note) for note in (self.facts.attrs.get("note"),) if note]
        attrs: dict[str, str | int] = {"model": self.model_id, "seed": seed}
        return SceneHead(
            self.facts, order.height, order.width, path.stem, transform, crs, "; ".join(notes), attrs
        )


def _place_of(scene: Scene, *, top: int, left: int) -> tuple[object, object]:
    """Transform and reference system of a canvas that reaches further up and left than a scene."""
    if "spatial_ref" not in scene.dataset.coords:
        return None, None
    import rioxarray  # noqa: F401
    from rasterio.transform import Affine

    image = scene.dataset["image"]
    a, b, c, d, e, f = tuple(image.rio.transform())[:6]
    # written out, since affine's operators change between its versions
    return Affine(a, b, c - left * a - top * b, d, e, f - left * d - top * e), image.rio.crs


class _Progress:
    def __init__(self, callback: Callback | None, total: int):
        self._callback, self._total, self._done = callback, total, 0

    def step(self) -> None:
        self._done += 1
        if self._callback is not None:
            self._callback(min(self._done, self._total - 1), self._total)

    def finish(self) -> None:
        if self._callback is not None:
            self._callback(self._total, self._total)


@contextmanager
def _replacing_files(path: Path, names: list[str]) -> Iterator[Path]:
    """A folder beside a path to write files of these names into; they are moved there if the block ends well.

    Raises:
        RunError: the place is not writable, or full.
    """
    path = path.parent.resolve() / path.name
    folder = partial_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep_leftovers(path)
        folder.mkdir()
        yield folder
        for name in names:
            os.replace(folder / name, path.with_name(name))
    except OSError as error:
        raise RunError(not_written(path, error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
