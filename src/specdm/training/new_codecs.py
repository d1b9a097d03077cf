"""Codecs as training finds them: sized by the streams, their closed-form parts fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from specdm.models.amount_codec import AmountCodec
from specdm.models.codecs import Codec
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.pixels import Pixels
from specdm.models.spectral_basis import spectra_statistics
from specdm.models.streams import Stream, StreamKind
from specdm.training.config import CodecConfig

BASIS_PIXELS = 80_000
"""About as many pixels are enough for covariances of a few hundred bands, and keep their float64 copies small."""


def new_codecs(
    streams: Sequence[Stream], tiles: Pixels, *, classes: int, sum_to_one: bool, config: CodecConfig
) -> dict[str, Codec]:
    """A codec for each name that streams give, fitted to all streams that share it.

    Args:
        streams: what will be generated.
        tiles: training tiles.
        classes: of the masks.
        sum_to_one: whether amounts are abundances.
        config: widths, latent channels, basis.
    """
    makers: dict[StreamKind, Callable[[torch.Tensor], Codec]] = {
        "image": lambda values: _image_codec(values, config),
        "classes": lambda values: _mask_codec(classes, config),
        "amounts": lambda values: _amount_codec(values, sum_to_one, config),
    }
    codecs: dict[str, Codec] = {}
    for name in dict.fromkeys(stream.codec for stream in streams):
        mine = [stream for stream in streams if stream.codec == name]
        codecs[name] = makers[mine[0].kind](torch.cat([tiles.of(stream) for stream in mine]))
    return codecs


def _image_codec(images: torch.Tensor, config: CodecConfig) -> Codec:
    bands = images.shape[1]
    components = min(config.components, bands)
    codec = ImageCodec(
        bands,
        components=components,
        latent_channels=min(config.latent_channels, components * config.factor**2),
        width=config.width,
        blocks=config.blocks,
        factor=config.factor,
        unit_weight=config.unit_weight,
    )
    few = images[:: max(1, images.shape[0] * images.shape[-1] ** 2 // BASIS_PIXELS)]
    codec.basis.fit(spectra_statistics(few.numpy()), kind=config.basis)
    codec.fit_linear(codec.prepare(few)[0])
    return codec


def _mask_codec(classes: int, config: CodecConfig) -> Codec:
    return MaskCodec(
        classes,
        # one a class keeps all codes equally far apart; a few more leave room for shapes
        latent_channels=min(config.mask_latent_channels, max(4, classes)),
        width=config.mask_width,
        blocks=config.mask_blocks,
        factor=config.factor,
    )


def _amount_codec(amounts: torch.Tensor, sum_to_one: bool, config: CodecConfig) -> Codec:
    quantities = amounts.shape[1]
    # abundances have one degree of freedom less than materials; a latent of no variance is none
    free = quantities - 1 if sum_to_one else quantities
    codec = AmountCodec(
        quantities,
        sum_to_one=sum_to_one,
        latent_channels=min(config.mask_latent_channels, free * config.factor**2),
        width=config.mask_width,
        blocks=config.mask_blocks,
        factor=config.factor,
    )
    codec.fit_start(amounts)
    return codec
