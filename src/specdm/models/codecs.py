"""What every codec can do, whatever it encodes; training and the joint model ask for no more."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from specdm.models.amount_codec import AmountCodec
from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.codec_layers import LatentStatistics
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.pair_codec import PairCodec
from specdm.models.streams import StreamKind

CODEC_KINDS: dict[StreamKind, type] = {
    "image": ImageCodec,
    "classes": MaskCodec,
    "labelled": MaskCodec,
    "amounts": AmountCodec,
    "pair": PairCodec,
}
"""Which codec a kind of stream has."""


class Codec(Protocol):
    """A kind of stream to latents `(n, channels, y / f, x / f)` and back.

    `values` below are a stream's part of the tiles as `Pixels.of` gives it.
    """

    factor: int
    statistics: LatentStatistics

    @property
    def latent_channels(self) -> int: ...

    def prepare(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What `loss` and `statistics_rows` read, each with tiles first; done once before training."""

    def augment(
        self, prepared: tuple[torch.Tensor, ...], *, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """Prepared tiles made more varied for training."""

    def loss(
        self,
        *prepared: torch.Tensor,
        kl_weight: float,
        generator: torch.Generator | None,
        share: BatchShare = WHOLE,
    ) -> torch.Tensor:
        """Error of known pixels plus KL; of a batch's `share`, where several processes have a part of it each."""

    def statistics_rows(self, *prepared: torch.Tensor) -> torch.Tensor:
        """Latents `(cells, channels)` that their statistics are taken from."""

    def known_cells(self, values: torch.Tensor) -> torch.Tensor:
        """Which latent cells are backed by data or labels, `(n, 1, y / f, x / f)` in 0/1."""

    def latent_importance(self) -> torch.Tensor:
        """How far each standardised latent moves what is decoded, `(channels,)`, mean 1."""

    def encode(self, values: torch.Tensor) -> torch.Tensor:
        """Standardised latents."""

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Values from standardised latents."""

    def state_dict(self) -> dict[str, Any]: ...
