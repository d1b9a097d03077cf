"""The same training and sampling for every task: only the streams differ."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tile_equality import assert_same_images

from specdm.errors import ModelError, TrainingError
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.synthesis.fit import train_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.synthesis.reading_masks import GIVEN_VIEWS
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config

SIZE, BANDS = 16, 6
CHANGE = Classes.create([0, 1], ["unchanged", "changed"])
COVER = Classes.create([2, 5, 7], ["grass", "soil", "water"])


def fields(n: int, seed: int, values: int) -> np.ndarray:
    """Blocks of 8 x 8 px with a number each, `(n, 16, 16)`."""
    drawn = np.random.default_rng(seed).integers(0, values, (n, 2, 2))
    return drawn.repeat(8, axis=1).repeat(8, axis=2)


def pictures(cover: np.ndarray, seed: int, bands: int = BANDS) -> np.ndarray:
    """Spectra of cover 0, 1, 2, `(n, bands, 16, 16)`."""
    spectra = np.random.default_rng(7).uniform(100, 3000, (3, bands))
    noise = np.random.default_rng(seed).normal(0, 20, (len(cover), bands, SIZE, SIZE))
    return (np.moveaxis(spectra[cover], -1, 1) + noise).astype(np.float32)


def rough(shape: tuple[int, ...]) -> np.ndarray:
    """What makes no two pixels alike, of spread 1."""
    return np.random.default_rng(9).normal(0, 1, shape)


def stirred(share: np.ndarray) -> np.ndarray:
    """Abundances of which no two pixels have the same."""
    other = np.exp(rough(share.shape))
    return (0.9 * share + 0.1 * other / other.sum(axis=1, keepdims=True)).astype(np.float32)


def made(task: str, n: int = 12) -> TileSet:
    before, after = fields(n, 1, 3), fields(n, 2, 3)
    first, second = pictures(before, 3), pictures(after, 4)
    both = np.stack([first, second], axis=1)
    common = {"split": "train", "source": "made", "window_y": np.arange(n) * SIZE, "window_x": 0, "image_units": "DN"}
    wavelength = np.linspace(450, 900, BANDS)
    if task == "change":
        changed = (before != after).astype(np.int16)[:, None]
        return TileSet.from_arrays(
            images=both, masks=changed, classes=CHANGE, dates=["2000", "2003"], layers=["change"],
            wavelength=wavelength, **common,
        )  # fmt: skip
    if task == "semantic change":
        masks = COVER.values_of(np.stack([before, after], axis=1))
        return TileSet.from_arrays(
            images=both, masks=masks, classes=COVER, dates=["2000", "2003"], layers=["2000", "2003"],
            wavelength=wavelength, **common,
        )  # fmt: skip
    if task == "time series":
        images = np.stack([pictures(before, seed) for seed in range(3)], axis=1)
        return TileSet.from_arrays(
            images=images, masks=COVER.values_of(before)[:, None], classes=COVER, dates=[0, 1, 2], **common
        )
    if task == "two sensors":
        gap = np.full((n, 1, 2, SIZE, SIZE), np.nan, np.float32)
        radar = pictures(after, 5, bands=2)[:, None]
        optical = np.concatenate([first[:, None], gap], axis=2)
        second = np.concatenate([np.full_like(both[:, :1], np.nan), radar], axis=2)
        images = np.concatenate([optical, second], axis=1)
        return TileSet.from_arrays(
            images=images, masks=(before != after).astype(np.int16)[:, None], classes=CHANGE, layers=["change"],
            dates=["a", "b"], band_sensor=[0] * BANDS + [1, 1], date_sensor=[0, 1], **common,
        )  # fmt: skip
    if task == "abundances":
        share = np.stack([before == i for i in range(3)], axis=1).astype(np.float32)
        return TileSet.from_arrays(
            images=first[:, None], masks=None, classes=None, amounts=stirred(0.8 * share + 0.2 / 3),
            quantities=Quantities.create(["tree", "soil", "water"], sum_to_one=True), **common,
        )  # fmt: skip
    heights = (10.0 + 5 * before[:, None] + rough(before[:, None].shape)).astype(np.float32)
    heights[0, :, :5] = np.nan
    return TileSet.from_arrays(
        images=first[:, None], masks=None, classes=None, amounts=heights,
        quantities=Quantities.create(["height"], units="m"), **common,
    )  # fmt: skip


TASKS = ("change", "semantic change", "time series", "two sensors", "abundances", "height")


@pytest.fixture(scope="module", params=TASKS)
def tiles(request: pytest.FixtureRequest) -> TileSet:
    return made(request.param)


@pytest.fixture(scope="module")
def run(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("task") / "run"


@pytest.fixture(scope="module")
def trained(tiles: TileSet, run: Path, little_settings: dict) -> SpecDMPipeline:
    config = load_config(overrides={**little_settings, "codec.steps": 20, "denoiser.steps": 20})
    return train_run(run, tiles=tiles, config=config, show_progress=False)


def test_losses_of_all_codecs_are_written(run: Path, trained: SpecDMPipeline) -> None:
    with (run / "log" / "metrics.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["stage"] == "codec")
    kinds = {f"{codec.rpartition('_codec')[0]}_codec_loss" for codec in trained.model.codecs}
    assert {name for name, value in row.items() if name.endswith("codec_loss") and value} == kinds


def test_synthetic_tiles_have_the_layout_of_real_ones(tiles: TileSet, trained: SpecDMPipeline) -> None:
    new = trained.sample(3, seed=1)
    for what in ("task", "dates", "layers", "quantities", "classes", "band_name", "image_units", "date_sensor"):
        assert getattr(new, what) == getattr(tiles, what), what
    for date in range(tiles.n_dates):
        np.testing.assert_array_equal(new.bands_of(date), tiles.bands_of(date))
        own = np.isfinite(new.images()[:, date]).all(axis=(0, 2, 3))
        np.testing.assert_array_equal(np.flatnonzero(own), tiles.bands_of(date))
    assert (new.masks() >= 0).all() and np.isfinite(new.amounts()).all()
    assert new.masks().shape == (3, *tiles.masks().shape[1:])
    assert new.amounts().shape == (3, *tiles.amounts().shape[1:])


def test_a_tile_depends_on_seed_and_number_alone(trained: SpecDMPipeline) -> None:
    whole, part = trained.sample(5, seed=2, batch_size=5), trained.sample(2, seed=2, first=3, batch_size=1)
    assert_same_images(part.images(), whole.images()[3:])
    assert (part.masks() != whole.masks()[3:]).sum() <= 1
    np.testing.assert_allclose(part.amounts(), whole.amounts()[3:], atol=1e-3)
    assert np.nanmax(np.abs(trained.sample(2, seed=3).images() - whole.images()[:2])) > 0


def test_saved_and_loaded_it_draws_the_same(trained: SpecDMPipeline, tmp_path: Path) -> None:
    again = SpecDMPipeline.from_pretrained(trained.save_pretrained(tmp_path / "model"))
    first, second = trained.sample(2, seed=4), again.sample(2, seed=4)
    assert_same_images(second.images(), first.images())
    assert (first.masks() != second.masks()).sum() <= 1
    np.testing.assert_allclose(first.amounts(), second.amounts(), atol=1e-3)


def test_scenes_are_drawn_and_extended(tiles: TileSet, trained: SpecDMPipeline, tmp_path: Path) -> None:
    scene = trained.sample_scene(path=tmp_path / "s.nc", height=20, width=24, steps=2)
    for what in ("task", "dates", "layers", "quantities", "classes", "band_name", "units", "date_sensor"):
        theirs = tiles.image_units if what == "units" else getattr(tiles, what)
        np.testing.assert_array_equal(getattr(scene, what), theirs, err_msg=what)
    larger = trained.sample_scene(path=tmp_path / "l.nc", known_scene=scene, margin=(4, 0, 0, 6), steps=2)
    for of in (lambda scene, *window: scene.window(*window)[0], lambda scene, *window: scene.window(*window)[1],
               lambda scene, *window: scene.amount_window(*window)):  # fmt: skip
        before, after = of(scene, 0, 0, 20, 24), of(larger, 4, 6, 20, 24)
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(after, before)
    for date in range(tiles.n_dates):
        own = np.isfinite(larger.window(0, 0, 24, 30)[0][date]).all(axis=(1, 2))
        np.testing.assert_array_equal(np.flatnonzero(own), tiles.bands_of(date))
    amounts = larger.amount_window(0, 0, 24, 30)
    assert amounts is None or np.isfinite(amounts).all()


def test_masks_drawn_for_known_images_are_what_is_read_off_them(
    tiles: TileSet, trained: SpecDMPipeline, tmp_path: Path
) -> None:
    drawn = trained.sample(given=tiles, known=["image"], seed=1)
    read = trained.posterior(tiles, views=GIVEN_VIEWS)
    if drawn.classes is not None:
        found = drawn.classes.index_of(drawn.masks())
        assert (found == read.probabilities.argmax(axis=2)).mean() > 0.9
    if read.amounts_mean is not None:
        off = np.abs(drawn.amounts() - read.amounts_mean).mean()
        assert off < 0.25 * tiles.amounts()[np.isfinite(tiles.amounts())].std(), "the network's own guess counts less"


def test_masks_of_a_known_scene_are_what_is_read_off_it(
    tiles: TileSet, trained: SpecDMPipeline, tmp_path: Path
) -> None:
    scene = trained.sample_scene(path=tmp_path / "s.nc", height=20, width=24, steps=2)
    larger = trained.sample_scene(path=tmp_path / "l.nc", known_scene=scene, known=["image"], margin=(0, 16, 0, 0))
    read, place = trained.annotate(scene, views=GIVEN_VIEWS), (0, 0, 20, 24)
    if read.mask.size:
        assert (larger.window(*place)[1] == read.mask).mean() > 0.9
    if read.amounts.size:
        off = np.abs(larger.amount_window(*place) - read.amounts).mean()
        assert off < 0.25 * tiles.amounts()[np.isfinite(tiles.amounts())].std()


def test_codecs_keep_tiles_and_their_gaps(tiles: TileSet, trained: SpecDMPipeline) -> None:
    again = trained.reconstruct(tiles)
    for date in range(tiles.n_dates):
        bands = tiles.bands_of(date)
        real, decoded = tiles.images()[:, date, bands], again.images()[:, date, bands]
        assert np.corrcoef(real.ravel(), decoded.ravel())[0, 1] > 0.98
    np.testing.assert_array_equal(np.isnan(again.images()), np.isnan(tiles.images()))
    np.testing.assert_array_equal(np.isnan(again.amounts()), np.isnan(tiles.amounts()))
    known = np.isfinite(tiles.amounts())
    if known.any():
        assert np.corrcoef(tiles.amounts()[known], again.amounts()[known])[0, 1] > 0.9


def test_synthetic_abundances_are_abundances(trained: SpecDMPipeline) -> None:
    if trained.facts.quantities is None or not trained.facts.quantities.sum_to_one:
        pytest.skip("no abundances")
    amounts = trained.sample(8, seed=0).amounts()
    assert amounts.min() >= 0
    assert np.abs(amounts.sum(axis=1) - 1).max() < 1e-5


def test_change_never_contradicts_the_class_masks(trained: SpecDMPipeline) -> None:
    new = trained.sample(8, seed=0)
    if new.task != "semantic_change":
        pytest.skip("no class mask a date")
    masks, change = new.masks(), new.change_masks()
    np.testing.assert_array_equal(change == 1, masks[:, 0] != masks[:, 1])
    assert set(np.unique(change)) <= {0, 1}


def test_a_composition_is_ordered_by_layer(trained: SpecDMPipeline) -> None:
    groups = trained.facts.parts
    if not groups:
        with pytest.raises(ModelError, match="free quantities"):
            trained.sample(1, composition={"height": 1.0})
        return
    last = groups[-1][-1]
    assert len(trained.sample(2, composition={last: 0.5})) == 2
    with pytest.raises(ModelError, match="no class 'meadow'"):
        trained.sample(1, composition={"meadow": 0.5})


def test_tiles_of_another_task_are_refused(trained: SpecDMPipeline) -> None:
    for task in ("change", "abundances"):
        other = made(task)
        if trained.facts.difference(other) is None:
            continue
        with pytest.raises(ModelError, match=r"expected|differ from the model's|does not know"):
            trained.reconstruct(other)


def test_one_date_without_labels_stops_training(little_settings: dict, tmp_path: Path) -> None:
    tiles = made("semantic change")
    masks = tiles.masks().copy()
    masks[:, 1] = -1
    spoilt = TileSet(tiles.dataset.assign(mask=tiles.dataset["mask"].copy(data=masks)))
    with pytest.raises(TrainingError, match="in the mask layer 2003"):
        train_run(tmp_path / "run", tiles=spoilt, config=load_config(overrides=little_settings))


def test_a_quantity_never_known_stops_training(little_settings: dict, tmp_path: Path) -> None:
    tiles = made("height")
    nothing = tiles.dataset["amount"].copy(data=np.full_like(tiles.amounts(), np.nan))
    with pytest.raises(TrainingError, match="height is unknown in all pixels"):
        train_run(
            tmp_path / "run",
            tiles=TileSet(tiles.dataset.assign(amount=nothing)),
            config=load_config(overrides=little_settings),
        )
