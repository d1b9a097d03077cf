"""The image codec before training: the best linear one, with a residual that is zero."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from specdm.models.codec_layers import kl_to_standard_normal
from specdm.models.image_codec import ImageCodec
from specdm.models.spectral_basis import spectra_statistics

BANDS, SIZE = 6, 16


@pytest.fixture
def images() -> torch.Tensor:
    """Smooth images of correlated bands, `(12, 6, 16, 16)`."""
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.normal(size=(12, 3, 5, 5))).float()
    smooth = torch.nn.functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic", align_corners=True)
    mixing = torch.from_numpy(random.normal(size=(BANDS, 3))).float() * 100
    noise = torch.from_numpy(random.normal(size=(12, BANDS, SIZE, SIZE))).float()
    return torch.einsum("bk,nkyx->nbyx", mixing, smooth) + 1000 + noise


def codec_of(images: torch.Tensor, **options) -> ImageCodec:
    settings = {"components": 4, "latent_channels": 5, "width": 16, "blocks": 1} | options
    torch.manual_seed(0)
    codec = ImageCodec(images.shape[1], **settings)
    codec.basis.fit(spectra_statistics(images.numpy()))
    codec.fit_linear(codec.prepare(images)[0])
    return codec


def weighted_error(codec: ImageCodec, components: torch.Tensor, decoded: torch.Tensor) -> float:
    return float((codec.component_weights()[:, None, None] * (decoded - components).square()).mean())


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_it_starts_as_the_best_linear_codec(images: torch.Tensor, factor: int) -> None:
    codec = codec_of(images, factor=factor, latent_channels=3)
    components, _ = codec.prepare(images)
    found = weighted_error(codec, components, codec.decoder(codec.encoder(components)[0]).detach())
    # the best rank-3 approximation of the weighted cells, by singular values (Eckart & Young 1936)
    cells = torch.nn.functional.pixel_unshuffle(components, factor).movedim(1, -1).flatten(0, -2).double()
    scale = codec.component_weights().double().sqrt().repeat_interleave(factor**2)
    singular = torch.linalg.svdvals((cells - cells.mean(dim=0)) * scale)
    expected = float(singular[3:].square().sum() / cells.numel())
    assert found == pytest.approx(expected, rel=1e-3)


def test_linear_latents_have_unit_variance(images: torch.Tensor) -> None:
    codec = codec_of(images)
    latents = codec.raw_latents(codec.prepare(images)[0]).detach().movedim(1, -1).flatten(0, -2)
    torch.testing.assert_close(latents.mean(dim=0), torch.zeros(5), atol=1e-3, rtol=0)
    torch.testing.assert_close(latents.T.cov(), torch.eye(5), atol=1e-2, rtol=0)


def test_the_residual_starts_at_zero_and_learns(images: torch.Tensor) -> None:
    codec = codec_of(images)
    components, valid = codec.prepare(images)
    gathered = codec.encoder.gather(components)
    assert codec.encoder.residual(gathered).abs().max() == 0
    assert codec.decoder.residual(codec.raw_latents(components)).abs().max() == 0
    codec.loss(components, valid, kl_weight=0.0, generator=None).backward()
    for network in (codec.encoder.residual, codec.decoder.residual):
        assert network[-1].weight.grad.abs().max() > 0


def test_enough_latent_channels_lose_nothing(images: torch.Tensor) -> None:
    codec = codec_of(images, components=BANDS, latent_channels=BANDS * 4)
    decoded = codec.decode(codec.encode(images)).detach()
    torch.testing.assert_close(decoded, images, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize(("bands", "factor"), [(1, 1), (1, 2), (426, 2)])
def test_one_band_and_many(bands: int, factor: int) -> None:
    random = np.random.default_rng(0)
    images = torch.from_numpy(random.normal(100, 10, (2, bands, 8, 8))).float()
    components = min(bands, 24)
    codec = codec_of(images, components=components, latent_channels=min(16, components * factor**2), factor=factor)
    assert codec.encode(images).shape == (2, codec.latent_channels, 8 // factor, 8 // factor)
    decoded = codec.decode(codec.encode(images))
    assert decoded.shape == images.shape and decoded.isfinite().all()
    if factor == 1:
        torch.testing.assert_close(decoded.detach(), images, rtol=1e-4, atol=1e-3)


def test_nodata_takes_the_mean_and_has_no_loss(images: torch.Tensor) -> None:
    codec = codec_of(images)
    spoilt = images.clone()
    spoilt[0, 1, 2, 3] = float("nan")
    components, valid = codec.prepare(spoilt)
    assert components.isfinite().all()
    assert components[0, :, 2, 3].abs().max() < 1e-3
    assert valid[0, 0, 2, 3] == 0 and valid.sum() == valid.numel() - 1
    # whatever stands at pixels without data, the decoder's error there is not counted
    valid[:, :, :, SIZE // 2 :] = 0
    codec.decoder.register_forward_hook(lambda module, inputs, decoded: torch.where(valid > 0, decoded, 1e6))
    assert float(codec.loss(components, valid, kl_weight=0.0, generator=None).detach()) < 10


def test_clean_components_weigh_more(images: torch.Tensor) -> None:
    weights = codec_of(images, unit_weight=0.2).component_weights()
    assert weights.mean() == pytest.approx(1.0, abs=1e-4)
    assert (weights.diff() <= 0).all() and weights[-1] >= 0.2
    torch.testing.assert_close(codec_of(images, unit_weight=1.0).component_weights(), torch.ones(4))


def test_kl_is_zero_at_the_standard_normal_only() -> None:
    assert float(kl_to_standard_normal(torch.zeros(3), torch.zeros(3))) == 0
    assert float(kl_to_standard_normal(torch.ones(3), torch.zeros(3))) == pytest.approx(0.5)
    assert float(kl_to_standard_normal(torch.zeros(3), torch.ones(3))) > 0
