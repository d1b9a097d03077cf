"""Few evaluations: how they are shared out, and that a tile costs so many and no more."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.models.denoiser import JointDenoiser
from specdm.models.drawing import Drawing
from specdm.models.few_steps import even_jumps, joined_stages, jumps_of
from specdm.models.image_codec import ImageCodec
from specdm.models.joint_model import JointModel
from specdm.models.known_latents import KnownLatents
from specdm.models.mask_codec import MaskCodec
from specdm.models.streams import streams_of

BANDS, CLASSES, CELLS = 5, 3, 4
IMAGE, MASK, LABELLED = range(3)


class Straight(JointDenoiser):
    """Leads straight to a wanted latent from wherever it is, and notes what it was asked."""

    wanted: torch.Tensor

    def forward(self, noisy, levels, composition=None):  # type: ignore[override]
        self.asked.append(levels.clone())
        t = levels.repeat_interleave(torch.tensor(self.stream_channels), dim=1).clamp(min=1e-3)
        return (noisy - self.wanted) / t


def model_of(*, sparse: bool) -> JointModel:
    """Wants class 2 everywhere, on the left half of the ground if masks leave any unlabelled."""
    torch.manual_seed(0)
    streams = streams_of(dates=[0], layers=["class"], sparse=["class"] if sparse else [])
    codecs = {
        "image_codec": ImageCodec(BANDS, components=4, latent_channels=6, width=8, blocks=0),
        "mask_codec": MaskCodec(CLASSES, latent_channels=4, width=8, blocks=0),
    }
    left = torch.zeros(1, 2 * CELLS, 2 * CELLS, dtype=torch.int64)
    left[:, :, :CELLS] = 1
    wanted = [torch.full((1, 6, CELLS, CELLS), 0.5), codecs["mask_codec"].encode(torch.full_like(left, 2))]
    if sparse:
        codecs["labelled_codec"] = MaskCodec(2, latent_channels=4, width=8, blocks=0)
        wanted.append(codecs["labelled_codec"].encode(left))
    channels = tuple(part.shape[1] for part in wanted)
    denoiser = Straight(channels, CLASSES, widths=(16, 16), layers=1, head_channels=16)
    denoiser.asked, denoiser.wanted = [], torch.cat(wanted, dim=1).detach()
    return JointModel(streams=streams, codecs=codecs, denoiser=denoiser).eval()


def drawing_of(model: JointModel, *jumps: int, **options: float) -> Drawing:
    return Drawing(model, steps=9, image_shift=2.0, mask_shift=2.0, jumps=jumps, **options)


def drawn(drawing: Drawing, known: KnownLatents | None = None) -> torch.Tensor:
    channels = sum(drawing.model.stream_channels)
    noise = torch.randn(2, channels, CELLS, CELLS, generator=torch.Generator().manual_seed(1))
    return drawing.latents(noise, composition=torch.full((2, CLASSES), 1 / 3), known=known)


@given(st.integers(1, 6), st.integers(1, 20))
def test_evaluations_are_shared_among_the_stages(count: int, evaluations: int) -> None:
    stages = [[2 * stage, 2 * stage + 1] for stage in range(count)]
    jumps, before = jumps_of(count, evaluations), even_jumps(count, evaluations)
    assert sum(jumps) == sum(before) == evaluations and min(jumps) >= 1
    assert before == sorted(before) and before[-1] - before[0] <= 1
    joined = joined_stages(stages, len(jumps))
    assert [stream for group in joined for stream in group] == list(range(2 * count)), "each stream once, in order"
    assert len(joined) == len(jumps) <= count
    assert joined[1:] == stages[count - len(joined) + 1 :], "the last stages stay by themselves"
    assert jumps == before if evaluations >= 2 * count else jumps[1:] in ([], [1]), "masks have all but one"


def test_masks_are_drawn_together_where_evaluations_are_few() -> None:
    assert [jumps_of(3, n) for n in (1, 2, 3, 4, 6, 7)] == [[1], [1, 1], [2, 1], [3, 1], [2, 2, 2], [2, 2, 3]]
    assert [jumps_of(2, n) for n in (1, 2, 3, 4)] == [[1], [1, 1], [2, 1], [2, 2]]
    assert jumps_of(1, 3) == [3]
    assert [joined_stages([[2], [1], [0]], n) for n in (1, 2, 3)] == [[[2, 1, 0]], [[2, 1], [0]], [[2], [1], [0]]]


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("evaluations", [1, 2, 3, 4, 7])
def test_a_tile_costs_so_many_evaluations(sparse: bool, evaluations: int) -> None:
    model = model_of(sparse=sparse)
    tiles = model.decode(drawn(drawing_of(model, *jumps_of(2 + sparse, evaluations))))
    assert len(model.denoiser.asked) == evaluations
    assert (tiles.positions[..., :CELLS] == 2).all()
    assert (tiles.positions[..., CELLS:] == (-1 if sparse else 2)).all()


def test_progress_counts_evaluations() -> None:
    model, told = model_of(sparse=True), []
    noise = torch.randn(1, 14, CELLS, CELLS)
    drawing_of(model, 1, 1, 2).latents(noise, progress=lambda step, steps, estimate: told.append((step, steps)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_masks_drawn_together_with_where_they_say_something_are_known_to_images() -> None:
    model = model_of(sparse=True)
    drawn(drawing_of(model, 1, 1))
    first, second = model.denoiser.asked
    assert (first[:, [MASK, LABELLED]] > 0.9).all() and (first[:, MASK] < 1).all() and (first[:, IMAGE] == 1).all()
    assert (second[:, LABELLED] == 0).all() and (second[:, IMAGE] > 0.9).all() and (second[:, IMAGE] < 1).all()
    half = CELLS // 2
    assert (second[:, MASK, :, :half] == 0).all() and (second[:, MASK, :, half:] == 1).all()


def test_what_is_given_costs_nothing_and_stays() -> None:
    model = model_of(sparse=True)
    cells = torch.zeros(2, 3, CELLS, CELLS, dtype=torch.bool)
    cells[:, [MASK, LABELLED]] = True
    latents = model.denoiser.wanted.expand(2, -1, -1, -1) + 0.0
    found = drawn(drawing_of(model, 1, 1, 2), KnownLatents(latents, cells))
    assert len(model.denoiser.asked) == 2, "the image's two"
    assert torch.equal(found[:, 6:], latents[:, 6:])


@pytest.mark.parametrize("jumps", [(1,), (1, 1), (1, 1, 2), (3, 1)])
def test_masks_are_pulled_to_their_composition(jumps: tuple[int, ...]) -> None:
    """The network wants class 2 alone; half of class 0 is ordered."""
    model = model_of(sparse=True)
    # unsure, so that there is something to move
    model.denoiser.wanted[:, 6:10] *= 0.05
    noise = torch.randn(2, 14, CELLS, CELLS, generator=torch.Generator().manual_seed(1))
    rows = torch.tensor([[1.0, 0.0, 0.0]]).expand(2, 3)

    def share(strength: float) -> float:
        drawing = drawing_of(model, *jumps, composition_strength=strength)
        positions = model.decode(drawing.latents(noise, composition=rows)).positions
        return float((positions[positions >= 0] == 0).float().mean())

    assert share(1.0) > share(0.0) + 0.3
