"""The plain latent diffusion baseline's codec: image and mask in one, unlabelled ground a class like others."""

from __future__ import annotations

import pytest
import torch

from specdm.models.pair_codec import PairCodec

DATES, BANDS, LAYERS, CLASSES, QUANTITIES = 2, 3, 2, 4, 3


def made(n: int = 12, size: int = 8) -> torch.Tensor:
    """Pairs whose cells are uniform, so that a linear codec of enough channels loses nothing."""
    generator = torch.Generator().manual_seed(0)
    cells = size // 2
    images = 500 + 100 * torch.randn(n, DATES * BANDS, cells, cells, generator=generator)
    masks = torch.randint(-1, CLASSES, (n, LAYERS, cells, cells), generator=generator).float()
    amounts = torch.rand(n, QUANTITIES, cells, cells, generator=generator)
    amounts = amounts / amounts.sum(dim=1, keepdim=True)
    return torch.cat([images, masks, amounts], dim=1).repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)


@pytest.fixture(scope="module")
def codec() -> PairCodec:
    codec = PairCodec(DATES, BANDS, LAYERS, CLASSES, QUANTITIES, sum_to_one=True, latent_channels=18, width=16)
    values = made()
    codec.fit_start(values)
    codec.statistics.fit(codec.statistics_rows(*codec.prepare(values)))
    return codec.eval()


def test_the_closed_form_start_gives_all_back(codec) -> None:
    values = made()
    with torch.no_grad():
        again = codec.decode(codec.encode(values))
    images, masks = slice(0, DATES * BANDS), slice(DATES * BANDS, DATES * BANDS + LAYERS)
    torch.testing.assert_close(again[:, images], values[:, images], rtol=0, atol=1.0)
    assert (again[:, masks] == values[:, masks]).all()
    assert (values[:, masks] == -1).any()
    torch.testing.assert_close(again[:, masks.stop :].sum(dim=1), torch.ones(12, 8, 8))


def test_latents_are_standardised(codec) -> None:
    with torch.no_grad():
        latents = codec.encode(made()).movedim(1, -1).flatten(0, -2)
    torch.testing.assert_close(latents.std(dim=0, correction=0), torch.ones(18), rtol=0, atol=1e-3)


def test_nodata_counts_neither_in_the_loss_nor_as_known(codec) -> None:
    values = made()
    hole = values.clone()
    hole[:, 1, :2, :2] = float("nan")
    losses = [
        float(codec.loss(*codec.prepare(v), kl_weight=0.0, generator=torch.Generator().manual_seed(0)).detach())
        for v in (values, hole)
    ]
    assert all(loss == loss for loss in losses)
    known = codec.known_cells(hole)
    assert not known[:, 0, 0, 0].any() and known[:, 0, 1:, 1:].all()


def test_a_band_that_a_date_has_not_stays_nan() -> None:
    values = made()
    values[:, 4] = float("nan")
    codec = PairCodec(DATES, BANDS, LAYERS, CLASSES, QUANTITIES, latent_channels=18, width=16)
    codec.fit_start(values)
    with torch.no_grad():
        again = codec.decode(codec.encode(values))
    assert again[:, 4].isnan().all() and again[:, [0, 1, 2, 3, 5]].isfinite().all()
    assert codec.known_cells(values).all()


def test_training_lowers_the_loss() -> None:
    torch.manual_seed(0)
    codec = PairCodec(DATES, BANDS, LAYERS, CLASSES, QUANTITIES, latent_channels=6, width=16)
    values = made()
    codec.fit_start(values)
    prepared = codec.prepare(values)
    optimizer = torch.optim.AdamW(codec.parameters(), lr=2e-3)
    losses = []
    for step in range(60):
        loss = codec.loss(*prepared, kl_weight=1e-4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
