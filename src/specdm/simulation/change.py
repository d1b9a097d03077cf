"""Two dates of one simulated landscape: another season and light, and what has really changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.classes import Classes
from specdm.scenes.scene import Scene
from specdm.scenes.task import CHANGE_LAYER, derived_change
from specdm.simulation.covers import FIELDS
from specdm.simulation.draws import generator
from specdm.simulation.ground import Ground
from specdm.simulation.lines import draw_main_road
from specdm.simulation.scene import Site, as_scene, view
from specdm.simulation.settlement import build_settlement

CHANGE_CLASSES = Classes.create((0, 1), ("unchanged", "changed"), ("#3c3c46", "#e69f00"))


@dataclass(frozen=True)
class SimulatedChange:
    """Two dates and their truth; as `specdm.simulation.scene.Simulated`, with a leading axis of dates.

    On each date `noise_free = endmembers.T @ abundances`. End members move with the season: those of plants and water
    differ between the dates, those of soils and buildings do not.

    Attributes:
        scene: both noisy images with the mask of change, or with a class mask a date.
        masks: class of each pixel, int16 `(date, y, x)`, -1 where unlabelled.
        classes: what `masks` mean.
        change: int8 `(y, x)`: 1 where the two masks differ, 0 where not, -1 where one is unlabelled.
        abundances: float64 `(date, k, y, x)`, 0 to 1, sums to one over k.
        endmembers: float64 `(date, k, band)`, reflectance.
        endmember_names: one an end member.
        noise_free: float64 `(date, band, y, x)`, reflectance.
        class_shares: float32 `(date, class, y, x)`.
        light: float64 `(date, y, x)`, share of the light of the brightest slope.
        noise_covariance: float64 `(date, band, band)`.
    """

    scene: Scene
    masks: np.ndarray
    classes: Classes
    change: np.ndarray
    abundances: np.ndarray
    endmembers: np.ndarray
    endmember_names: tuple[str, ...]
    noise_free: np.ndarray
    class_shares: np.ndarray
    light: np.ndarray
    noise_covariance: np.ndarray


def simulate_change(
    *,
    dates: tuple[str, str] = ("2023-06-08", "2024-08-20"),
    task: str = "change",
    changed: float = 0.10,
    name: str = "simulated change",
    **site: Any,
) -> SimulatedChange:
    """Two dates of one landscape, with season, light and real changes.

    Season moves leaf area, pigments, water and dry plants, but not the class. Between the dates fields are turned
    into others, part of a wood is cleared, houses are built on fields, and the main road gets a bypass.

    Args:
        dates: two different ones, as "2023-06-08".
        task: "change": one mask that says changed or unchanged; "semantic_change": a class mask a date.
        changed: share of the ground to be turned over, 0 to 0.5, beside the road; 0 changes nothing at all. With
            fewer than two classes of open land (`covers.FIELDS`) less than this can change.
        name: of the scene.
        **site: the further arguments of `specdm.simulation.scene.simulate_scene`, from `size` to `label_above`.

    Raises:
        SceneError: as `simulate_scene`; also two equal dates, an unknown task, a share out of range, classes of which
            none can turn into another.
    """
    if task not in ("change", "semantic_change"):
        raise SceneError(f"task {task!r} is not known to the simulator; expected change or semantic_change")
    if len(dates) != 2 or dates[0] == dates[1]:
        raise SceneError(f"dates {', '.join(map(str, dates))}; expected two different ones")
    if not 0 <= changed <= 0.5:
        raise SceneError(f"changed={changed} is out of range; expected a share of the ground, 0 to 0.5")
    where = Site.create(**site)
    names = set(where.legend.names)
    if changed and len(names & set(FIELDS)) < 2 and not names & {"forest", "buildings", "roads"}:
        raise SceneError(
            f"with the classes {', '.join(where.legend.names)} nothing can change; "
            f"give two of {', '.join(FIELDS)}, or changed=0"
        )
    before = where.land()
    after = _copy(before)
    draw_main_road(before, seed=where.seed)
    draw_main_road(after, seed=where.seed, shift=0.07 * min(before.extent) if changed else 0.0)
    _turn_over(after, share=changed, seed=where.seed)
    views = [view(where, ground, date) for ground, date in zip((before, after), dates, strict=True)]
    masks = np.stack([seen.mask for seen in views])
    change = derived_change(masks)
    if task == "change":
        classes, layers = CHANGE_CLASSES, {CHANGE_LAYER: change.astype(masks.dtype)}
    else:
        classes, layers = where.legend.classes(), dict(zip(dates, masks, strict=True))
    mask = xr.DataArray(np.stack(list(layers.values())), dims=("layer", "y", "x"), coords={"layer": list(layers)})
    return SimulatedChange(
        scene=as_scene(where, views, dates, name=name, mask=mask, classes=classes),
        masks=masks,
        classes=where.legend.classes(),
        change=change,
        abundances=np.stack([seen.abundances for seen in views]),
        endmembers=np.stack([seen.endmembers for seen in views]),
        endmember_names=where.legend.materials,
        noise_free=np.stack([seen.noise_free for seen in views]),
        class_shares=np.stack([seen.class_shares for seen in views]),
        light=np.stack([seen.light for seen in views]),
        noise_covariance=np.stack([seen.noise_covariance for seen in views]),
    )


def _copy(ground: Ground) -> Ground:
    return replace(
        ground,
        cover=ground.cover.copy(),
        parcel=ground.parcel.copy(),
        angles=list(ground.angles),
        open_parcels=list(ground.open_parcels),
    )


def _turn_over(ground: Ground, *, share: float, seed: int) -> None:
    """Clear, build over and turn into other fields, until about this share of the ground is another class."""
    random = generator(seed, "change")
    budget = share * ground.cover.size
    fields = np.array([ground.position(name) for name in FIELDS if ground.has(name)])
    if ground.has("forest"):
        budget -= _clear(ground, random, most=0.2 * budget)
    to_build = 0.25 * budget if ground.has("buildings") else 0.0
    for number in _near_settlements(ground, random):
        cells = np.flatnonzero((ground.parcel == number) & np.isin(ground.cover, fields))
        if not len(cells):
            continue
        if budget < 0.5 * len(cells):
            if budget <= 0:
                break
            continue  # a smaller one may still fit
        angle = ground.angles[number]
        if to_build >= 0.5 * len(cells):
            build_settlement(ground, cells, random=random, angle=angle)
            to_build -= len(cells)
        else:
            others = fields[fields != ground.cover.flat[cells[0]]]
            if not len(others):
                break
            # the parcel keeps its number and with it the texture of its soil
            ground.cover.flat[cells] = random.choice(others)
        budget -= len(cells)


def _near_settlements(ground: Ground, random: np.random.Generator) -> list[int]:
    """Parcels of open land in random order, but first, in order of distance, the few nearest to a settlement."""
    from scipy.ndimage import distance_transform_edt, minimum

    fields = [ground.position(name) for name in FIELDS if ground.has(name)]
    left = set(np.unique(ground.parcel[np.isin(ground.cover, fields)]).tolist())  # woods have taken some
    drawn = [int(number) for number in random.permutation(ground.open_parcels) if int(number) in left]
    built = ground.cover == ground.position("buildings")
    if not ground.has("buildings") or not built.any() or not drawn:
        return drawn
    # a house beside a field is no town beside it: distances in steps of 40 m, ties as drawn
    away = np.asarray(minimum(distance_transform_edt(~built), ground.parcel, drawn)) * ground.spacing // 40
    nearest = [drawn[i] for i in np.argsort(away, kind="stable")[: max(len(drawn) // 12, 1)]]
    return nearest + [number for number in drawn if number not in nearest]


def _clear(ground: Ground, random: np.random.Generator, *, most: float) -> int:
    """Fell a rectangle of a wood; returns its cells."""
    wood = np.flatnonzero(ground.cover == ground.position("forest"))
    if not len(wood) or most < 4:
        return 0
    middle, angle = wood[random.integers(len(wood))], float(random.uniform(0, np.pi))
    along, across = ground.turned(wood, angle)
    u, v = ground.turned(np.array([middle]), angle)
    half = 0.5 * np.sqrt(most) * ground.spacing
    felled = wood[(np.abs(along - u) < 1.3 * half) & (np.abs(across - v) < half / 1.3)]
    ground.cover.flat[felled] = ground.position("bare soil", "grassland")
    ground.parcel.flat[felled] = ground.new_parcel(angle)
    return len(felled)
