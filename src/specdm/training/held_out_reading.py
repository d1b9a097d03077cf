"""Which of the readers that training passes through reads ground best that it has not seen, and how sure it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning as L
import numpy as np
import torch
from torch.nn import functional as F

from specdm.models.mask_reader import LEAST_CHANCE, MaskReader
from specdm.models.neighbourhood import with_neighbours
from specdm.models.pixels import Pixels
from specdm.training.budget import Budget

CHECKS = 20
SPECTRA_SHARE = 0.85
"""Of single spectra in what a reader says. A network may have learnt a few fields by heart that look like held-out
ground and nothing else: from halves to this, mean IoU or F1 of test ground changed by -0.007 to +0.24 on twelve readers
(`benchmarks/NOTES.md`). To choose it by held-out ground did worse: that prefers what has learnt the same fields."""

SPECTRA_SHARE_UNTOLD = 1.0
"""Where next to no held-out ground is labelled: labels are few, and a network has learnt them by heart (hyperspectral
change at a tenth of the labels: F1 0.84; with a quarter from the network 0.28)."""

CONSTANT = 0.95
"""Share of pairs of labelled pixels so near to each other that must have one class for their readings to be put
together (`benchmarks/NOTES.md`): 0.99 in Indian Pines, 0.97 in Sentinel-2, where it helps, 0.61 in EnMAP, 0.73 in
Jasper Ridge, where it harms."""

LEAST_PIXELS = 100
"""Labelled pixels of held-out ground; fewer say too little to choose weights by."""

LEAST_NEIGHBOUR_PIXELS = 50
"""To choose by how far to listen to neighbours, where the same pixels are read once with them and once without."""

LEAST_RIGHT = 0.5
"""Share of held-out pixels that a reader must read right for its weights to be chosen by them. Ground that is read
wrong more often than right is unlike what training shows: on one tile of Indian Pines, of which no reader read half,
the order of readers was chance, and the one chosen read test ground with 0.79 where the last did with 0.86."""

TEMPERATURES = torch.logspace(-0.3, 1.0, 40)
MOST_TEMPERATURE = 2.2
"""That a reader is given. Readers are chosen at their best temperature, else the first, unsure ones would win; but a
few fields of held-out ground are no measure of how unsure it should be everywhere."""


class HeldOutReading(L.Callback):
    """Reads validation tiles a few times while a reader trains and keeps the weights that did so best.

    A reader of a few hundred labelled pixels learns them by heart within seconds, one of thousands goes on learning for
    minutes. Judged by cross-entropy after the best temperature, so that being too sure does not hide being right. The
    last weights stay where held-out ground is unlike the training ground, see `LEAST_RIGHT`.
    """

    def __init__(self, *, components: torch.Tensor, tiles: Pixels, budget: Budget):
        self._components, self._tiles, self._budget = components, tiles, budget
        self._best: dict[str, torch.Tensor] = {}
        self._least, self._temperature, self._checks = float("inf"), 1.0, 0

    @property
    def tells(self) -> bool:
        """Whether there is enough held-out ground to choose by."""
        return int((self._tiles.positions >= 0).sum()) >= LEAST_PIXELS

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        used = self._budget.share_used(trainer.global_step)
        if self.tells and used * CHECKS >= self._checks + 1:
            self._checks = int(used * CHECKS)
            reader: Any = pl_module.reader
            error, temperature, right = self.read(reader)
            if right >= LEAST_RIGHT and error < self._least:
                self._least, self._temperature = error, temperature
                self._best = {name: value.detach().cpu().clone() for name, value in reader.state_dict().items()}

    @torch.no_grad()
    def read(self, reader: MaskReader) -> tuple[float, float, float]:
        """Least cross-entropy of labelled pixels, the temperature that gives it, and the share of them read right."""
        device = next(reader.parameters()).device
        logits = reader(self._components.to(device)).logits.movedim(2, -1).cpu()
        known = self._tiles.positions >= 0
        chosen, truth = logits[known], self._tiles.positions[known]
        errors = torch.stack([F.cross_entropy(chosen / temperature, truth) for temperature in TEMPERATURES])
        right = (chosen.argmax(dim=1) == truth).float().mean()
        return float(errors.min()), float(TEMPERATURES[errors.argmin()]), float(right)

    def give_best(self, reader: MaskReader) -> None:
        """Put the best weights and their temperature into a reader; nothing where there was too little to choose by.

        Where there was enough, but no weights could be chosen by it, it still says that the reader is often wrong.
        """
        if self._best:
            reader.load_state_dict(self._best)
            reader.temperature.fill_(min(self._temperature, MOST_TEMPERATURE))
        elif self._checks:
            reader.temperature.fill_(MOST_TEMPERATURE)

    @torch.no_grad()
    def give_share(self, reader: MaskReader) -> None:
        """Say how far a reader listens to single spectra rather than to the network, layer by layer."""
        if reader.spectral is None:
            return
        for layer, truth in enumerate(self._tiles.positions.movedim(1, 0)):
            told = int((truth >= 0).sum()) >= LEAST_PIXELS
            share = SPECTRA_SHARE if told else SPECTRA_SHARE_UNTOLD
            reader.spectral_share[layer] = share if reader.spectral.knows(layer) else 0.0

    @torch.no_grad()
    def give_neighbourhood(self, reader: MaskReader, constancy: np.ndarray, *, single_date: Sequence[bool]) -> None:
        """Say how far around pixels listen to neighbours that look alike, layer by layer.

        As far as labels of training ground hold (`CONSTANT`), if held-out ground does not say that less is better.
        Where it says nothing, masks of change listen to nobody: what changed is often smaller than a field.

        Args:
            reader: has weights, machine and shares.
            constancy: of labels within 0, 1, ... pixels, `(layers, reaches)`, see `label_constancy`.
            single_date: of each layer, whether it is about one date.
        """
        if reader.spectral is None:
            return
        dates: int = reader.config["dates"]
        components = self._components.to(reader.neighbourhood.device)
        reader.neighbourhood.zero_()
        alone = reader.pooled(reader.chances(reader(components)), components)
        for layer, steady in enumerate(constancy):
            reaches = np.flatnonzero(steady >= CONSTANT).tolist()
            chosen = reaches[-1] if single_date[layer] else 0
            truth = self._tiles.positions[:, layer]
            known = truth >= 0
            if int(known.sum()) >= LEAST_NEIGHBOUR_PIXELS:
                heard = [
                    with_neighbours(alone, components, reach=torch.full_like(reader.neighbourhood, reach), dates=dates)
                    for reach in reaches
                ]
                found = [chances[:, layer].movedim(1, -1).cpu()[known] for chances in heard]
                if float((found[0].argmax(dim=1) == truth[known]).float().mean()) >= LEAST_RIGHT:
                    errors = [F.nll_loss(part.clamp(min=LEAST_CHANCE).log(), truth[known]).item() for part in found]
                    chosen = reaches[int(np.argmin(errors))]
            reader.neighbourhood[layer] = chosen

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self._best, "least": self._least, "temperature": self._temperature, "checks": self._checks
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best, self._least = state_dict["best"], state_dict["least"]
        self._temperature, self._checks = state_dict["temperature"], state_dict["checks"]
