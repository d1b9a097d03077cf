"""Noise to latents, stage after stage: what is known stays, what is drawn is known to what is drawn after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import max_pool2d

from specdm.models.amount_codec import AmountCodec
from specdm.models.composition_tilt import towards_composition
from specdm.models.few_steps import joined_stages
from specdm.models.joint_model import JointModel
from specdm.models.known_latents import KnownLatents, Start
from specdm.models.mask_codec import MaskCodec
from specdm.models.mask_guess import changed_amounts, changed_guess, with_amounts, with_evidence
from specdm.models.read_masks import ReadMasks
from specdm.models.settling import composition_of, settled, telling_pixels
from specdm.models.solver import (
    Correction,
    Progress,
    Velocity,
    corrected_velocity,
    guided_velocity,
    level_grid,
    solve_flow,
)
from specdm.models.streams import image_and_mask_streams, masks_with_gaps, stage_shifts, stages_of


@dataclass(frozen=True)
class Drawing:
    """How a model draws; see `streams.stages_of` for the stages.

    Attributes:
        model: codecs and denoiser.
        steps: solver steps of each stage.
        image_shift, mask_shift: of the noise levels of stages with and without images.
        masks_first: see `streams.stages_of`.
        guidance: see `solver.guided_velocity`; none for where there are labels.
        composition_strength: how far masks are pulled to their composition, see `composition_tilt`; 0 not, 1 all the
            way.
        mask_coherence: log odds that agreeing neighbours add to the classes of drawn masks, see `mask_coherence`.
        jumps: of each stage, that a distilled model was made for, the first stages joined until there are as many; it
            has neither steps nor guidance of its own. None for a model as it was trained.
    """

    model: JointModel
    steps: int
    image_shift: float
    mask_shift: float
    masks_first: bool = True
    guidance: float = 0.0
    composition_strength: float = 0.0
    mask_coherence: float = 0.0
    jumps: tuple[int, ...] | None = None

    @property
    def stages(self) -> list[list[int]]:
        stages = stages_of(self.model.streams, masks_first=self.masks_first)
        return stages if self.jumps is None else joined_stages(stages, len(self.jumps))

    @property
    def shifts(self) -> list[float]:
        """Of the noise levels of each stage."""
        return stage_shifts(self.model.streams, self.stages, image=self.image_shift, mask=self.mask_shift)

    @property
    def grids(self) -> list[list[float]]:
        """Noise levels of each stage, from 1 to 0."""
        shifts = self.shifts
        steps = [self.steps] * len(shifts) if self.jumps is None else self.jumps
        return [level_grid(n, shift=shift).tolist() for n, shift in zip(steps, shifts, strict=True)]

    @torch.no_grad()
    def latents(
        self,
        white: torch.Tensor,
        *,
        composition: torch.Tensor | None = None,
        known: KnownLatents | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """Latents `(n, channels, y, x)` from noise.

        Args:
            white: standard normal, `(n, *white_shape((y, x)))` of the denoiser.
            composition: `(n, classes)`, see `JointDenoiser.forward`.
            known: what is given already; default: nothing.
            progress: called after each step of all stages.
        """
        return self._drawn(white, composition=composition, known=known, progress=progress, until=len(self.stages))

    @property
    def masks_before_images(self) -> list[int]:
        """Numbers of the streams of class masks that images are drawn for."""
        streams = self.model.streams
        return [s for group in self.stages[: self._stages_of_masks] for s in group if streams[s].kind == "classes"]

    @torch.no_grad()
    def unsettled_masks(self, white: torch.Tensor, *, composition: torch.Tensor | None = None) -> torch.Tensor:
        """Latents before images are drawn; the last stage of masks as the network left it, not yet `settled`."""
        return self._drawn(white, composition=composition, until=self._stages_of_masks)

    @property
    def _stages_of_masks(self) -> int:
        """How many stages come before the first with an image; none where nothing but masks is drawn."""
        kinds = [{self.model.streams[s].kind for s in group} for group in self.stages]
        return next((number for number, group in enumerate(kinds) if "image" in group), 0)

    def _drawn(
        self,
        white: torch.Tensor,
        *,
        composition: torch.Tensor | None,
        known: KnownLatents | None = None,
        progress: Progress | None = None,
        until: int,
    ) -> torch.Tensor:
        """The stages before number `until`, all but the last of them settled."""
        model = self.model
        noise = model.denoiser.noise(white)
        fixed = self.known_cells(noise, known)
        levels = (~fixed).to(noise.dtype)
        state = noise if known is None else torch.where(model.by_channel(fixed), known.latents, noise)
        read, start = (None, None) if known is None else (known.read, known.start)
        stages, grids = self.stages[:until], self._grids_from(start)
        told = [len(grid) - 1 for grid in grids]
        for number, group in enumerate(stages):
            free = self.free_cells(state, group) & ~fixed
            if not bool(free.any()):
                continue
            if start is not None and self._draws_images(group):
                state = torch.where(model.by_channel(free), start.noisy(noise), state)
            state = solve_flow(
                self.velocity(state, group, composition=composition, read=read),
                state,
                stream_channels=model.stream_channels,
                grid=grids[number],
                straight=self.jumps is not None,
                free=free,
                levels=levels,
                progress=_part_of(progress, sum(told[:number]), sum(told)),
            )
            if number + 1 < len(stages):
                known_now, levels = settled(
                    model,
                    state,
                    levels,
                    group,
                    fixed=fixed,
                    coherence=self.mask_coherence,
                    composition=composition if self.composition_strength > 0 else None,
                    read=read,
                )
                state = torch.where(model.by_channel(fixed), state, known_now)
        return state

    def _draws_images(self, group: Sequence[int]) -> bool:
        return any(self.model.streams[s].kind == "image" for s in group)

    def _grids_from(self, start: Start | None) -> list[list[float]]:
        """Noise levels of each stage; those of images from the start's on."""
        stages = zip(self.stages, self.grids, strict=True)
        return [start.grid(own) if start is not None and self._draws_images(group) else own for group, own in stages]

    def known_cells(self, noise: torch.Tensor, known: KnownLatents | None) -> torch.Tensor:
        """`known.cells`, or none, `(n, streams, y, x)` boolean."""
        if known is not None:
            return known.cells
        shape = (len(noise), len(self.model.streams), *noise.shape[-2:])
        return torch.zeros(shape, dtype=torch.bool, device=noise.device)

    def velocity(
        self,
        state: torch.Tensor,
        group: Sequence[int],
        *,
        composition: torch.Tensor | None = None,
        read: ReadMasks | None = None,
    ) -> Velocity:
        """What moves the streams of a stage, guided, and pulled to the composition and to what was read.

        Args:
            state: latents at the beginning of the stage.
            group: numbers of its streams.
            composition: `(n, classes)`.
            read: see `KnownLatents`.
        """
        model = self.model

        def plain(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
            return model.denoiser(noisy, levels, composition)

        moved = [side for side in image_and_mask_streams(model.streams) if set(side) & set(group)]
        guided = guided_velocity(
            plain,
            model.denoiser,
            stream_channels=model.stream_channels,
            sides=moved if self._can_be_guided(group) else [],
            guidance=self.guidance,
        )

        def pulls_of(latents: torch.Tensor) -> list[tuple[int, Correction]]:
            found = ((s, self._pull(latents, s, composition=composition, read=read)) for s in group)
            return [(s, pull) for s, pull in found if pull is not None]

        pulls = pulls_of(state)
        if not pulls:
            return guided
        gaps = dict(masks_with_gaps(model.streams))
        told_together = any(gaps.get(s) in group for s, _ in pulls)

        def correct(guess: torch.Tensor) -> torch.Tensor:
            parts = model.split(guess)
            # where a mask says anything is known from the beginning, or only guessed with it
            for s, pull in pulls_of(guess) if told_together else pulls:
                parts[s] = pull(parts[s])
            return torch.cat(parts, dim=1)

        return corrected_velocity(guided, correct, stream_channels=model.stream_channels)

    def _pull(
        self, state: torch.Tensor, s: int, *, composition: torch.Tensor | None, read: ReadMasks | None
    ) -> Correction | None:
        """What moves a guess of a mask, in the denoiser's latents; None where nothing does."""
        model, codec = self.model, self.model.codec_of(self.model.streams[s])
        moved = None
        if isinstance(codec, MaskCodec) and model.streams[s].kind == "classes":
            moved = self._class_pull(codec, state, s, composition=composition, read=read)
        elif isinstance(codec, AmountCodec):
            moved = self._amount_pull(codec, state, s, composition=composition, read=read)
        if moved is None:
            return None
        pull = moved
        mean, std = model.statistics_of(s)
        return lambda part: (pull(part * std + mean) - mean) / std

    def _class_pull(
        self,
        codec: MaskCodec,
        state: torch.Tensor,
        s: int,
        *,
        composition: torch.Tensor | None,
        read: ReadMasks | None,
    ) -> Correction | None:
        """The same for a class mask, in its codec's latents."""
        model = self.model
        evidence = None if read is None else read.classes[:, model.streams[s].position]
        changes = [] if evidence is None else [with_evidence(evidence)]
        own = composition_of(model, s, composition)
        if own is not None and self.composition_strength > 0:
            counts = telling_pixels(model, state, s)
            changes.append(towards_composition(own, counts=counts, strength=self.composition_strength))
        heard = None if evidence is None else evidence.isfinite().all(dim=1, keepdim=True)
        return changed_guess(codec, changes, heard=heard) if changes else None

    def _amount_pull(
        self,
        codec: AmountCodec,
        state: torch.Tensor,
        s: int,
        *,
        composition: torch.Tensor | None,
        read: ReadMasks | None,
    ) -> Correction | None:
        """The same for amounts: what is read of them, and the composition where they are abundances."""
        evidence = None if read is None else read.amounts[:, self.model.streams[s].channels]
        changes = [] if evidence is None else [with_amounts(evidence)]
        if composition is not None and codec.config["sum_to_one"] and self.composition_strength > 0:
            own = composition[:, -codec.config["quantities"] :]
            counts = telling_pixels(self.model, state, s)
            changes.append(towards_composition(own, counts=counts, strength=self.composition_strength))
        heard = None if evidence is None else evidence.isfinite().all(dim=1, keepdim=True)
        return changed_amounts(codec, changes, heard=heard) if changes else None

    def _can_be_guided(self, group: Sequence[int]) -> bool:
        """Whether anything is known that these streams could be pulled towards: masks, or the composition."""
        streams = self.model.streams
        kinds = {streams[s].kind for s in group}
        if "image" in kinds and {stream.kind for stream in streams} != {"image"}:
            return True
        return bool(self.model.denoiser.config["conditions"]) and kinds != {"labelled"}

    def free_cells(self, state: torch.Tensor, group: Sequence[int]) -> torch.Tensor:
        """Cells of these streams that say anything, `(n, streams, y, x)` boolean."""
        model = self.model
        free = torch.zeros(len(state), len(model.streams), *state.shape[-2:], dtype=torch.bool, device=state.device)
        free[:, list(group)] = True
        for mask, labelled in masks_with_gaps(model.streams):
            # drawn together with where it says anything, a mask is drawn everywhere
            if mask in group and labelled not in group:
                free[:, mask] = max_pool2d(model.values(state, labelled).float(), model.factor) > 0
        return free


def _part_of(progress: Progress | None, before: int, steps: int) -> Progress | None:
    """Progress of one stage told as that of all: after `before` steps, of `steps` in all."""
    if progress is None:
        return None
    told = progress
    return lambda step, _, estimate: told(before + step, steps, estimate)
