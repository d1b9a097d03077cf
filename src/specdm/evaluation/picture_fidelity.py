"""Judge of tiles as pictures: do images in false colour and drawn masks look to an image network as real ones do?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from specdm.evaluation.bootstrap import bootstrap_interval
from specdm.evaluation.case import Case
from specdm.evaluation.composites import Pictures, image_pictures, mask_pictures
from specdm.evaluation.feature_space import FeatureSpace, KernelDistance, frechet_squared
from specdm.evaluation.manifold import NEIGHBOURS, Prdc, prdc
from specdm.evaluation.networks import INSTALL, ImageNetwork, load_network
from specdm.evaluation.reading import BATCH_VALUES, evenly, some
from specdm.evaluation.real_parts import LEAST, heldout_apart, real_parts, same_ground
from specdm.evaluation.record import Evaluation
from specdm.tiles.tileset import TileSet

MOST_TILES = 512
"""Most tiles of a kind (real training, real held-out, synthetic) that are drawn."""

TOO_FEW = f"fewer than {LEAST} real training or synthetic tiles, or all real pictures are the same"
NO_PARTS = f"the real tiles have no two parts of {LEAST} tiles or more that share no ground"


def has_network(case: Case) -> bool:
    """Whether an image network is asked for."""
    return case.network is not None


def judge_pictures(result: Evaluation, case: Case) -> None:
    """Add `synthetic.*_rgb` and `synthetic.*_mask` of image-network features, each beside its floor `real.*_floor`.

    Of several dates, layers or quantities the plain key is the mean; those of dates follow with the date in brackets.
    """
    if case.network is None:
        return
    real, synthetic = case.real.tiles, case.synthetic.tiles
    network = load_network(case.network, size=real.size)
    if network is None:
        result.note(
            "Fréchet, KID, precision, recall, density and coverage of pictures were left out: the image network "
            f"{case.network} is not installed; {INSTALL[str(case.network)]}"
        )
        return
    sample = Sample.draw(real, synthetic, seed=case.seed)
    for kind, pictures in (("rgb", image_pictures(real.train)), ("mask", mask_pictures(real.train))):
        if pictures is not None:
            _judge(result, kind, pictures, _looked_at(sample, pictures, network), sample, seed=case.seed)
    result.settings["picture network"] = f"{network.name}, pictures {network.preparation}"
    result.settings["picture tiles"] = (
        f"{len(sample.train)} real training, {len(sample.synthetic)} synthetic, seed {case.seed}"
    )
    result.settings["picture floor"] = sample.floor_words
    result.settings["picture precision, recall, density, coverage"] = (
        f"of {min(len(sample.train), len(sample.synthetic), *(map(len, sample.parts or ())))} against as many tiles, "
        f"k = {NEIGHBOURS}, "
        "in the space of the Fréchet distance"
    )


@dataclass(frozen=True)
class Sample:
    """The tiles that are drawn.

    Attributes:
        real: some training and held-out tiles.
        synthetic: some synthetic tiles.
        train: positions of training tiles in `real`.
        parts: positions in `real` of two parts that share no ground, as many of each; None if there are none.
        floor_words: what the parts are, for the record.
    """

    real: TileSet
    synthetic: TileSet
    train: np.ndarray
    parts: tuple[np.ndarray, np.ndarray] | None
    floor_words: str

    @classmethod
    def draw(cls, real: TileSet, synthetic: TileSet, *, seed: int) -> Sample:
        random = np.random.default_rng(seed)
        train, held = np.flatnonzero(real.split == "train"), heldout_apart(real)
        chosen = [part[some(len(part), MOST_TILES, random=random)] for part in (train, held)]
        some_real = real.select(np.sort(np.concatenate(chosen)))
        found = real_parts(some_real, seed=seed)
        return cls(
            real=some_real,
            synthetic=synthetic.select(evenly(len(synthetic), MOST_TILES)),
            train=np.flatnonzero(some_real.split == "train"),
            parts=found[:2] if found else None,
            floor_words=f"{found[2]}, {len(found[0])} against {len(found[1])} tiles" if found else NO_PARTS,
        )


class Looked:
    """Features of one drawing of all tiles, in the space of the real training tiles' features.

    Attributes:
        space: fitted on all drawn training tiles.
        real, synthetic: features `(n, d)`.
    """

    def __init__(self, space: FeatureSpace, real: np.ndarray, synthetic: np.ndarray, sample: Sample) -> None:
        self.space, self.real, self.synthetic, self._sample = space, real, synthetic, sample
        self._train_points = space.points(real[sample.train])
        self._points = space.points(synthetic)

    def frechet(self, index: np.ndarray) -> float:
        return frechet_squared(self._train_points, self._points[index])

    def kid(self, index: np.ndarray) -> float:
        return self._kernel.distance(index)

    def frechet_floor(self) -> float:
        one, other = self._parts()
        return frechet_squared(self.space.points(other), self.space.points(one))

    def kid_floor(self) -> float:
        one, other = self._parts()
        return KernelDistance(other, one).distance()

    def manifold(self) -> Prdc:
        # these figures depend on the numbers of points: as many of each as the floor has
        n = min(len(self._train_points), len(self._points), self._most)
        train, synthetic = (points[evenly(len(points), n)] for points in (self._train_points, self._points))
        shown = self._sample.train[evenly(len(self._train_points), n)]
        return prdc(train, synthetic, same_ground=same_ground(self._sample.real, shown))

    def coverage_floor(self) -> float:
        one, other = self._parts()
        same = same_ground(self._sample.real, self._sample.parts[1]) if self._sample.parts else None
        return prdc(self.space.points(other), self.space.points(one), same_ground=same).coverage

    @cached_property
    def _kernel(self) -> KernelDistance:
        return KernelDistance(self.real[self._sample.train], self.synthetic)

    @property
    def _most(self) -> int:
        """Tiles of a part of the real ground; as many as there are without parts."""
        return len(self._sample.parts[0]) if self._sample.parts else len(self.real)

    def _parts(self) -> tuple[np.ndarray, np.ndarray]:
        one, other = self._sample.parts or (self._sample.train[:0],) * 2
        return self.real[one], self.real[other]


def _looked_at(sample: Sample, pictures: Pictures, network: ImageNetwork) -> dict[str, Looked]:
    """What the network sees, by name of the drawing; without those that cannot be compared."""
    if min(len(sample.train), len(sample.synthetic)) < LEAST:
        return {}
    real, synthetic = (_features(tiles, pictures, network) for tiles in (sample.real, sample.synthetic))
    found = {}
    for name, one, other in zip(pictures.names, real, synthetic, strict=True):
        space = FeatureSpace.fit(one[sample.train])
        if space is not None:
            found[name] = Looked(space, one, other, sample)
    return found


def _features(tiles: TileSet, pictures: Pictures, network: ImageNetwork) -> list[np.ndarray]:
    """Features `(n, d)` of each drawing."""
    size = max(1, BATCH_VALUES // (tiles.n_dates * tiles.n_bands * tiles.size**2))
    batches = []
    for start in range(0, len(tiles), size):
        drawn = pictures.draw(tiles, np.arange(start, min(start + size, len(tiles))))
        batches.append([network.features(part) for part in drawn])
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _judge(
    result: Evaluation, kind: str, pictures: Pictures, looked: dict[str, Looked], sample: Sample, *, seed: int
) -> None:
    dated = sample.real.n_dates > 1 and set(pictures.names) <= {str(date) for date in sample.real.dates}
    abouts = {"": list(looked.values())}
    if dated and len(pictures.names) > 1:
        abouts |= {f" [{name}]": [looked[name]] if name in looked else [] for name in pictures.names}
    for about, group in abouts.items():
        _add_distances(result, kind, about, group, sample, seed=seed)
        if kind == "rgb":
            _add_manifold(result, about, group, sample)
    if looked:
        first = next(iter(looked.values()))
        result.settings[f"pictures {kind}"] = pictures.words + (
            f"; mean of {len(looked)} ({', '.join(looked)})" if len(looked) > 1 else ""
        )
        result.settings[f"frechet_{kind}"] = (
            f"squared Fréchet distance of {first.real.shape[1]} features in {first.space.components} principal "
            f"components of {len(sample.train)} real training tiles and the length of the rest"
        )
        result.settings[f"kid_{kind}"] = (
            f"unbiased squared MMD of {first.real.shape[1]} features, kernel (x.y / d + 1)^3, all pairs"
        )


def _add_distances(
    result: Evaluation, kind: str, about: str, group: list[Looked], sample: Sample, *, seed: int
) -> None:
    n = len(sample.synthetic)
    measures: dict[str, tuple[Sequence[Callable[[np.ndarray], float]], Sequence[Callable[[], float]]]] = {
        "frechet": ([one.frechet for one in group], [one.frechet_floor for one in group]),
        "kid": ([one.kid for one in group], [one.kid_floor for one in group]),
    }
    for name, (distances, floors) in measures.items():

        def mean(index: np.ndarray, distances: Sequence[Callable[[np.ndarray], float]] = distances) -> float:
            return float(np.mean([distance(index) for distance in distances]))

        result.add(
            f"synthetic.{name}_{kind}{about}",
            mean(np.arange(n)) if group else None,
            interval=_interval(mean, n, seed=seed, least=0.0 if name == "frechet" else -np.inf) if group else None,
            why_not=TOO_FEW,
        )
        floor = float(np.mean([found() for found in floors])) if group and sample.parts else None
        result.add(f"real.{name}_{kind}_floor{about}", floor, why_not=NO_PARTS if group else TOO_FEW)


def _interval(
    statistic: Callable[[np.ndarray], float], n: int, *, seed: int, least: float
) -> tuple[float, float] | None:
    found = bootstrap_interval(statistic, n, seed=seed)
    return None if found is None else (max(least, found[0]), found[1])


def _add_manifold(result: Evaluation, about: str, group: list[Looked], sample: Sample) -> None:
    found = [asdict(one.manifold()) for one in group]
    for name in ("precision", "recall", "density", "coverage"):
        value = float(np.mean([figures[name] for figures in found])) if found else None
        result.add(f"synthetic.{name}_rgb{about}", value, why_not=TOO_FEW)
    floor = float(np.mean([one.coverage_floor() for one in group])) if group and sample.parts else None
    result.add(f"real.coverage_rgb_floor{about}", floor, why_not=NO_PARTS if group else TOO_FEW)
