"""The tiles that arms train on: real ones with fewer labels, and what a generator makes of them, made once each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import ConfigError, ModelError
from specdm.evaluation.reliability import RealEvidence, mark_unreliable, reliability
from specdm.evaluation.usefulness.arms import Source
from specdm.scenes.classes import UNLABELLED
from specdm.synthesis.fit import train_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.other_values import with_values
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.training.completed_masks import sure_pixels
from specdm.training.config import RunConfig

VARIATION = 0.5
"""Noise from which images of "varied" tiles are drawn."""

DROPPED_SHARE = 0.2
"""Of the labels of synthetic tiles, those least reliable, which "filtered" leaves out."""


@dataclass
class Material:
    """What a generator that saw some labels offers to the arms.

    Attributes:
        labelled: training and validation tiles, with the labels that are kept.
        seen: what the generator is trained on: the same labels, and what imagery it may see.
        folder: where generators and tiles are kept.
        config: of the generator.
        baseline: of the baseline `ldm`.
        n: synthetic tiles.
        seed: of the draws.
        model: a finished model to use instead of training one.
        device: where tiles are drawn, "cpu" or "cuda".
        say: called with a line on what begins.
    """

    labelled: TileSet
    seen: TileSet
    folder: Path
    config: RunConfig
    baseline: RunConfig
    n: int
    seed: int
    model: Path | None = None
    device: str = "cpu"
    say: Callable[[str], None] = field(default=lambda line: None)

    @cached_property
    def generator(self) -> SpecDMPipeline:
        """The model, trained now if it is not there."""
        if self.model is not None:
            return SpecDMPipeline.from_pretrained(self.model).to(self.device)
        self.say("training the generator")
        return train_run(self.folder / "specdm", tiles=self.seen, config=self.config, show_progress=False).to(
            self.device
        )

    @cached_property
    def evidence(self) -> RealEvidence:
        """What real labels teach about those of other tiles."""
        return RealEvidence.fit(self.labelled.train, seed=self.seed)

    def tiles(self, source: Source) -> tuple[TileSet, np.ndarray | None]:
        """Tiles of a source of `SOURCES`, and weights of their labels `(tile, layer, y, x)` if they have any.

        Raises:
            ConfigError: the source asks for what these tiles have not.
            SpecDMError: as training and sampling do.
        """
        if source == "real":
            return self.labelled, None
        if source == "weighted":
            drawn = self._stored("drawn")
            # scores of amounts come last; beside masks nothing is learnt of amounts
            return drawn, self._drawn_scores[:, : len(drawn.layers) or 1]
        return self._stored(source), None

    def _stored(self, source: Source) -> TileSet:
        """Made and kept in the folder, or opened from there."""
        if source == "dense":
            return self._densified()
        path = self.folder / f"{source}.zarr"
        # other tiles may be there, of a run that asked for fewer, or of a model that was trained before this one
        kept = open_tiles(path) if path.exists() else None
        if kept is None or len(kept) != self.n or not self._drew(kept, source):
            made = self._make(source)
            self.say(f"writing {source}.zarr, {len(made)} tiles")
            made.save(path, overwrite=True)
            kept = open_tiles(path)
        return kept

    def _drew(self, tiles: TileSet, source: Source) -> bool:
        """Whether kept tiles are of the finished model; those of generators trained here lie beside these."""
        if self.model is None or source == "ldm":
            return True
        return set(map(str, tiles.dataset["source"].values)) == {self.generator.model_id}

    def _make(self, source: Source) -> TileSet:
        if source == "drawn":
            return self._drawn(self.generator)
        if source == "read":
            return self._read(self._stored("drawn"), all_ground=True)
        if source == "sure":
            return self._read(self._stored("drawn"))
        if source == "balanced":
            if not self.labelled.layers:
                raise ConfigError("balanced tiles have as much of every class, but these have no classes; leave it out")
            return self._read(self._drawn(self.generator, balance=True))
        if source == "varied":
            return self._varied()
        if source == "filtered":
            return mark_unreliable(self._stored("drawn"), self._drawn_scores, share=DROPPED_SHARE)
        if source == "ldm":
            self.say("training the baseline")
            model = train_run(self.folder / "ldm", tiles=self.seen, config=self.baseline, show_progress=False)
            return self._drawn(model.to(self.device))
        raise ConfigError(f"there are no tiles of the source {source!r}")

    def _densified(self) -> TileSet:
        """Real tiles with more labels; masks alone are kept in the folder, their images are there already."""
        path = self.folder / "dense.npz"
        names = [name for name in ("mask", "amount") if name in self.labelled.dataset]
        if not path.exists():
            self.say("reading the real tiles")
            read = self._read(self.labelled, keep_labels=True)
            partial = path.with_name(".dense.partial.npz")
            np.savez_compressed(partial, **{name: read.dataset[name].values for name in names})  # type: ignore[arg-type]
            partial.replace(path)
        with np.load(path) as kept:
            return with_values(self.labelled, {name: kept[name] for name in names})

    def _varied(self) -> TileSet:
        dense = self._stored("dense")
        # not the first ones: these lie at one end of the scene
        chosen = np.random.default_rng(self.seed).permutation(len(dense))[: self.n]
        return self._drawn(self.generator, given=dense.select(chosen), known=["mask"], variation=VARIATION)

    def _drawn(self, generator: SpecDMPipeline, **options: Any) -> TileSet:
        self.say(f"drawing {self.n} tiles")
        return generator.sample(self.n, seed=self.seed, **options)

    @cached_property
    def _drawn_scores(self) -> np.ndarray:
        """Reliability of the labels of drawn tiles, `(tile, layer, y, x)`."""
        tiles = self._stored("drawn")
        posterior = self.generator.posterior(tiles) if self.generator.reader is not None else None
        return reliability(tiles, real=self.evidence, posterior=posterior, seed=self.seed).pixel

    def _read(self, tiles: TileSet, **options: bool) -> TileSet:
        return read_off(tiles, self.generator, **options)


def read_off(
    tiles: TileSet, generator: SpecDMPipeline, *, keep_labels: bool = False, all_ground: bool = False
) -> TileSet:
    """Tiles with the masks that a model reads off their images, unlabelled where it is not sure, see `sure_pixels`.

    Args:
        tiles: with the model's bands and classes.
        generator: with a reader.
        keep_labels: labels that are there stay.
        all_ground: label it all. Amounts have no confidence and are taken everywhere in any case.

    Raises:
        ModelError: the model has no reader.
    """
    if generator.reader is None:
        raise ModelError("this model encodes image and mask together (preset ldm) and cannot read masks off images")
    posterior = generator.posterior(tiles)
    changed = {}
    if tiles.layers and tiles.classes is not None:
        chances = np.nan_to_num(posterior.probabilities)
        found, confidence = chances.argmax(axis=2), chances.max(axis=2)
        sure = confidence > 0 if all_ground else sure_pixels(found, confidence)
        mask = np.where(sure, tiles.classes.values_of(found), np.int16(UNLABELLED))
        if keep_labels:
            own = tiles.masks()
            mask = np.where(own != UNLABELLED, own, mask)
        changed["mask"] = mask.astype(np.int16)
    if tiles.quantities is not None and posterior.amounts_mean is not None:
        amounts = posterior.amounts_mean
        if keep_labels:
            own = tiles.amounts()
            amounts = np.where(np.isfinite(own), own, amounts)
        changed["amount"] = amounts.astype(np.float32)
    return with_values(tiles, changed)
