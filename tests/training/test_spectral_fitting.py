"""What the kernel machine learns: classes of single spectra, settings that hold on ground it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from little_scenes import make_little_change, make_little_scene

from specdm.models.spectral_reader import SpectralReader, likeness
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.labelled_pixels import LEAST_OF_A_CLASS, draw_labelled, rare_first
from specdm.tiles.tileset import TileSet
from specdm.training import spectral_fitting
from specdm.training.spectral_fitting import fit_spectra
from specdm.training.spectral_metrics import Metric, noise_units


def bands_at(tiles: TileSet):
    """Standardised bands stand for components."""
    images = torch.from_numpy(tiles.images())
    scale = images.std(dim=(0, 1, 3, 4), keepdim=True)
    images = (images - images.mean(dim=(0, 1, 3, 4), keepdim=True)) / scale
    return lambda at: images[torch.from_numpy(np.asarray(at))].flatten(1, 2)


def fitted(tiles: TileSet, *, points: int = 300, snr: float = 100.0) -> SpectralReader:
    components = tiles.n_dates * tiles.n_bands
    net = SpectralReader(
        components=components, dates=tiles.n_dates, layers=len(tiles.layers), classes=len(tiles.classes), points=points
    )
    metric = noise_units(torch.full((components,), snr))
    fit_spectra(net, tiles, components_at=bands_at(tiles), metrics=[metric], seed=0)
    return net


def right(net: SpectralReader, tiles: TileSet, *, labels: TileSet) -> float:
    found = net(bands_at(tiles)(np.arange(len(tiles)))).argmax(dim=2).numpy()
    truth = labels.classes.index_of(labels.masks())
    return float((found == truth)[truth >= 0].mean())


def with_labels(tiles: TileSet, keep: np.ndarray) -> TileSet:
    mask = np.where(keep, tiles.masks(), np.int16(UNLABELLED)).astype(np.int16)
    return TileSet(tiles.dataset.assign(mask=(tiles.dataset["mask"].dims, mask, tiles.dataset["mask"].attrs)))


@pytest.fixture
def tiles() -> TileSet:
    return make_little_scene().tile(size=16, stride=8)


def test_a_few_labels_are_enough_for_clear_spectra(tiles: TileSet) -> None:
    few = with_labels(tiles, np.random.default_rng(0).random(tiles.masks().shape) < 0.03)
    assert right(fitted(few), few, labels=tiles) > 0.95


def test_change_of_ground_never_seen_is_read() -> None:
    """Changes are labelled in the west only, of other crops than in the east."""
    tiles = make_little_change().tile(size=16, stride=8)
    west = (tiles.dataset["window_x"].values < 16)[:, None, None, None] & np.ones(tiles.masks().shape, bool)
    assert right(fitted(with_labels(tiles, west)), tiles, labels=tiles) > 0.9


def test_a_layer_of_its_own_date_looks_at_that_date_only() -> None:
    dates = spectral_fitting._scale(
        SpectralReader(components=4, dates=2, layers=2, classes=2, points=3), torch.ones(4), dates=[1]
    )
    assert torch.equal(dates, torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0, 0.0]).repeat(2))


@given(st.integers(0, 2**16))
def test_blocks_left_out_are_what_fitting_without_them_says(seed: int) -> None:
    """The closed form against doing it: leave a block out, solve anew, predict it."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.randn(24, 3, generator=random)
    truth = torch.randint(3, (24,), generator=random)
    blocks = torch.arange(24) // 6
    scale = torch.ones(3)
    kept: dict[float, torch.Tensor] = {}
    sharpness = spectral_fitting.SHARPNESS / spectral_fitting._median_distance(rows.double())
    kernel = likeness(rows.double(), rows.double(), sharpness=sharpness)
    wanted = spectral_fitting._targets(truth, 3)
    for ridge in spectral_fitting.RIDGES:
        error = torch.zeros(24, dtype=torch.float64)
        for block in blocks.unique():
            own, rest = blocks == block, blocks != block
            weights = torch.linalg.solve(spectral_fitting._ridged(kernel[rest][:, rest], ridge), wanted[rest])
            error[own] = (kernel[own][:, rest] @ weights - wanted[own]).square().sum(dim=1)
        kept[ridge] = error.mean()
    for candidate in spectral_fitting._candidates(rows, truth, blocks, scale=scale, classes=3):
        assert candidate.error == pytest.approx(float(kept[candidate.ridge]), rel=1e-6)


@pytest.mark.parametrize(("gain", "wider"), [(0.9, True), (0.99, False)])
def test_surroundings_count_where_they_are_worth_it(monkeypatch, gain: float, wider: bool) -> None:
    """Of two settings that are all but equal the simpler one holds better on ground far away."""

    def candidates(rows, truth, blocks, *, scale, classes):
        error = gain if bool(scale[2:].any()) else 1.0
        return [spectral_fitting._Candidate(error, scale, 0.1, 0.2)]

    monkeypatch.setattr(spectral_fitting, "_candidates", candidates)
    rows = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    truth = torch.arange(20) % 2
    found = spectral_fitting._chosen(rows, truth, truth, scale=torch.ones(4), classes=2, seed=0)
    assert bool(found.scale[2:].any()) == wider


def turned_bands(tiles: TileSet) -> Metric:
    """All bands but the first, in an order of their own."""
    components = tiles.n_dates * tiles.n_bands
    weights = torch.ones(components)
    weights[-1] = 0.0
    return Metric(torch.eye(components).flip(0), weights)


def blind(tiles: TileSet) -> Metric:
    """Nothing but the first component."""
    components = tiles.n_dates * tiles.n_bands
    return Metric(torch.eye(components), torch.zeros(components).index_fill(0, torch.tensor([0]), 1.0))


def fitted_by(tiles: TileSet, metrics: list[Metric], *, noise: bool) -> SpectralReader:
    """With noise as the first component, or the bands as they are."""
    components = tiles.n_dates * tiles.n_bands
    whole, generator = bands_at(tiles), torch.Generator().manual_seed(0)

    def components_at(at: np.ndarray) -> torch.Tensor:
        found = whole(at).clone()
        if noise:
            found[:, 0] = torch.randn(found[:, 0].shape, generator=generator)
        return found

    net = SpectralReader(
        components=components, dates=tiles.n_dates, layers=1, classes=len(tiles.classes), points=300
    )
    fit_spectra(net, tiles, components_at=components_at, metrics=metrics, seed=0)
    return net


def test_the_metric_that_left_out_ground_reads_best_is_taken(tiles: TileSet) -> None:
    for metrics in ([blind(tiles), turned_bands(tiles)], [turned_bands(tiles), blind(tiles)]):
        net = fitted_by(tiles, metrics, noise=True)
        assert torch.equal(net.axes[0], torch.eye(12).flip(0))
        assert right(net, tiles, labels=tiles) > 0.95


def test_of_two_metrics_that_are_alike_the_first_is_taken(tiles: TileSet) -> None:
    plain, turned = Metric(torch.eye(12), torch.ones(12)), Metric(torch.eye(12).flip(0), torch.ones(12))
    assert torch.equal(fitted_by(tiles, [plain, turned], noise=False).axes[0], torch.eye(12))


def test_change_is_measured_by_the_first_metric_whatever_left_out_ground_says() -> None:
    change = make_little_change().tile(size=16, stride=8)
    net = fitted_by(change, [blind(change), turned_bands(change)], noise=True)
    assert torch.equal(net.axes[0], torch.eye(change.n_dates * change.n_bands))


def test_pixels_without_data_teach_nothing(tiles: TileSet) -> None:
    images = tiles.images().copy()
    images[:, :, :, :, :8] = np.nan
    blank = TileSet(tiles.dataset.assign(image=(tiles.dataset["image"].dims, images, tiles.dataset["image"].attrs)))
    net = SpectralReader(components=12, dates=1, layers=1, classes=3, points=2000)
    whole = bands_at(tiles)

    def components_at(at: np.ndarray) -> torch.Tensor:
        return whole(at).masked_fill(torch.from_numpy(np.isnan(blank.images(at)[:, 0])), float("nan"))

    fit_spectra(net, blank, components_at=components_at, metrics=[noise_units(torch.ones(12))], seed=0)
    pixels = draw_labelled(blank, layer=0, most=2000, block=16, seed=0)
    there = (pixels.places % 16 >= 8).sum()
    assert int((net.weights[0] != 0).any(dim=1).sum()) == there > 100


def test_one_class_and_no_labels(tiles: TileSet) -> None:
    nothing = with_labels(tiles, np.zeros(tiles.masks().shape, bool))
    assert not fitted(nothing).weights.any()
    grass = with_labels(tiles, tiles.masks() == 2)
    assert right(fitted(grass), tiles, labels=grass) == 1.0


@given(st.lists(st.integers(0, 4), min_size=1, max_size=400), st.integers(1, 300), st.integers(0, 99))
def test_rare_classes_are_drawn_first(labels: list[int], most: int, seed: int) -> None:
    values = np.array(labels)
    chosen = rare_first(values, most=most, seed=seed)
    assert np.array_equal(chosen, np.unique(chosen))
    assert np.array_equal(chosen, rare_first(values, most=most, seed=seed))
    if len(values) <= most:
        assert len(chosen) == len(values)
        return
    counts, drawn = np.bincount(values, minlength=5), np.bincount(values[chosen], minlength=5)
    least = min(LEAST_OF_A_CLASS, most // len(np.unique(values)))
    assert (drawn >= np.minimum(counts, least)).all()
    assert len(chosen) == most


def test_blocks_are_squares_of_ground(tiles: TileSet) -> None:
    pixels = draw_labelled(tiles, layer=0, most=10_000, block=16, seed=0)
    tile, place = np.divmod(pixels.places, 256)
    rows = tiles.dataset["window_y"].values[tile] + place // 16
    columns = tiles.dataset["window_x"].values[tile] + place % 16
    squares = np.unique(np.stack([rows // 16, columns // 16]), axis=1, return_inverse=True)[1].ravel()
    assert len(np.unique(pixels.blocks)) == len(np.unique(squares)) == len(
        np.unique(np.stack([pixels.blocks, squares]), axis=1).T
    )
    drawn = TileSet.from_arrays(images=np.ones((3, 1, 2, 4, 4), np.float32), masks=np.zeros((3, 1, 4, 4), np.int16),
                                classes=Classes.create([0, 1], ["a", "b"]), split="synthetic", source="s",
                                wavelength=np.array([500.0, 600.0]))  # fmt: skip
    assert len(np.unique(draw_labelled(drawn, layer=0, most=99, block=16, seed=0).blocks)) == 3
