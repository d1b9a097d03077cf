"""Codecs as training finds them: sized by the streams, their closed-form parts fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from specdm.models.amount_codec import AmountCodec
from specdm.models.codecs import Codec
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.pair_codec import PairCodec
from specdm.models.pixels import Pixels
from specdm.models.spectral_basis import spectra_statistics
from specdm.models.streams import PAIR, Stream, StreamKind
from specdm.training.config import CodecConfig

BASIS_PIXELS = 80_000
"""About as many pixels are enough for covariances of a few hundred bands, and keep their float64 copies small."""


def new_codecs(
    streams: Sequence[Stream],
    tiles: Pixels,
    *,
    apart: Sequence[Stream],
    classes: int,
    sum_to_one: bool,
    config: CodecConfig,
) -> dict[str, Codec]:
    """A codec for each name that streams give, fitted to all streams that share it.

    Args:
        streams: what will be generated.
        tiles: training tiles.
        apart: the streams of tiles with a codec each; one codec for all has as many latent channels as these together.
        classes: of the masks.
        sum_to_one: whether amounts are abundances.
        config: widths, latent channels, basis.
    """
    makers: dict[StreamKind, Callable[[torch.Tensor], Codec]] = {
        "image": lambda values: _image_codec(values, config),
        "classes": lambda values: _mask_codec(classes, config),
        "labelled": lambda values: _mask_codec(2, config),
        "amounts": lambda values: _amount_codec(values, sum_to_one, config),
        "pair": lambda values: _pair_codec(tiles, apart, classes, sum_to_one, config),
    }
    codecs: dict[str, Codec] = {}
    for name in dict.fromkeys(stream.codec for stream in streams):
        mine = [stream for stream in streams if stream.codec == name]
        codecs[name] = makers[mine[0].kind](torch.cat([tiles.of(stream) for stream in mine]))
    return codecs


def _image_codec(images: torch.Tensor, config: CodecConfig) -> Codec:
    bands = images.shape[1]
    components = bands if config.basis == "none" else min(config.components, bands)
    codec = ImageCodec(
        bands,
        components=components,
        latent_channels=_image_channels(bands, config),
        width=config.width,
        blocks=config.blocks,
        factor=config.factor,
        unit_weight=config.unit_weight,
    )
    few = _few(images)
    codec.basis.fit(spectra_statistics(few.numpy()), kind=config.basis)
    codec.fit_linear(codec.prepare(few)[0])
    return codec


def _mask_codec(classes: int, config: CodecConfig) -> Codec:
    return MaskCodec(
        classes,
        latent_channels=_mask_channels(classes, config),
        width=config.mask_width,
        blocks=config.mask_blocks,
        factor=config.factor,
    )


def _amount_codec(amounts: torch.Tensor, sum_to_one: bool, config: CodecConfig) -> Codec:
    quantities = amounts.shape[1]
    codec = AmountCodec(
        quantities,
        sum_to_one=sum_to_one,
        latent_channels=_amount_channels(quantities, sum_to_one, config),
        width=config.mask_width,
        blocks=config.mask_blocks,
        factor=config.factor,
    )
    codec.fit_start(amounts)
    return codec


def _pair_codec(
    tiles: Pixels, apart: Sequence[Stream], classes: int, sum_to_one: bool, config: CodecConfig
) -> Codec:
    counts: dict[StreamKind, Callable[[torch.Tensor], int]] = {
        "image": lambda values: _image_channels(values.shape[1], config),
        "classes": lambda values: _mask_channels(classes, config),
        "labelled": lambda values: _mask_channels(2, config),
        "amounts": lambda values: _amount_channels(values.shape[1], sum_to_one, config),
    }
    codec = PairCodec(
        dates=tiles.images.shape[1],
        bands=tiles.images.shape[2],
        layers=tiles.positions.shape[1],
        classes=classes,
        quantities=tiles.amounts.shape[1],
        sum_to_one=sum_to_one,
        latent_channels=sum(counts[stream.kind](tiles.of(stream)) for stream in apart),
        width=config.width,
        blocks=config.blocks,
        factor=config.factor,
    )
    codec.fit_start(_few(tiles.of(PAIR)))
    return codec


def _few(images: torch.Tensor) -> torch.Tensor:
    return images[:: max(1, images.shape[0] * images.shape[-1] ** 2 // BASIS_PIXELS)]


def _image_channels(bands: int, config: CodecConfig) -> int:
    components = bands if config.basis == "none" else min(config.components, bands)
    return min(config.latent_channels, components * config.factor**2)


def _mask_channels(classes: int, config: CodecConfig) -> int:
    # one a class keeps all codes equally far apart; a few more leave room for shapes
    return min(config.mask_latent_channels, max(4, classes))


def _amount_channels(quantities: int, sum_to_one: bool, config: CodecConfig) -> int:
    # abundances have one degree of freedom less than materials; a latent of no variance is none
    free = quantities - 1 if sum_to_one else quantities
    return min(config.mask_latent_channels, free * config.factor**2)
