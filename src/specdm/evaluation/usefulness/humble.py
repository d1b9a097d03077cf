"""The humble rivals: classifiers and regressors of single spectra, without neighbours and without a GPU.

A support vector machine is the classical strong one on few labelled hyperspectral pixels: Melgani and Bruzzone
(2004), "Classification of hyperspectral remote sensing images with support vector machines", IEEE Transactions on
Geoscience and Remote Sensing 42. Random forest: Breiman (2001), Machine Learning 45.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from specdm.errors import ConfigError, TileError
from specdm.evaluation.looks import Looks
from specdm.evaluation.reading import some
from specdm.scenes.classes import Classes
from specdm.tiles.labelled_pixels import labelled_places, rare_first
from specdm.tiles.tileset import TileSet

KINDS = ("svm", "forest")
MOST_PIXELS = {"svm": 6000, "forest": 20_000}
"""Training pixels of classes; the time of a support vector machine grows with their square."""

MOST_AMOUNT_PIXELS = 6000
"""Training pixels of amounts, whose forests try many more places to split at."""

SEARCH_PIXELS = 2000
"""Pixels on which its settings are searched."""

TREES, FOLDS = 300, 5


def humble_prediction(kind: str, *, train: TileSet, test: TileSet, seed: int) -> np.ndarray:
    """Class masks of test tiles from single spectra.

    Features are the bands of all dates; where there are several mask layers, each has its own classifier. Each pixel
    of training ground counts once, and of many some are drawn.

    Args:
        kind: "svm" (standardised bands, RBF kernel, C and gamma by cross-validation) or "forest" (300 trees).
        train: labelled tiles.
        test: tiles with the same dates and bands; their masks are not looked at.
        seed: of the draw of pixels and of the trees.

    Returns:
        Class positions of `train.classes`, int64 `(tile, layer, y, x)`; -1 where a band has no data.

    Raises:
        ConfigError: no such kind.
        TileError: tiles of other bands, or a layer without a labelled training pixel that has data.
    """
    _check(kind, train, test)
    classes = train.classes
    if classes is None:
        raise TileError(f"{train.where} has no class masks to learn from; see humble_amounts for amounts")
    predicted = np.full((len(test), len(train.layers), test.size, test.size), -1, np.int64)
    for layer, name in enumerate(train.layers):
        places, labels = labelled_places(train, partial(_positions, train, classes, layer))
        chosen = rare_first(labels, most=MOST_PIXELS[kind], seed=seed)
        spectra, there = _spectra(train, places[chosen])
        spectra, labels = spectra[there], labels[chosen][there]
        if not len(labels):
            raise TileError(
                f"{train.where} has no labelled pixel with data in layer {name}; expected some to learn from"
            )
        fit = _forest if kind == "forest" else _svm if len(np.unique(labels)) > 1 else _only_class
        _predict(test, fit(spectra, labels, seed=seed).predict, predicted[:, layer])
    return predicted


def humble_amounts(kind: str, *, train: TileSet, test: TileSet, seed: int) -> np.ndarray:
    """Amounts of test tiles from single spectra: a support vector regressor a quantity, or one forest.

    Args:
        kind, train, test, seed: as for `humble_prediction`; pixels where all quantities are known are learnt from.

    Returns:
        float32 `(tile, quantity, y, x)` in the units of the quantities, NaN where a band has no data. Nothing makes
        abundances sum to one.

    Raises:
        ConfigError: no such kind.
        TileError: tiles of other bands, or no known training pixel that has data.
    """
    _check(kind, train, test)
    if train.quantities is None:
        raise TileError(f"{train.where} has no amounts to learn from; see humble_prediction for class masks")
    places, _ = labelled_places(
        train, lambda part: np.where(np.isfinite(train.amounts(part)).all(axis=1), 0, -1).astype(np.int64)
    )
    places = places[some(len(places), MOST_AMOUNT_PIXELS, random=np.random.default_rng(seed))]
    spectra, there = _spectra(train, places)
    spectra, places = spectra[there], places[there]
    if not len(places):
        raise TileError(
            f"{train.where} has no pixel with data where all amounts are known; expected some to learn from"
        )
    values = _gathered(train, places, lambda tiles: np.moveaxis(train.amounts(tiles), 1, -1))
    predicted = np.full((len(test), values.shape[1], test.size, test.size), np.nan, np.float32)
    model = (_svr if kind == "svm" else _forest_regressor)(spectra, values.astype(np.float64), seed=seed)
    _predict(test, lambda found: model.predict(found).reshape(len(found), -1), np.moveaxis(predicted, 1, -1))
    return predicted


def _check(kind: str, train: TileSet, test: TileSet) -> None:
    if kind not in KINDS:
        raise ConfigError(f"there is no humble rival {kind!r}; expected one of {', '.join(KINDS)}")
    bands = [[tiles.bands_of(date).tolist() for date in range(tiles.n_dates)] for tiles in (train, test)]
    if bands[0] != bands[1]:
        raise TileError(
            f"{test.where} has {test.n_dates} dates and {test.n_bands} bands, {train.where} has {train.n_dates} and "
            f"{train.n_bands}; expected tiles of the same dates and bands"
        )


def _positions(tiles: TileSet, classes: Classes, layer: int, part: np.ndarray) -> np.ndarray:
    return classes.index_of(tiles.masks(part)[:, layer])


def _spectra(tiles: TileSet, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All dates' bands at some places, `(m, channel)`, and where they all have data, bool `(m,)`."""
    looks = Looks(tiles, ())
    spectra = _gathered(tiles, places, looks.spectra).reshape(len(places), looks.n_channels)
    return spectra, np.isfinite(spectra).all(axis=1)


def _gathered(tiles: TileSet, places: np.ndarray, values_of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Values `(m, channel)` at rising places, from a function of tiles that gives `(n, y, x, channel)`."""
    tile, pixel = np.divmod(places, tiles.size**2)
    parts = [np.zeros((0, 0), np.float32)][: not len(places)]
    for batch in Looks(tiles, ()).batches(np.unique(tile)):
        own = (tile >= batch[0]) & (tile <= batch[-1])
        values = values_of(batch)
        parts.append(values.reshape(len(batch), tiles.size**2, -1)[np.searchsorted(batch, tile[own]), pixel[own]])
    return np.concatenate(parts)


def _predict(tiles: TileSet, predict: Callable[[np.ndarray], np.ndarray], into: np.ndarray) -> None:
    """Fill `(tile, y, x, ...)` where every band has data."""
    looks = Looks(tiles, ())
    for part in looks.batches(np.arange(len(tiles))):
        spectra = looks.spectra(part)
        there = np.isfinite(spectra).all(axis=-1)
        if there.any():
            filled = into[part]
            filled[there] = predict(spectra[there])
            into[part] = filled


def _only_class(spectra: np.ndarray, labels: np.ndarray, *, seed: int) -> Any:
    """No support vector machine takes a single class; it can only be everywhere."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent").fit(spectra, labels)


def _svm(spectra: np.ndarray, labels: np.ndarray, *, seed: int) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    model = make_pipeline(StandardScaler(), SVC(C=100, gamma=1 / spectra.shape[1]))
    able = some(len(labels), SEARCH_PIXELS, random=np.random.default_rng(seed))
    counts = np.bincount(labels[able])
    # classes of a single pixel cannot be in two folds; they are learnt but do not choose
    able = able[counts[labels[able]] >= 2]
    if len(np.unique(labels[able])) >= 2:
        grid: dict[str, Sequence[float]] = {"svc__C": [10, 100, 1000], "svc__gamma": _gammas(spectra)}
        folds = int(np.clip(counts[counts >= 2].min(), 2, FOLDS))
        model = _best(model, grid, spectra[able], labels[able], folds=folds)
    return model.fit(spectra, labels)


def _svr(spectra: np.ndarray, values: np.ndarray, *, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.multioutput import MultiOutputRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    # epsilon and C are in standard deviations of the quantity
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), MultiOutputRegressor(SVR(C=10, gamma=1 / spectra.shape[1]), n_jobs=1)),
        transformer=StandardScaler(),
    )
    able = some(len(spectra), SEARCH_PIXELS, random=np.random.default_rng(seed))
    if len(able) >= 2 * FOLDS:
        behind = "regressor__multioutputregressor__estimator__"
        grid: dict[str, Sequence[float]] = {f"{behind}C": [1, 10, 100], f"{behind}gamma": _gammas(spectra)}
        model = _best(model, grid, spectra[able], values[able], folds=FOLDS)
    return model.fit(spectra, values)


def _gammas(spectra: np.ndarray) -> list[float]:
    return [factor / spectra.shape[1] for factor in (0.3, 1.0, 3.0)]


def _best(
    model: Any, grid: Mapping[str, Sequence[float]], spectra: np.ndarray, truth: np.ndarray, *, folds: int
) -> Any:
    """The model with the settings that do best on held-out pixels; folds are unbroken stretches of neighbours."""
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(model, grid, cv=folds, refit=False, n_jobs=1).fit(spectra, truth)
    return model.set_params(**search.best_params_)


def _forest(spectra: np.ndarray, labels: np.ndarray, *, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, random_state=seed, n_jobs=1).fit(spectra, labels)


def _forest_regressor(spectra: np.ndarray, values: np.ndarray, *, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    # a third of the bands a split is Breiman's choice for regression
    forest = RandomForestRegressor(TREES, max_features=1 / 3, random_state=seed, n_jobs=1)
    return forest.fit(spectra, values[:, 0] if values.shape[1] == 1 else values)
