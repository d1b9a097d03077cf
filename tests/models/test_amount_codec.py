"""Continuous masks: abundances stay abundances by construction, free values keep units and gaps."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specdm.models.amount_codec import AmountCodec
from specdm.models.simplex import project_to_simplex


def abundances(n: int = 6, quantities: int = 4, size: int = 8, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, quantities, size, size, generator=generator)
    return torch.softmax(logits, dim=1)


def fitted(amounts: torch.Tensor, *, sum_to_one: bool, latent_channels: int = 12) -> AmountCodec:
    torch.manual_seed(0)
    codec = AmountCodec(amounts.shape[1], sum_to_one=sum_to_one, latent_channels=latent_channels).eval()
    codec.fit_start(amounts)
    rows = codec.statistics_rows(*codec.prepare(amounts))
    codec.statistics.fit(rows.detach())
    return codec


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.1, 100))
@settings(max_examples=50, deadline=None)
def test_projection_gives_the_nearest_abundances(seed: int, quantities: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = spread * torch.randn(20, quantities, 1, 1, generator=generator, dtype=torch.float64)
    projected = project_to_simplex(values)
    assert (projected >= 0).all()
    torch.testing.assert_close(projected.sum(dim=1), torch.ones(20, 1, 1, dtype=torch.float64))
    others = torch.softmax(3 * torch.randn(200, 1, quantities, 1, 1, generator=generator, dtype=torch.float64), dim=2)
    mine = (projected - values).square().sum(dim=1)
    theirs = (others - values).square().sum(dim=2)
    assert (theirs >= mine - 1e-9 * spread**2).all(), "a nearer point of the simplex was missed"


def test_projection_leaves_abundances_as_they_are() -> None:
    amounts = abundances()
    torch.testing.assert_close(project_to_simplex(amounts), amounts)
    pure = torch.eye(3)[:, :, None, None]
    torch.testing.assert_close(project_to_simplex(pure), pure)


def test_any_latent_decodes_to_abundances() -> None:
    codec = fitted(abundances(), sum_to_one=True)
    wild = 20 * torch.randn(8, 12, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        decoded = codec.decode(wild)
    assert (decoded >= 0).all()
    assert (decoded.sum(dim=1) - 1).abs().max() < 1e-6
    assert (decoded == 0).any(), "a material can be absent"


def test_closed_form_start_keeps_abundances() -> None:
    """Four materials have three degrees of freedom a pixel: 12 latent channels hold a 2 x 2 cell exactly."""
    amounts = abundances()
    codec = fitted(amounts, sum_to_one=True)
    with torch.no_grad():
        torch.testing.assert_close(codec.decode(codec.encode(amounts)), amounts, atol=2e-4, rtol=0)


def test_free_values_keep_their_units() -> None:
    generator = torch.Generator().manual_seed(0)
    height = 500 + 40 * torch.randn(6, 1, 8, 8, generator=generator)
    codec = fitted(height, sum_to_one=False, latent_channels=4)
    with torch.no_grad():
        torch.testing.assert_close(codec.decode(codec.encode(height)), height, atol=0.05, rtol=0)


def test_unknown_pixels_make_cells_unknown_and_teach_nothing() -> None:
    amounts = abundances()
    amounts[:, :, :4] = float("nan")
    codec = fitted(amounts, sum_to_one=True)
    known = codec.known_cells(amounts)
    assert known.shape == (6, 1, 4, 4)
    assert (known[:, :, :2] == 0).all() and (known[:, :, 2:] == 1).all()
    values, mask = codec.prepare(amounts)
    with torch.no_grad():
        whole = codec.loss(values, mask, kl_weight=0.0, generator=torch.Generator().manual_seed(0))
        nothing = codec.loss(values, mask * 0, kl_weight=0.0, generator=torch.Generator().manual_seed(0))
    assert nothing == 0 and whole > 0
    assert codec.encode(amounts).isfinite().all()
    assert len(codec.statistics_rows(values, mask)) == 6 * 8


def test_scale_is_that_of_known_pixels() -> None:
    amounts = abundances()
    gappy = amounts.clone()
    gappy[:, :, :, ::2] = float("nan")
    codec = fitted(gappy, sum_to_one=True)
    wanted = amounts[:, :, :, 1::2].mean(dim=(0, 2, 3))
    torch.testing.assert_close(codec.mean, wanted, atol=1e-5, rtol=0)
