"""How far a latent moves what is decoded."""

from __future__ import annotations

import torch

from specdm.models.codec_layers import Decoder, Encoder, LatentStatistics, fit_linear, latent_importance


def test_principal_components_count_by_their_spread() -> None:
    """Weights, cells and statistics: the closed form is the measured movement of the linear codec."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([5.0, 1.0, 0.2])
    images = spread[:, None, None] * torch.randn(40, 3, 8, 8, generator=generator)
    encoder = Encoder(3, 8, width=16, factor=2, blocks=0)
    decoder = Decoder(8, 3, width=16, factor=2, blocks=0)
    weights = torch.tensor([1.0, 2.0, 0.5])
    fit_linear(encoder, decoder, images, weights=weights)
    statistics = LatentStatistics(8)
    statistics.fit(encoder(images)[0].detach().movedim(1, -1).flatten(0, -2))
    found = latent_importance(decoder, statistics, weights=weights)
    torch.testing.assert_close(found.mean(), torch.tensor(1.0))
    moved = []
    with torch.no_grad():
        rest = decoder(statistics.restore(torch.zeros(1, 8, 1, 1)))
        for channel in range(8):
            one = torch.zeros(1, 8, 1, 1)
            one[0, channel] = 1.0
            change = decoder(statistics.restore(one)) - rest
            moved.append((weights[:, None, None] * change.square()).sum().sqrt())
    measured = torch.stack(moved)
    torch.testing.assert_close(found, measured / measured.mean(), atol=1e-4, rtol=1e-4)
    assert found[0] > 3 * found[-1]
