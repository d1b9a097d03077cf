"""The network that sees all latents at once, with their noise levels, and predicts the velocity of all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from specdm.models.latent_noise import filtered, noise_kernels
from specdm.models.level_unet import LevelNetwork, MaskNetwork


class JointDenoiser(LevelNetwork, ModelMixin, ConfigMixin):
    """Velocity of every stream from noisy latents and the noise level of every stream and cell.

    Masks have a network of their own as long as no image is drawn, if `mask_widths` are given: it is smaller, and
    learns in few steps what one network for everything learns in many. What a known image says of masks is read off it
    by `MaskReader`; with some dates known and others not, nothing can be read, and the other network is asked.

    Args:
        stream_channels: latent channels of each stream, in their order in the latent.
        conditions: number of classes of the composition condition; 0 for none.
        widths: channels at each resolution; attention at every resolution but the first.
        layers: residual blocks a resolution.
        head_channels: channels of an attention head.
        noise_reach: cells that the filters of its noise look in each direction, see `latent_noise`; 0: white noise.
        mask_streams: numbers of the streams that are masks.
        mask_widths: channels at each resolution of the network for masks by themselves; none: one network for all.
        mask_patch: cells along a square that is one place of that network's first resolution.
    """

    config_name = "config.json"  # type: ignore[assignment]
    latent_mean: torch.Tensor
    latent_std: torch.Tensor
    noise_kernels: torch.Tensor

    @register_to_config
    def __init__(
        self,
        stream_channels: tuple[int, ...],
        conditions: int = 0,
        widths: tuple[int, ...] = (64, 192),
        layers: int = 2,
        head_channels: int = 48,
        noise_reach: int = 0,
        mask_streams: tuple[int, ...] = (),
        mask_widths: tuple[int, ...] = (),
        mask_patch: int = 1,
    ):
        super().__init__()
        channels, streams = sum(stream_channels), len(stream_channels)
        self.register_buffer("latent_mean", torch.zeros(channels))
        self.register_buffer("latent_std", torch.ones(channels))
        if noise_reach:
            nothing = torch.zeros(0, channels, noise_reach + 1, noise_reach + 1)
            white = noise_kernels(nothing, nothing[:, 0], reach=noise_reach)
            self.register_buffer("noise_kernels", white)
        self._build(stream_channels, conditions=conditions, widths=widths, layers=layers, head_channels=head_channels)
        self.masks_alone = None
        if mask_widths:
            self._masks = sorted(mask_streams)
            self._images = [s for s in range(streams) if s not in mask_streams]
            of_masks = [s in mask_streams for s, count in enumerate(stream_channels) for _ in range(count)]
            self._mask_channels = [c for c, own in enumerate(of_masks) if own]
            self.masks_alone = MaskNetwork(
                [stream_channels[s] for s in self._masks],
                conditions=conditions,
                widths=mask_widths,
                layers=layers,
                head_channels=head_channels,
                patch=mask_patch,
            )

    @torch.no_grad()
    def fit_latents(self, latents: torch.Tensor, known: torch.Tensor) -> None:
        """Take the mean and spread of each stream's channels over its known cells.

        A codec standardises the latents of all streams that share it together. Two dates may lie far apart in light
        and season; each by itself then has less than unit variance, and its structure drowns in the noise of levels
        made for unit variance.

        Args:
            latents: `(n, channels, y, x)`.
            known: `(n, streams, y, x)`, 1 where known.
        """
        start = 0
        for s, channels in enumerate(self.stream_channels):
            part = slice(start, start + channels)
            cells = latents[:, part].movedim(1, -1)[known[:, s] > 0]
            if len(cells) > 1:
                self.latent_mean[part] = cells.mean(dim=0)
                self.latent_std[part] = cells.std(dim=0, correction=0).clamp(min=1e-3)
            start += channels

    @torch.no_grad()
    def fit_noise(self, latents: torch.Tensor, known: torch.Tensor, *, streams: Sequence[int]) -> None:
        """Give the noise of these streams the power spectrum of their latents; that of the others stays as it is.

        Args:
            latents: `(n, channels, y, x)`, standardised.
            known: `(n, streams, y, x)`, 1 where known.
            streams: their numbers.
        """
        start = 0
        for s, channels in enumerate(self.stream_channels):
            part = slice(start, start + channels)
            if s in streams:
                self.noise_kernels[part] = noise_kernels(latents[:, part], known[:, s], reach=self.noise_reach)
            start += channels

    @property
    def noise_reach(self) -> int:
        return int(self.config["noise_reach"])

    def white_shape(self, cells: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, rows and columns of the white noise that `noise` of so many cells is made of."""
        height, width = (length + 2 * self.noise_reach for length in cells)
        return (sum(self.stream_channels), height, width)

    def noise(self, white: torch.Tensor) -> torch.Tensor:
        """What takes the place of unknown latents, `(n, channels, y, x)`, each cell standard normal.

        Args:
            white: `(n, *white_shape((y, x)))`, standard normal.
        """
        reach = self.noise_reach
        if not reach:
            return white
        noise = white[..., reach:-reach, reach:-reach].clone()
        coloured = self.noise_kernels[:, reach, reach] < 1
        if bool(coloured.any()):
            noise[:, coloured] = filtered(white[:, coloured], self.noise_kernels[coloured])
        return noise

    def standardise(self, latents: torch.Tensor) -> torch.Tensor:
        """Codec latents to zero mean and unit variance stream by stream."""
        return (latents - self.latent_mean[:, None, None]) / self.latent_std[:, None, None]

    def restore(self, latents: torch.Tensor) -> torch.Tensor:
        """The opposite of `standardise`."""
        return latents * self.latent_std[:, None, None] + self.latent_mean[:, None, None]

    @property
    def stream_channels(self) -> tuple[int, ...]:
        return tuple(self.config["stream_channels"])

    def forward(
        self, noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Predict the velocity `noise - latent`.

        Args:
            noisy: `(n, channels, y, x)`, the noisy latents of all streams.
            levels: `(n, streams, y, x)`, noise levels in 0..1; at 1 a cell is unknown and not looked at.
            composition: `(n, classes)` fractions of each class in the tile; a row of NaN is "not given".

        Returns:
            `(n, channels, y, x)`; 0 for images of tiles that the network for masks by themselves is asked of.
        """
        if self.masks_alone is None:
            return self.found(noisy, levels, composition)
        bare = self._draws_no_image(levels[:, self._images])
        if bool(bare.all()):
            return self._masks_only(noisy, levels, composition)
        if not bool(bare.any()):
            return self.found(noisy, levels, composition)
        parts = []
        for rows, network in ((bare, self._masks_only), (~bare, self.found)):
            parts.append(network(noisy[rows], levels[rows], None if composition is None else composition[rows]))
        back = torch.argsort(torch.cat([bare.nonzero(), (~bare).nonzero()]).flatten())
        return torch.cat(parts)[back]

    @staticmethod
    def _draws_no_image(levels: torch.Tensor) -> torch.Tensor:
        """Tiles of which no image is drawn, `(n,)`, by the levels of the images; but those with some dates of several.

        A date that is known but for clouds or beyond its edge is one that masks are drawn for, too.
        """
        shown = (levels == 0).flatten(2).any(dim=2)
        still = ((levels == 0) | (levels == 1)).flatten(1).all(dim=1)
        return still & (shown.all(dim=1) | ~shown.any(dim=1))

    def _masks_only(
        self, noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor | None
    ) -> torch.Tensor:
        """Velocity of masks; 0 for images, of which nothing is asked."""
        assert self.masks_alone is not None
        own = self.masks_alone.velocity(noisy[:, self._mask_channels], levels[:, self._masks], composition)
        found = own.new_zeros(noisy.shape)
        found[:, self._mask_channels] = own
        return found
