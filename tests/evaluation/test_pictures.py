"""Pictures as an image network sees them: each distance rises with what is done to real tiles, and only then."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from specdm.errors import ConfigError, ModelError
from specdm.evaluation import METRICS, evaluate, networks
from specdm.evaluation.case import Case
from specdm.evaluation.composites import mask_pictures
from specdm.evaluation.looks import layer_groups
from specdm.evaluation.metrics import info_of
from specdm.evaluation.metrics_pictures import PICTURES
from specdm.evaluation.networks import load_network
from specdm.evaluation.picture_fidelity import judge_pictures
from specdm.evaluation.record import Evaluation
from specdm.scenes.plot import NODATA_GREY
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

SIZE = 32
WOODS, UNLABELLED = 14, -1


class Remembering(torch.nn.Module):
    """The default network, which looks at no batch twice, so that many tests may look at the same real tiles."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.seen = load_network("efficientnet-lite0", size=SIZE), {}

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        pictures = batch.numpy()
        key = hashlib.sha256(pictures.tobytes()).digest()
        if key not in self.seen:
            self.seen[key] = torch.from_numpy(self.network.features(pictures))
        return self.seen[key]


class Colours(torch.nn.Module):
    """A user's network: mean and spread of each colour."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert batch.shape[1:] == (3, SIZE, SIZE)
        assert 0 <= float(batch.min()) <= float(batch.max()) <= 1
        return torch.cat([batch.mean(dim=(2, 3)), batch.std(dim=(2, 3))], dim=1)


@pytest.fixture(scope="module")
def remembering() -> Remembering:
    return Remembering()


@pytest.fixture(scope="module")
def judged(pines, remembering):
    """Metrics after something was done to images and masks of the twins."""
    real, twin, shared = pines

    def judge(spoil=lambda images, masks: (images, masks), *, network=remembering, seed=0) -> Evaluation:
        images, masks = spoil(twin.images(), twin.masks())
        spoilt = TileSet.from_arrays(
            images=np.ascontiguousarray(images, np.float32), masks=masks.astype(np.int16), split="synthetic",
            source="model", **shared,
        )  # fmt: skip
        return judge_only(real, spoilt, network=network, seed=seed)

    return judge


def judge_only(real: TileSet, synthetic: TileSet, *, network, seed: int = 0) -> Evaluation:
    result = Evaluation()
    case = Case(synthetic, real, layers=layer_groups(real)[0], model=None, seed=seed, network=network)
    judge_pictures(result, case)
    return result


@pytest.fixture(scope="module")
def good(judged):
    return judged().metrics


def noise(strength):
    def spoil(images, masks):
        spread = images.std(axis=(0, 1, 3, 4), keepdims=True)
        return images + strength * spread * np.random.default_rng(1).normal(size=images.shape), masks

    return spoil


def blur(width):
    return lambda images, masks: (gaussian_filter(images, (0, 0, 0, width, width)), masks)


def tilt(strength):
    def spoil(images, masks):
        return images * (1 + strength * np.linspace(-1, 1, images.shape[2])[:, None, None]), masks

    return spoil


def test_twins_of_real_tiles_lie_where_real_tiles_lie(good):
    assert abs(good["synthetic.kid_rgb"]) < 0.05
    assert abs(good["synthetic.kid_mask"]) < 0.05
    for kind in ("rgb", "mask"):
        assert good[f"synthetic.frechet_{kind}"] < 0.2 * good[f"real.frechet_{kind}_floor"]
        assert good[f"synthetic.kid_{kind}"] < good[f"real.kid_{kind}_floor"]
    assert min(good[f"synthetic.{name}_rgb"] for name in ("precision", "recall", "coverage")) > 0.9
    # more than 1: twins show ground that overlaps with that of real tiles, which balls of real tiles leave out
    assert good["synthetic.density_rgb"] > 0.9
    assert good["real.coverage_rgb_floor"] <= good["synthetic.coverage_rgb"]


@pytest.mark.parametrize(
    ("weak", "strong"),
    [(noise(0.1), noise(0.3)), (blur(0.7), blur(1.5)), (tilt(0.2), tilt(0.4))],
    ids=["noise", "blur", "tilt"],
)
def test_spoilt_images_lie_farther_the_more_they_are_spoilt(judged, good, weak, strong):
    steps = [good, judged(weak).metrics, judged(strong).metrics]
    frechet, kid = ([step[f"synthetic.{name}_rgb"] for step in steps] for name in ("frechet", "kid"))
    assert frechet[1] > 1.5 * frechet[0]
    assert frechet[2] > 1.5 * frechet[1]
    assert kid[0] + 0.03 < kid[1] < kid[2] / 1.5
    assert steps[0]["synthetic.recall_rgb"] > steps[2]["synthetic.recall_rgb"] + 0.1
    for step in steps[1:]:
        assert step["synthetic.frechet_mask"] == good["synthetic.frechet_mask"]
        assert step["real.frechet_rgb_floor"] == good["real.frechet_rgb_floor"]


def test_shuffled_bands_are_seen(judged, good):
    order = np.random.default_rng(2).permutation(25)
    shuffled = judged(lambda images, masks: (images[:, :, order], masks)).metrics
    assert shuffled["synthetic.frechet_rgb"] > 5 * good["synthetic.frechet_rgb"]
    assert shuffled["synthetic.kid_rgb"] > good["synthetic.kid_rgb"] + 0.5


def test_dropped_kinds_of_ground_are_seen(judged, good):
    """Only the tiles with the most woods, each several times: all of them look real, most of the scene is missing."""

    def only(share):
        def spoil(images, masks):
            order = np.argsort((masks == WOODS).mean(axis=(1, 2, 3)), kind="stable")
            kept = np.resize(order[-int(share * len(order)) :], len(order))
            return images[kept], masks[kept]

        return spoil

    half, tenth = judged(only(0.5)).metrics, judged(only(0.1)).metrics
    for key in ("synthetic.frechet_rgb", "synthetic.frechet_mask", "synthetic.kid_rgb", "synthetic.kid_mask"):
        assert good[key] < half[key] < tenth[key]
    assert tenth["synthetic.frechet_rgb"] > 5 * good["synthetic.frechet_rgb"]
    assert tenth["synthetic.precision_rgb"] > 0.9
    assert good["synthetic.coverage_rgb"] >= half["synthetic.coverage_rgb"] > tenth["synthetic.coverage_rgb"]
    assert tenth["synthetic.coverage_rgb"] < 0.6 * good["synthetic.coverage_rgb"]


def test_salted_and_shuffled_masks_are_seen_and_only_there(judged, good):
    def salt(share):
        def spoil(images, masks):
            random = np.random.default_rng(3)
            other = random.integers(1, 17, masks.shape)
            return images, np.where(random.random(masks.shape) < share, other, masks)

        return spoil

    def shuffle(images, masks):
        flat = masks.reshape(len(masks), -1)
        return images, np.random.default_rng(4).permuted(flat, axis=1).reshape(masks.shape)

    little, much, shuffled = (judged(spoil).metrics for spoil in (salt(0.01), salt(0.05), shuffle))
    for name in ("frechet", "kid"):
        plain = good[f"synthetic.{name}_mask"]
        assert plain < little[f"synthetic.{name}_mask"] < much[f"synthetic.{name}_mask"] / 1.5
        assert shuffled[f"synthetic.{name}_mask"] > plain + 10 * abs(plain)
        assert shuffled[f"synthetic.{name}_rgb"] == good[f"synthetic.{name}_rgb"]


def test_intervals_hold_the_number_and_are_of_the_synthetic_tiles(judged):
    result = judged(noise(0.1))
    assert set(result.intervals) == {
        f"synthetic.{name}_{kind}" for name in ("frechet", "kid") for kind in ("rgb", "mask")
    }
    for key, (low, high) in result.intervals.items():
        assert low < result.metrics[key] < high


def test_the_record_names_what_the_numbers_are_of(judged):
    settings = judged(network="efficientnet-lite0").settings
    assert settings["picture network"] == "efficientnet-lite0, pictures 96 x 96 px, bilinear, (255 v - 127) / 128"
    assert "1280 features in 5 principal components of 85 real training tiles" in settings["frechet_rgb"]
    assert settings["picture tiles"] == "85 real training, 84 synthetic, seed 0"
    assert "one half of the training ground" in settings["picture floor"]
    assert "band" in settings["pictures rgb"]
    assert "class colours" in settings["pictures mask"]


def test_evaluate_judges_pictures_by_default_and_explains_each_number(real, twin):
    first, again = evaluate(twin(), real=real), evaluate(twin(), real=real)
    keys = set(PICTURES)
    assert keys <= set(first.metrics)
    assert all(METRICS[key].sentence for key in keys)
    assert {key for key in keys if METRICS[key].headline} == {"synthetic.frechet_rgb", "synthetic.frechet_mask"}
    # the same seed, the same numbers
    assert [first.metrics[key] for key in keys] == [again.metrics[key] for key in keys]
    assert first.intervals == again.intervals
    without = evaluate(twin(), real=real, network=None)
    assert "synthetic.frechet_rgb" not in without.metrics
    assert "picture network" not in without.settings


def test_a_network_of_the_users_own(judged, good):
    network = Colours().train()
    plain, brighter = (
        judged(spoil, network=network).metrics for spoil in (lambda i, m: (i, m), lambda i, m: (i * 1.1, m))
    )
    assert network.training
    assert brighter["synthetic.frechet_rgb"] > 3 * plain["synthetic.frechet_rgb"]
    assert plain["synthetic.frechet_rgb"] != good["synthetic.frechet_rgb"]


def test_networks_that_cannot_be_used_are_refused(judged, real, twin):
    with pytest.raises(ConfigError, match=r"'vgg'.*'efficientnet-lite0', 'inception'"):
        evaluate(twin(), real=real, network="vgg")
    with pytest.raises(ConfigError, match="type int"):
        evaluate(twin(), real=real, network=3)
    with pytest.raises(ModelError, match=r"Identity gave \(\d+, 3, 32, 32\)"):
        judged(network=torch.nn.Identity())


@pytest.mark.parametrize("name", ["efficientnet-lite0", "inception"])
def test_without_the_packages_one_note_says_how_to_get_them(judged, monkeypatch, name):
    found = networks.importlib.util.find_spec
    monkeypatch.setattr(
        networks.importlib.util, "find_spec", lambda n: None if n in networks.PACKAGES[name] else found(n)
    )
    if name == "inception":  # asked for by name, so it is missed before minutes are spent
        with pytest.raises(ConfigError, match=r'pip install "specdm\[inception\]"'):
            judged(network=name)
        return
    result = judged(network=name)
    assert not result.metrics
    assert len(result.notes) == 1
    assert 'pip install "specdm[fid]"' in result.notes[0]


def test_without_apart_ground_there_is_no_floor_and_a_note(pines, remembering):
    real, synthetic, _ = pines
    one_place = TileSet(real.dataset.assign_coords(window_y=("tile", np.zeros(len(real), np.int64)),
                                                   window_x=("tile", np.zeros(len(real), np.int64))))  # fmt: skip
    result = judge_only(one_place, synthetic, network=remembering)
    for key in ("frechet_rgb", "kid_rgb", "frechet_mask", "kid_mask", "coverage_rgb"):
        assert result.metrics[f"real.{key}_floor"] is None
        assert any(f"real.{key}_floor" in note and "share no ground" in note for note in result.notes)
    assert result.metrics["synthetic.frechet_rgb"] is not None


def test_held_out_tiles_are_the_floor_where_there_are_enough(pines):
    real, synthetic, _ = pines
    joined = TileSet.from_arrays(
        images=np.concatenate([real.images(), synthetic.images()]),
        masks=np.concatenate([real.masks(), synthetic.masks()]), classes=real.classes, wavelength=real.wavelength,
        split=[*real.split, *["test"] * len(synthetic)], source=[*["pines"] * len(real), *["other"] * len(synthetic)],
    )  # fmt: skip
    result = judge_only(joined, synthetic, network=Colours())
    assert "validation and test tiles against training tiles, 84 against 84" in result.settings["picture floor"]
    # the held-out tiles are the synthetic ones here
    assert result.metrics["real.frechet_rgb_floor"] == pytest.approx(result.metrics["synthetic.frechet_rgb"], rel=0.3)


def test_dates_have_numbers_of_their_own_and_the_plain_one_is_their_mean(pines):
    real, synthetic, shared = pines

    def two_dates(tiles, split, later):
        images = tiles.images()
        return TileSet.from_arrays(
            images=np.concatenate([images, images * later], axis=1), masks=np.repeat(tiles.masks(), 2, axis=1),
            dates=["2020", "2021"], layers=["2020", "2021"], split=split, source="pines", **shared,
        )  # fmt: skip

    result = judge_only(two_dates(real, "train", 1.0), two_dates(synthetic, "synthetic", 1.2), network=Colours())
    metrics = result.metrics
    first, second = (metrics[f"synthetic.frechet_rgb [{date}]"] for date in (2020, 2021))
    assert second > 5 * first
    assert metrics["synthetic.frechet_rgb"] == pytest.approx((first + second) / 2)
    assert metrics["synthetic.frechet_mask [2020]"] == pytest.approx(metrics["synthetic.frechet_mask"])
    assert metrics["synthetic.coverage_rgb [2021]"] < metrics["synthetic.coverage_rgb [2020]"]
    assert info_of("synthetic.frechet_rgb [2021]").title == "Fréchet distance of images (2021)"
    assert "synthetic.kid_rgb [2020]" in result.intervals


@pytest.mark.parametrize("sum_to_one", [True, False])
def test_quantities_without_classes_are_drawn_too(pines, sum_to_one):
    real, synthetic, shared = pines
    names = Quantities.create(["tree", "soil", "water"], sum_to_one=sum_to_one)

    def amounts_of(tiles, mixing):
        shown = tiles.images()[:, 0, [5, 12, 20]]
        shown = shown / shown.sum(axis=1, keepdims=True)
        mixed = (1 - mixing) * shown + mixing * np.roll(shown, 1, axis=1)
        return mixed if sum_to_one else 40 * mixed - 3

    def with_amounts(tiles, split, mixing=0.0):
        amounts = amounts_of(tiles, mixing).astype(np.float32)
        amounts[:, :, 0, 0] = np.nan
        return TileSet.from_arrays(
            images=tiles.images(), amounts=amounts, quantities=names, wavelength=shared["wavelength"], split=split,
            source="pines",
        )  # fmt: skip

    train = with_amounts(real, "train")
    drawn = mask_pictures(train).draw(train, np.arange(5))
    assert drawn.shape == (1 if sum_to_one else 3, 5, 3, SIZE, SIZE)
    assert 0 <= drawn.min() < drawn.max() <= 1
    np.testing.assert_array_equal(drawn[..., 0, 0], np.float32(NODATA_GREY))
    plain, little, much = (
        judge_only(train, with_amounts(synthetic, "synthetic", mixing), network=Colours()).metrics[
            "synthetic.frechet_mask"
        ]
        for mixing in (0.0, 0.2, 0.6)
    )
    assert plain < little < much / 2


def test_tiles_without_masks_are_judged_by_their_images_alone(pines):
    real, synthetic, shared = pines
    bare = [
        TileSet.from_arrays(images=tiles.images(), masks=np.full_like(tiles.masks(), UNLABELLED), split=split,
                            source="pines", wavelength=shared["wavelength"])
        for tiles, split in ((real, "train"), (synthetic, "synthetic"))
    ]  # fmt: skip
    metrics = judge_only(*bare, network=Colours()).metrics
    assert metrics["synthetic.frechet_rgb"] is not None
    assert not any("mask" in key for key in metrics)
