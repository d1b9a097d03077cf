"""Noise to latents of a whole scene: at each solver step the mean of the velocities of all windows moves the state.

Overlapping windows share one state, so there is no seam to hide (MultiDiffusion, Bar-Tal et al. 2023; Mixture of
Diffusers, Jimenez 2023). Stages are those of `specdm.models.drawing`, whose tiles these are if a scene is one tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from specdm.models.drawing import Drawing
from specdm.models.mask_coherence import ROUNDS
from specdm.models.read_masks import ReadMasks
from specdm.models.receptive_field import reach
from specdm.models.settling import settled
from specdm.models.solver import NOISIEST, adams_bashforth, level_grid
from specdm.synthesis.canvas.cells import CellFile
from specdm.synthesis.canvas.draws import BLOCK
from specdm.synthesis.canvas.windows import Area, WindowGrid, blocks

Told = Callable[[], None]
"""Called after each batch of windows."""


@dataclass(frozen=True)
class KnownCells:
    """What is given of an area before the rest is drawn.

    Attributes:
        latents: `(channels, y, x)`, standardised as the denoiser has them; anything where not known.
        cells: `(streams, y, x)` boolean, True where a stream's cell is given.
        levels: `(streams, y, x)`, noise levels of given cells: 0, but 1 where a given mask says nothing, as in
            training.
        read: masks that were read off what is given, of one tile, the area; None where nothing was.
    """

    latents: torch.Tensor
    cells: torch.Tensor
    levels: torch.Tensor
    read: ReadMasks | None = None


@dataclass(frozen=True)
class CanvasDrawing:
    """How the latents of a scene are drawn.

    Attributes:
        drawing: how tiles are drawn.
        windows: that cover the scene.
        folder: for files; those of several calls have to differ.
        batch_size: windows at once.
    """

    drawing: Drawing
    windows: WindowGrid
    folder: Path
    batch_size: int

    @property
    def canvas(self) -> Area:
        """All cells."""
        return Area(0, 0, self.windows.height, self.windows.width)

    @property
    def batches(self) -> int:
        """Batches of windows in all, if everything is to be drawn."""
        return len(self.drawing.stages) * self.drawing.steps * -(-len(self.windows.areas) // self.batch_size)

    @property
    def least_bytes(self) -> int:
        """What the files of `latents` take at the least."""
        model = self.drawing.model
        # three of latents; levels, and a byte each for what is given and what is free
        a_cell = 3 * 4 * sum(model.stream_channels) + (4 + 1 + 1) * len(model.streams)
        return self.windows.height * self.windows.width * a_cell

    @torch.no_grad()
    def latents(
        self,
        white: Callable[[Area], torch.Tensor],
        *,
        composition: Callable[[Area], torch.Tensor] | None = None,
        known: Callable[[Area], KnownCells] | None = None,
        keep_composition: bool = False,
        told: Told | None = None,
    ) -> CellFile | None:
        """Latents of all cells, as the denoiser has them; None if everything is known.

        Args:
            white: standard normal noise of an area, `(channels, y, x)`; asked for cells beyond the scene too, as far
                as the filters of the model's noise reach.
            composition: of a window, `(parts,)`.
            known: what is given of an area; default: nothing.
            keep_composition: also for windows of which something is given.
            told: progress.
        """
        state = _State(self, white, known)
        if not state.anything_free:
            return None
        chosen = None if composition is None else _Compositions(composition, state.fixed, keep_composition)
        shifts = self.drawing.shifts
        for number, group in enumerate(self.drawing.stages):
            if state.free_up(group):
                self._solve(state, group, shift=shifts[number], composition=chosen, told=told)
            if number + 1 < len(self.drawing.stages):
                state.settle(group, composition=chosen if self.drawing.composition_strength > 0 else None)
        return state.latents

    def _solve(
        self,
        state: _State,
        group: Sequence[int],
        *,
        shift: float,
        composition: _Compositions | None,
        told: Told | None,
    ) -> None:
        drawing, grid = self.drawing, level_grid(self.drawing.steps, shift=shift).tolist()
        device = drawing.model.device
        areas, size = self.windows.areas, self.batch_size
        weights = torch.from_numpy(self.windows.weights)
        previous_step = None
        for i in range(drawing.steps):
            state.velocity.clear()
            for start in range(0, len(areas), size):
                batch = areas[start : start + size]
                free = torch.stack([state.free.read(area) for area in batch]).bool()
                # nothing moves where all is known, so that an extended scene costs its margin only
                batch = [area for area, one in zip(batch, free, strict=True) if bool(one.any())]
                free = free[free.flatten(1).any(dim=1)]
                if batch:
                    latents = torch.stack([state.latents.read(area) for area in batch]).to(device)
                    levels = torch.stack([state.levels.read(area) for area in batch])
                    rows = None if composition is None else torch.stack([composition.of(area) for area in batch])
                    rows = None if rows is None else rows.to(device)
                    levels = torch.where(free, min(grid[i], NOISIEST), levels).to(device)
                    read = state.read_of(batch)
                    found = drawing.velocity(latents, group, composition=rows, read=read)(latents, levels).cpu()
                    for area, velocity in zip(batch, found, strict=True):
                        state.velocity.add(area, velocity * weights)
                if told is not None:
                    told()
            step = grid[i + 1] - grid[i]
            state.move(step, ratio=None if previous_step is None else step / previous_step)
            previous_step = step


class _Compositions:
    """Of windows; NaN (not given) where something of a window is given, whose composition is its own."""

    def __init__(self, of: Callable[[Area], torch.Tensor], fixed: CellFile, keep: bool):
        self._of, self._fixed, self._keep = of, fixed, keep

    def of(self, window: Area) -> torch.Tensor:
        row = self._of(window)
        given = not self._keep and bool(self._fixed.read(window).any())
        return torch.full_like(row, float("nan")) if given else row


class _State:
    """The files that a scene is drawn in, and what moves them."""

    def __init__(
        self,
        canvas: CanvasDrawing,
        white: Callable[[Area], torch.Tensor],
        known: Callable[[Area], KnownCells] | None,
    ):
        drawing, self._whole, self._windows = canvas.drawing, canvas.canvas, canvas.windows
        self._drawing, model = drawing, drawing.model
        channels, streams = sum(model.stream_channels), len(model.streams)

        def file(name: str, depth: int, dtype: type = np.float32) -> CellFile:
            return CellFile(canvas.folder / name, depth, self._whole, dtype=dtype)

        self.latents, self.velocity, self._previous = (file(f"latents_{i}", channels) for i in range(3))
        self.levels = file("levels", streams)
        self.fixed, self.free = file("fixed", streams, np.uint8), file("free", streams, np.uint8)
        masks = [model.codec_of(stream) for stream in model.streams if stream.kind != "image"]
        # what is decoded and encoded again depends on cells as far as both together look
        self._margin = max((reach(codec) for codec in masks), default=0)  # type: ignore[arg-type]
        self.anything_free = False
        self._read: CellFile | None = None
        for area in blocks(self._whole, BLOCK):
            # counted from the first cell that the first filter looks at
            wide = Area(area.y, area.x, *model.denoiser.white_shape((area.height, area.width))[1:])
            latents = model.denoiser.noise(white(wide)[None].to(model.device))[0].cpu()
            fixed = torch.zeros(streams, area.height, area.width, dtype=torch.bool)
            levels = torch.ones(streams, area.height, area.width)
            if known is not None:
                given = known(area)
                fixed = given.cells
                latents = torch.where(self._by_channel(fixed), given.latents, latents)
                levels = torch.where(fixed, given.levels, levels)
                if given.read is not None:
                    self._keep_read(area, given.read, canvas.folder / "read")
            self.anything_free |= not bool(fixed.all())
            self.latents.write(area, latents)
            self.fixed.write(area, fixed.to(torch.uint8))
            self.levels.write(area, levels)

    def _keep_read(self, area: Area, read: ReadMasks, path: Path) -> None:
        factor, planes = self._drawing.model.factor, read.planes
        if self._read is None:
            # amounts may have more digits than probabilities need
            dtype = np.float32 if read.amounts.shape[1] else np.float16
            self._read = CellFile(path, (1 + planes.shape[1]) * factor**2, self._whole, dtype=dtype)
        # a file begins with zeros, so a plane of its own says where anything was read
        heard = planes.isfinite().all(dim=1, keepdim=True)
        kept = torch.cat([heard.to(planes.dtype), torch.nan_to_num(planes)], dim=1)
        self._read.write(area, pixel_unshuffle(kept, factor)[0])

    def read_of(self, areas: Sequence[Area]) -> ReadMasks | None:
        """What was read of areas of one size, a tile each."""
        if self._read is None:
            return None
        kept = torch.stack([self._read.read(area) for area in areas]).float()
        model = self._drawing.model
        kept, shape = pixel_shuffle(kept, model.factor).to(model.device), model.tile_shape
        read = ReadMasks.of_planes(kept[:, 1:], layers=shape.layers, quantities=shape.quantities)
        return read.where(kept[:, 0] > 0)

    def free_up(self, group: Sequence[int]) -> bool:
        """Note which cells of these streams are to be drawn; whether there are any."""
        found = False
        for area in blocks(self._whole, BLOCK):
            wide = area.grown(self._margin, inside=self._whole)
            free = self._drawing.free_cells(self._of(self.latents, wide), group)[0].cpu()
            free = free[:, *area.within(wide)] & (self.fixed.read(area) == 0)
            self.free.write(area, free.to(torch.uint8))
            found |= bool(free.any())
        return found

    def settle(self, group: Sequence[int], *, composition: _Compositions | None) -> None:
        """These streams as they will be decoded, see `settling.settled`."""
        model, coherence = self._drawing.model, self._drawing.mask_coherence
        # each round of coherence looks a cell farther
        margin = self._margin + (ROUNDS if coherence else 0)
        for area in blocks(self._whole, BLOCK):
            wide = area.grown(margin, inside=self._whole)
            fixed = self._of(self.fixed, wide).bool()
            before = self._of(self.latents, wide)
            row = None if composition is None else composition.of(wide)[None].to(model.device)
            latents, levels = settled(
                model,
                before,
                self._of(self.levels, wide),
                group,
                fixed=fixed,
                coherence=coherence,
                composition=row,
                read=self.read_of([wide]),
            )
            latents = torch.where(model.by_channel(fixed), before, latents)
            # into another file, since the blocks beside this one still need what was drawn
            self.velocity.write(area, latents[0, :, *area.within(wide)])
            self.levels.write(area, levels[0, :, *area.within(wide)])
        self.latents, self.velocity = self.velocity, self.latents

    def move(self, step: float, *, ratio: float | None) -> None:
        """One step along the mean velocity of the windows.

        Args:
            step: change of the noise level.
            ratio: step over the step before; None for the first.
        """
        for area in blocks(self._whole, BLOCK):
            now = self.velocity.read(area) / torch.from_numpy(self._windows.total(area))
            self.velocity.write(area, now)
            previous = None if ratio is None else self._previous.read(area)
            slope = adams_bashforth(now, previous, ratio=ratio or 0.0)
            moving = self._by_channel(self.free.read(area).bool()).to(now.dtype)
            self.latents.add(area, step * slope * moving)
        self.velocity, self._previous = self._previous, self.velocity

    def _of(self, file: CellFile, area: Area) -> torch.Tensor:
        return file.read(area)[None].to(self._drawing.model.device)

    def _by_channel(self, by_stream: torch.Tensor) -> torch.Tensor:
        return self._drawing.model.by_channel(by_stream[None])[0]
