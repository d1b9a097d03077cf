"""The joint model draws stage by stage: what is known, unknown and on its way at each."""

from __future__ import annotations

import pytest
import torch

from specdm.models.denoiser import JointDenoiser
from specdm.models.drawing import Drawing
from specdm.models.image_codec import ImageCodec
from specdm.models.joint_model import JointModel
from specdm.models.mask_codec import MaskCodec
from specdm.models.solver import NOISIEST
from specdm.models.streams import image_and_mask_streams, masks_with_gaps, stage_shifts, stages_of, streams_of

BANDS, CLASSES, CELLS, STEPS = 5, 3, 4, 4
IMAGE, MASK, LABELLED = range(3)


class Scripted(JointDenoiser):
    """Leads every stream straight to a wanted latent, and notes what it was asked."""

    wanted: torch.Tensor

    def forward(self, noisy, levels, composition=None):  # type: ignore[override]
        self.asked.append((levels.clone(), composition, noisy.clone()))
        t = levels.repeat_interleave(torch.tensor(self.stream_channels), dim=1).clamp(min=1e-3)
        return (noisy - self.wanted) / t


@pytest.fixture
def model() -> JointModel:
    """Wants the left half of the ground labelled, class 2 everywhere, and images of one value."""
    torch.manual_seed(0)
    streams = streams_of(dates=[0], layers=["class"], sparse=["class"])
    codecs = {
        "image_codec": ImageCodec(BANDS, components=4, latent_channels=6, width=8, blocks=0),
        "mask_codec": MaskCodec(CLASSES, latent_channels=4, width=8, blocks=0),
        "labelled_codec": MaskCodec(2, latent_channels=4, width=8, blocks=0),
    }
    denoiser = Scripted((6, 4, 4), CLASSES, widths=(16, 16), layers=1, head_channels=16)
    denoiser.asked = []
    model = JointModel(streams=streams, codecs=codecs, denoiser=denoiser).eval()
    left = torch.zeros(1, 2 * CELLS, 2 * CELLS, dtype=torch.int64)
    left[:, :, :CELLS] = 1
    parts = [
        torch.full((1, 6, CELLS, CELLS), 0.5),
        codecs["mask_codec"].encode(torch.full_like(left, 2)),
        codecs["labelled_codec"].encode(left),
    ]
    denoiser.wanted = torch.cat(parts, dim=1).detach()
    return model


def drawn(model: JointModel, **options: object) -> torch.Tensor:
    noise = torch.randn(2, 14, CELLS, CELLS, generator=torch.Generator().manual_seed(1))
    rows = torch.full((2, CLASSES), 1 / 3)
    progress = options.pop("progress", None)
    drawing = Drawing(model, steps=STEPS, image_shift=2.0, mask_shift=1.0, **options)
    return drawing.latents(noise, composition=rows, progress=progress)


def test_each_stage_knows_what_came_before_and_not_what_comes(model) -> None:
    drawn(model)
    assert len(model.denoiser.asked) == 3 * STEPS
    first, second, third = (model.denoiser.asked[i * STEPS][0] for i in range(3))
    assert (first[:, LABELLED] == torch.tensor(NOISIEST)).all() and (first[:, [IMAGE, MASK]] == 1).all()
    left, right = slice(0, CELLS // 2), slice(CELLS // 2, None)
    assert (second[:, LABELLED] == 0).all() and (second[:, IMAGE] == 1).all()
    assert (second[:, MASK, :, left] == torch.tensor(NOISIEST)).all()
    assert (second[:, MASK, :, right] == 1).all(), "where nothing is labelled there is nothing to draw"
    assert (third[:, IMAGE] == torch.tensor(NOISIEST)).all() and (third[:, LABELLED] == 0).all()
    assert (third[:, MASK, :, left] == 0).all() and (third[:, MASK, :, right] == 1).all()


def test_tiles_are_what_the_network_leads_to(model) -> None:
    tiles = model.decode(drawn(model))
    assert (tiles.positions[..., :CELLS] == 2).all() and (tiles.positions[..., CELLS:] == -1).all()


def test_images_are_drawn_beside_masks_as_they_will_be_decoded(model) -> None:
    """Not beside latents as they came out, which lie off what the codec gives."""
    model.denoiser.wanted[:, 6:10] *= 0.7
    latents = drawn(model)
    beside = model.denoiser.asked[-1][2][:, 6:10]
    positions = model.decode(latents).positions[:, 0]
    torch.testing.assert_close(beside, model.codecs["mask_codec"].encode(positions))


def test_guidance_asks_once_more_without_the_others_and_without_the_composition(model) -> None:
    drawn(model, guidance=0.5)
    asked = model.denoiser.asked
    assert len(asked) == STEPS + 2 * STEPS + 2 * STEPS, "of where there are labels there is nothing to be guided by"
    (joint, told, _), (alone, nothing, _) = asked[3 * STEPS : 3 * STEPS + 2]
    assert told is not None and nothing is None
    assert torch.equal(joint[:, IMAGE], alone[:, IMAGE])
    assert (alone[:, [MASK, LABELLED]] == 1).all() and not (joint[:, [MASK, LABELLED]] == 1).all()


def test_masks_and_images_together_have_one_level(model) -> None:
    drawn(model, masks_first=False, guidance=0.5)
    asked = [levels for levels, _, _ in model.denoiser.asked]
    assert len(asked) == STEPS + 3 * STEPS, "guided towards each other: once more for each side"
    for levels in asked[STEPS::3]:
        assert (levels[:, LABELLED] == 0).all()
        assert torch.equal(levels[:, MASK, :, 0], levels[:, IMAGE, :, 0]) and 0 < levels[0, IMAGE, 0, 0] < 1


def test_progress_counts_the_steps_of_all_stages(model) -> None:
    told: list[tuple[int, int]] = []
    drawn(model, progress=lambda step, steps, estimate: told.append((step, steps)))
    assert told == [(i + 1, 3 * STEPS) for i in range(3 * STEPS)]


def test_stages_of_every_kind_of_task() -> None:
    sparse = streams_of(dates=["a", "b"], layers=["change"], sparse=["change"])
    assert stages_of(sparse) == [[3], [2], [0, 1]]
    assert stages_of(sparse, masks_first=False) == [[3], [0, 1, 2]]
    assert masks_with_gaps(sparse) == [(2, 3)]
    assert image_and_mask_streams(sparse) == [[0, 1], [2, 3]]
    assert stage_shifts(sparse, stages_of(sparse), image=2.0, mask=1.0) == [1.0, 1.0, 2.0]
    assert stage_shifts(sparse, stages_of(sparse, masks_first=False), image=2.0, mask=1.0) == [1.0, 2.0]
    assert stages_of(streams_of(dates=[0], quantities=["height", "age"])) == [[1, 2], [0]]
    assert stages_of(streams_of(dates=[0])) == [[0]]
    several = streams_of(dates=[0], layers=["a", "b"], sparse=["b"])
    assert stages_of(several) == [[3], [1, 2], [0]] and masks_with_gaps(several) == [(2, 3)]
