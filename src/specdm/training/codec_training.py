"""Stage one: the codecs of all streams, side by side."""

from __future__ import annotations

from typing import Any

import lightning as L
import torch
from torch import nn

from specdm.errors import TrainingError
from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.codecs import Codec
from specdm.models.pixels import Pixels
from specdm.models.streams import Stream
from specdm.training.config import CodecConfig
from specdm.training.draws import step_generator
from specdm.training.orientations import ORIENTATIONS, orient

STAGE = 1


class CodecTraining(L.LightningModule):
    """Trains all codecs at once on random orientations of the tiles.

    What a codec can prepare, such as components of the closed-form spectral basis, is prepared once. Of several
    processes each draws the whole batch and works on its `share`.
    """

    def __init__(
        self,
        *,
        streams: tuple[Stream, ...],
        codecs: dict[str, Codec],
        tiles: Pixels,
        config: CodecConfig,
        seed: int,
        share: BatchShare = WHOLE,
    ):
        super().__init__()
        self.codecs = nn.ModuleDict(codecs)  # type: ignore[arg-type]
        self.streams, self.config, self.seed, self.share = streams, config, seed, share
        self._prepared = {s.name: _in_batches(codecs[s.codec], tiles.of(s)) for s in streams}
        self._telling = {s.name: telling_tiles(s, tiles) for s in streams}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.parameters(), lr=self.config.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step)
        noise = torch.Generator(device=self.device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        loss = torch.zeros((), device=self.device)
        told: dict[str, torch.Tensor] = {}
        for stream in self.streams:
            prepared = self._prepared[stream.name]
            count = self.config.batch_size if stream.kind in ("image", "pair") else self.config.mask_batch_size
            telling = self._telling[stream.name]
            chosen = telling[torch.randint(len(telling), (count,), generator=generator)]
            turned = int(torch.randint(ORIENTATIONS, (), generator=generator))
            codec = self._codec(stream.codec)
            varied = codec.augment(tuple(orient(part[chosen], turned) for part in prepared), generator=generator)
            part = codec.loss(
                *(self.share.of(values).to(self.device) for values in varied),
                kl_weight=self.config.kl_weight,
                generator=noise,
                share=self.share,
            )
            # codecs of one kind, of several sensors or quantities, are told together
            name = f"{stream.codec.rpartition('_codec')[0]}_codec_loss"
            told[name] = told[name] + part if name in told else part
            loss = loss + part
        told["codec_loss"] = loss
        averages = self.share.average(torch.stack(list(told.values())))
        if not torch.isfinite(averages[-1]):
            raise TrainingError(
                f"the codec's loss became {averages[-1].item()} at step {self.global_step}; lower codec.learning_rate "
                f"(now {self.config.learning_rate}) and start again"
            )
        for name, average in zip(told, averages, strict=True):
            self.log(name, average, logger=False)
        return loss

    @torch.no_grad()
    def fit_latent_statistics(self) -> None:
        """Standardise latents over the training tiles; cells count where they are known."""
        for name in self.codecs:
            codec = self._codec(name)
            rows = []
            for stream in (s for s in self.streams if s.codec == name):
                # images fill the memory by themselves; masks are small and gain from being seen turned
                turns = (0,) if stream.kind in ("image", "pair") else range(0, ORIENTATIONS, 2)
                for turned in turns:
                    rows.append(codec.statistics_rows(*(orient(p, turned) for p in self._prepared[stream.name])))
            codec.statistics.fit(torch.cat(rows))

    def _codec(self, name: str) -> Codec:
        return self.codecs[name]  # type: ignore[return-value]


def telling_tiles(stream: Stream, tiles: Pixels) -> torch.Tensor:
    """Positions of the tiles that a stream's codec can learn from, int64 `(n,)`: masks that say anything; all images.

    Beside much imagery that nobody labelled, tiles drawn from all would hardly show a mask.
    """
    every = torch.arange(len(tiles))
    if stream.kind in ("image", "pair"):
        return every
    values = tiles.of(stream)
    known = values.isfinite().all(dim=1) if stream.kind == "amounts" else values >= 0
    there = known.flatten(1).any(dim=1)
    return every[there] if there.any() else every


def _in_batches(codec: Codec, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        parts = [codec.prepare(part) for part in values.split(64)]
    return tuple(torch.cat(column) for column in zip(*parts, strict=True))
