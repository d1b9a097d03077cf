"""One training step of the denoiser: what counts in the loss and what the network is shown."""

from __future__ import annotations

import pytest
import torch

from specdm.errors import TrainingError
from specdm.models.denoiser import JointDenoiser
from specdm.models.joint_model import EncodedTiles
from specdm.models.streams import streams_of
from specdm.training.averaged_training import stream_weights
from specdm.training.config import load_config
from specdm.training.denoiser_training import DenoiserTraining, tile_chances
from specdm.training.tile_tensors import LatentTiles

CHANNELS = (3, 2)


def latent_tiles(known_masks: torch.Tensor | None = None) -> LatentTiles:
    """Six tiles of 8 x 8 cells, the right half of the masks not labelled."""
    random = torch.Generator().manual_seed(0)
    known = torch.ones(6, 2, 8, 8)
    known[:, 1, :, 4:] = 0
    known = known if known_masks is None else known_masks
    latents = torch.randn(6, sum(CHANNELS), 8, 8, generator=random)
    return LatentTiles(EncodedTiles(latents, known), torch.full((6, 3), 1 / 3), torch.ones(3) / 3)


class Watched(DenoiserTraining):
    """Notes what the network is shown."""

    def __init__(self, tiles: LatentTiles, *, importance: list[torch.Tensor] | None = None, **options: object):
        torch.manual_seed(0)
        overrides = {f"denoiser.{key}": value for key, value in options.items()}
        super().__init__(
            denoiser=JointDenoiser(CHANNELS, 3, widths=(16, 16), layers=1, head_channels=16),
            streams=streams_of(dates=[0], layers=["class"]),
            tiles=tiles,
            config=load_config(overrides={"denoiser.batch_size": 4, **overrides}).denoiser,
            seed=0,
            importance=importance or [torch.ones(count) for count in CHANNELS],
        )
        self.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
        self.shown: list[tuple[torch.Tensor, ...]] = []
        self.denoiser.register_forward_pre_hook(lambda module, inputs: self.shown.append(inputs))

    @property
    def global_step(self) -> int:
        return self.number

    def step(self, number: int = 0) -> float:
        self.number = number
        return float(self.training_step(None, 0).detach())


def with_other_latents(tiles: LatentTiles, where: torch.Tensor) -> LatentTiles:
    by_channel = where.repeat_interleave(torch.tensor(CHANNELS), dim=1)
    latents = torch.where(by_channel, 1000.0, tiles.encoded.latents)
    return LatentTiles(EncodedTiles(latents, tiles.encoded.known), tiles.compositions, tiles.shares)


def test_unlabelled_cells_have_level_1_and_no_loss() -> None:
    tiles = latent_tiles()
    unknown = tiles.encoded.known == 0
    for number in range(6):
        first, second = Watched(tiles), Watched(with_other_latents(tiles, unknown))
        assert first.step(number) == second.step(number)
        noisy, levels, _ = first.shown[0]
        assert (levels[:, 1, :, 4:] == 1).all()
        torch.testing.assert_close(noisy, second.shown[0][0])
        assert noisy.abs().max() < 100


def test_labelled_cells_have_loss() -> None:
    tiles = latent_tiles()
    for stream in range(2):
        some = torch.zeros(6, 2, 8, 8, dtype=torch.bool)
        some[:, stream, :, :4] = True
        assert Watched(tiles).step() != Watched(with_other_latents(tiles, some)).step()


def test_known_cells_are_shown_without_noise_and_have_no_loss() -> None:
    tiles = latent_tiles()
    shares = dict.fromkeys(("shared", "one_unknown", "independent", "area_known", "stages"), 0) | {"one_known": 1}
    module = Watched(tiles, patterns=shares)

    def far_off_where_known(noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor) -> torch.Tensor:
        return torch.where(levels.repeat_interleave(torch.tensor(CHANNELS), dim=1) == 0, 1e6, 0.0)

    module.denoiser.forward = far_off_where_known  # type: ignore[method-assign]
    loss = module.step()
    noisy, levels, _ = module.shown[0]
    clean = (levels == 0).repeat_interleave(torch.tensor(CHANNELS), dim=1)
    assert clean.any()
    assert set(noisy[clean].tolist()) <= set(tiles.encoded.latents.flatten().tolist())
    # a velocity of unknown cells is noise - latent: mean square 2 whatever the level
    assert loss == pytest.approx(2.0, rel=0.25)


def test_images_beside_nothing_at_all_are_not_told_the_composition() -> None:
    """That is what guidance leads away from; a mask beside an unknown image is told it."""
    shares = dict.fromkeys(("shared", "one_known", "independent", "area_known", "stages"), 0) | {"one_unknown": 1}
    module = Watched(latent_tiles(torch.ones(6, 2, 8, 8)), patterns=shares, composition_dropout=0.0, batch_size=32)
    module.step()
    _, levels, composition = module.shown[0]
    bare = (levels[:, 1] == 1).all(dim=(1, 2))
    assert bare.any() and not bare.all()
    assert composition[bare].isnan().all() and composition[~bare].isfinite().all()


def test_nothing_labelled_at_all_still_trains_on_images() -> None:
    known = torch.ones(6, 2, 8, 8)
    known[:, 1] = 0
    loss = Watched(latent_tiles(known)).step()
    assert 0 < loss < 10


def test_noise_has_the_spectrum_that_it_was_given() -> None:
    """Neighbours of the image's noise are alike as those of the latents are; those of the mask's are not."""
    shares = dict.fromkeys(("one_known", "one_unknown", "independent", "area_known", "stages"), 0) | {"shared": 1}
    module = Watched(latent_tiles(torch.ones(6, 2, 8, 8)), batch_size=64, patterns=shares)
    denoiser = JointDenoiser(CHANNELS, 3, widths=(16, 16), layers=1, head_channels=16, noise_reach=3)
    smooth = torch.randn(200, sum(CHANNELS), 12, 12, generator=torch.Generator().manual_seed(1))
    smooth = 5 * torch.nn.functional.avg_pool2d(smooth, 5, stride=1)
    denoiser.fit_noise(smooth, torch.ones(200, 2, 8, 8), streams=[0])
    module.denoiser = denoiser
    denoiser.register_forward_pre_hook(lambda _, inputs: module.shown.append(inputs))
    module._tiles.encoded.latents.zero_()
    module.step()
    noisy, levels, _ = module.shown[0]
    noise = noisy / levels.repeat_interleave(torch.tensor(CHANNELS), dim=1)
    alike = (noise[..., 1:] * noise[..., :-1]).mean(dim=(0, 2, 3)) / noise.square().mean(dim=(0, 2, 3))
    assert alike[:3].tolist() == pytest.approx([0.8] * 3, abs=0.1)
    assert alike[3:].tolist() == pytest.approx([0.0] * 2, abs=0.1)


def test_a_step_draws_from_its_number_alone() -> None:
    tiles = latent_tiles()
    one = Watched(tiles)
    again = Watched(tiles)
    again.step(1)
    assert one.step(5) == again.step(5) != one.step(6)


def test_composition_is_dropped_as_often_as_asked() -> None:
    tiles = latent_tiles()
    shares = dict.fromkeys(("one_known", "one_unknown", "independent", "area_known", "stages"), 0) | {"shared": 1}
    for share in (0.0, 1.0):
        module = Watched(tiles, composition_dropout=share, patterns=shares)
        module.step()
        assert module.shown[0][2].isnan().float().mean() == share


def test_mask_weight() -> None:
    """With a zero network the loss is the weighted mean of both streams' errors."""
    tiles = latent_tiles()
    far = torch.zeros(6, 2, 8, 8, dtype=torch.bool)
    far[:, 1, :, :4] = True
    light, heavy = (Watched(with_other_latents(tiles, far), mask_loss_weight=w) for w in (0.1, 10.0))
    assert heavy.step() > 5 * light.step()


def test_few_labels_count_as_much_as_many_pixels() -> None:
    """A mask known in one cell only: its error has the weight of the whole mask."""
    known = torch.ones(6, 2, 8, 8)
    known[:, 1] = 0
    known[:, 1, 0, 0] = 1
    tiles = latent_tiles(known)
    one = torch.zeros(6, 2, 8, 8, dtype=torch.bool)
    one[:, 1, 0, 0] = True
    steps = range(4)
    plain = sum(Watched(tiles).step(number) for number in steps)
    far = sum(Watched(with_other_latents(tiles, one)).step(number) for number in steps)
    assert far > 1000 * plain, "1000² in one of two equal parts, where its level is not 0"


def test_latents_that_matter_more_count_more() -> None:
    tiles = latent_tiles()
    latents = tiles.encoded.latents.clone()
    latents[:, 0] = 1000.0
    far = LatentTiles(EncodedTiles(latents, tiles.encoded.known), tiles.compositions, tiles.shares)
    light, heavy = (
        Watched(far, importance=[torch.tensor([first, 1.0, 1.0]), torch.ones(2)]) for first in (0.1, 2.0)
    )
    assert heavy.step() == pytest.approx(20 * light.step(), rel=0.01)


def test_images_and_masks_have_equal_weight_whatever_their_channels() -> None:
    streams = streams_of(dates=["a", "b"], layers=["change"])
    weights = stream_weights(streams, (16, 16, 4), mask_loss_weight=1.0)
    assert weights == pytest.approx([0.5, 0.5, 1.0])
    sparse = streams_of(dates=["a"], layers=["crop", "soil"], sparse=["soil"])
    weights = stream_weights(sparse, (16, 12, 4, 4), mask_loss_weight=2.0)
    assert weights == pytest.approx([1.0, 1.5, 0.5, 1.0])


def test_levels_of_a_mask_do_not_tell_where_it_is_labelled_before_that_is_known() -> None:
    random = torch.Generator().manual_seed(0)
    known = torch.ones(6, 3, 8, 8)
    known[:, 1, :, 4:] = 0
    tiles = LatentTiles(
        EncodedTiles(torch.randn(6, 7, 8, 8, generator=random), known), torch.full((6, 3), 1 / 3), torch.ones(3) / 3
    )
    torch.manual_seed(0)
    module = Watched.__new__(Watched)
    DenoiserTraining.__init__(
        module,
        denoiser=JointDenoiser((3, 2, 2), 3, widths=(16, 16), layers=1, head_channels=16),
        streams=streams_of(dates=[0], layers=["class"], sparse=["class"]),
        tiles=tiles,
        config=load_config(overrides={"denoiser.batch_size": 64}).denoiser,
        seed=0,
        importance=[torch.ones(count) for count in (3, 2, 2)],
    )
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    shown: list[tuple[torch.Tensor, ...]] = []
    module.denoiser.register_forward_pre_hook(lambda _, inputs: shown.append(inputs))
    module.step()
    _, levels, _ = shown[0]
    told = levels[:, 2] == 0
    assert (levels[:, 1][~told] == 1).all() and told.any() and not told.all()
    assert (levels[:, 1, :, :4] < 1).any() and (levels[:, 1, :, 4:] == 1).all()


def test_a_network_for_masks_has_a_lesson_and_a_rate_of_its_own() -> None:
    torch.manual_seed(0)
    module = Watched.__new__(Watched)
    DenoiserTraining.__init__(
        module,
        denoiser=JointDenoiser(
            CHANNELS, 3, widths=(16, 16), layers=1, head_channels=16, mask_streams=(1,), mask_widths=(16, 16)
        ),
        streams=streams_of(dates=[0], layers=["class"]),
        tiles=latent_tiles(torch.ones(6, 2, 8, 8)),
        config=load_config(overrides={"denoiser.batch_size": 64, "denoiser.mask_batch_size": 32}).denoiser,
        seed=0,
        importance=[torch.ones(count) for count in CHANNELS],
    )
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    shown: list[tuple[torch.Tensor, ...]] = []
    module.denoiser.register_forward_pre_hook(lambda _, inputs: shown.append(inputs))
    module.number = 0
    module.training_step(None, 0).backward()
    (joint, alone), options = (levels for _, levels, _ in shown), module.configure_optimizers().param_groups
    assert len(joint) == 64 and len(alone) == 32
    assert (alone[:, 0] == 1).all() and ((alone[:, 1] > 0) & (alone[:, 1] < 1)).any(dim=(1, 2)).sum() > 20
    on_the_way = (joint[:, 1] > 0) & (joint[:, 1] < 1) & (joint[:, 0] == 1)
    assert on_the_way.float().mean() < 0.1, "what the other network is for"
    assert all(part.grad is not None and part.grad.isfinite().all() for part in module.denoiser.parameters())
    kinds = sorted((group["times"], group["orthogonal"]) for group in options)
    assert kinds == [(1.0, False), (1.0, True), (2.0, False), (2.0, True)]
    named = {id(weight): name for name, weight in module.denoiser.named_parameters()}
    turned = [named[id(weight)] for group in options if group["orthogonal"] for weight in group["params"]]
    inner = "unet.mid_block.resnets.0.conv1.weight"
    assert inner in turned and f"masks_alone.{inner}" in turned
    assert not any("conv_in" in name or "embeddings" in name or name.endswith("bias") for name in turned)
    assert module._weights == pytest.approx([1.0, 0.2]), "few tiles of a step show masks beside images"
    assert sum(len(group["params"]) for group in options) == len(list(module.denoiser.parameters()))


def lesson_levels(names: list[str], images: int, known: torch.Tensor) -> list[torch.Tensor]:
    """Levels that a step shows each network; one channel a stream, `images` first."""
    torch.manual_seed(0)
    streams = streams_of(dates=list(range(images)), layers=names, sparse=names)
    masks, n = tuple(range(images, len(streams))), len(streams)
    tiles = LatentTiles(EncodedTiles(torch.randn(6, n, 8, 8), known), torch.full((6, 3), 1 / 3), torch.ones(3) / 3)
    module = Watched.__new__(Watched)
    DenoiserTraining.__init__(
        module,
        denoiser=JointDenoiser(
            (1,) * n, 3, widths=(16, 16), layers=1, head_channels=16, mask_streams=masks, mask_widths=(16, 16)
        ),
        streams=streams,
        tiles=tiles,
        config=load_config(overrides={"denoiser.batch_size": 256, "denoiser.mask_batch_size": 256}).denoiser,
        seed=0,
        importance=[torch.ones(1)] * n,
    )
    module.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    shown: list[torch.Tensor] = []
    module.denoiser.register_forward_pre_hook(lambda _, inputs: shown.append(inputs[1]))
    module.step()
    return shown


def test_masks_beside_one_of_two_dates_are_learnt_and_hardly_any_beside_none() -> None:
    """What `known=["image 2000"]` asks of the network that is not for masks by themselves."""
    joint, _ = lesson_levels(["class"], 2, torch.ones(6, 4, 8, 8))
    dates, mask = joint[:, :2], joint[:, 2]
    on_the_way = ((mask > 0) & (mask < 1)).flatten(1).any(dim=1)
    one_known = ((dates == 0).flatten(2).all(dim=2).sum(dim=1) == 1) & ((dates == 1).flatten(2).all(dim=2).any(dim=1))
    assert (on_the_way & one_known).sum() > 8
    assert (dates == 1).flatten(1).all(dim=1).sum() == 0


def test_a_layer_beside_another_that_is_known_is_learnt() -> None:
    _, alone = lesson_levels(["2000", "2003"], 1, torch.ones(6, 5, 8, 8))
    one, other = alone[:, 1], alone[:, 2]
    apart = [((a == 0) & (b > 0) & (b < 1)).flatten(1).any(dim=1).sum() for a, b in ((one, other), (other, one))]
    assert min(apart) > 2


def test_imagery_without_labels_teaches_nothing_about_masks() -> None:
    known = torch.zeros(6, 3, 8, 8)
    known[:, 0] = 1
    known[0, 1:] = 1
    _, alone = lesson_levels(["class"], 1, known)
    taught = ((alone[:, 1:] > 0) & (alone[:, 1:] < 1)).flatten(1).any(dim=1)
    assert taught.float().mean() > 0.85


def test_labelled_tiles_are_drawn_more_often() -> None:
    streams = streams_of(dates=[0], layers=["class"])
    known = torch.ones(4, 2, 8, 8)
    known[1:, 1] = 0
    assert tile_chances(streams, known).tolist() == pytest.approx([2.5, 0.5, 0.5, 0.5])
    assert tile_chances(streams, torch.ones(3, 2, 8, 8)).tolist() == pytest.approx([1, 1, 1])


def test_a_loss_that_is_not_finite_stops() -> None:
    tiles = latent_tiles()
    tiles.encoded.latents[:] = float("nan")
    with pytest.raises(TrainingError, match=r"nan at step 3; lower denoiser.learning_rate") as error:
        Watched(tiles).step(3)
    assert "\n" not in str(error.value)


def test_average_weights_lag_behind() -> None:
    module = Watched(latent_tiles(), ema_decay=0.9)
    module.average.update_parameters(module.denoiser)
    for parameter in module.denoiser.parameters():
        parameter.data.add_(1.0)
    before = [p.clone() for p in module.averaged_denoiser().parameters()]
    module.average.update_parameters(module.denoiser)
    for old, new in zip(before, module.averaged_denoiser().parameters(), strict=True):
        moved = (new - old).mean()
        assert 0.05 < moved < 0.95
