"""Two simulated dates: real changes where the truth says so, and nothing but season elsewhere."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.simulation import SimulatedChange, simulate_change, simulate_scene

if importlib.util.find_spec("earthlib") is None or importlib.util.find_spec("xleaf") is None:
    pytest.skip('needs pip install "specdm[simulate]"', allow_module_level=True)

OPTIONS = {"size": (64, 64), "wavelengths": [480, 560, 660, 710, 860, 1650, 2200], "fwhm": 20.0, "seed": 6}


@pytest.fixture(scope="module")
def simulated() -> SimulatedChange:
    return simulate_change(**OPTIONS)


def test_change_mask_is_the_difference_of_the_class_masks(simulated: SimulatedChange) -> None:
    np.testing.assert_array_equal(simulated.change == 1, simulated.masks[0] != simulated.masks[1])
    scene = simulated.scene
    assert scene.task == "change" and scene.layers == ("change",)
    np.testing.assert_array_equal(scene.dataset["mask"].values[0], simulated.change)
    assert scene.classes is not None and scene.classes.names == ("unchanged", "changed")
    assert 0.05 < simulated.change.mean() < 0.25
    assert scene.dataset.attrs["note"] == "simulated, known truth"


def test_semantic_change_has_a_class_mask_a_date(simulated: SimulatedChange) -> None:
    scene = simulate_change(task="semantic_change", **OPTIONS).scene
    assert scene.task == "semantic_change" and scene.layers == ("2023-06-08", "2024-08-20")
    np.testing.assert_array_equal(scene.dataset["mask"].values, simulated.masks)
    np.testing.assert_array_equal(scene.dataset["image"].values, simulated.scene.dataset["image"].values)


def test_each_date_is_a_linear_mixture(simulated: SimulatedChange) -> None:
    mixed = np.einsum("dkb,dkyx->dbyx", simulated.endmembers, simulated.abundances)
    np.testing.assert_allclose(simulated.noise_free, mixed, atol=1e-12)
    np.testing.assert_allclose(simulated.abundances.sum(axis=1), 1.0, atol=1e-12)
    assert simulated.abundances.min() >= 0


def test_kinds_of_change_that_were_asked_for(simulated: SimulatedChange) -> None:
    """Houses on fields, a cleared wood, a road elsewhere."""
    names = np.array(simulated.classes.names)
    before, after = (simulated.classes.index_of(mask) for mask in simulated.masks)
    turned = {(names[a], names[b]) for a, b in zip(before.ravel(), after.ravel(), strict=True) if a != b}
    assert ("forest", "bare soil") in turned
    assert any(b == "roads" and a != "roads" for a, b in turned) and any(a == "roads" for a, _ in turned)
    built = simulated.class_shares[:, list(names).index("buildings")].sum(axis=(1, 2))
    assert built[1] > built[0]
    fields = {"cereal", "row crops", "grassland", "bare soil"}
    assert any(a in fields and b in fields for a, b in turned)


def test_season_moves_plants_and_leaves_stones(simulated: SimulatedChange) -> None:
    names = list(simulated.endmember_names)
    first, second = simulated.endmembers
    for still in ("asphalt", "red roof", "pale soil"):
        np.testing.assert_array_equal(first[names.index(still)], second[names.index(still)])
    assert np.abs(first - second)[names.index("cereal leaves")].max() > 0.02
    # unchanged fields look different all the same: season is no change
    unchanged = simulated.change == 0
    moved = np.abs(simulated.noise_free[0] - simulated.noise_free[1]).mean(axis=0)[unchanged]
    assert np.median(moved) > 0.01


def test_nothing_changes_if_nothing_shall() -> None:
    simulated = simulate_change(changed=0.0, **(OPTIONS | {"size": (32, 32)}))
    assert not simulated.change.any()
    np.testing.assert_array_equal(simulated.class_shares[0], simulated.class_shares[1])


def test_more_change_if_more_is_asked_for() -> None:
    options = OPTIONS | {"size": (48, 48)}
    shares = [simulate_change(changed=part, **options).change.mean() for part in (0.04, 0.3)]
    assert shares[1] > 2 * shares[0] and shares[1] == pytest.approx(0.3, abs=0.12)


def test_first_date_is_the_scene_of_one_date(simulated: SimulatedChange) -> None:
    alone = simulate_scene(date="2023-06-08", **OPTIONS)
    np.testing.assert_array_equal(alone.scene.dataset["mask"].values[0], simulated.masks[0])
    np.testing.assert_allclose(alone.noise_free, simulated.noise_free[0], atol=1e-12)


def test_same_seed_same_change(simulated: SimulatedChange) -> None:
    again = simulate_change(**OPTIONS)
    assert again.scene.dataset.equals(simulated.scene.dataset)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dates": ("2024-06-01", "2024-06-01")}, "two different ones"),
        ({"task": "segmentation"}, "expected change or semantic_change"),
        ({"classes": ("cereal", "water")}, "nothing can change"),
        ({"changed": 0.9}, "changed=0.9 is out of range"),
    ],
)
def test_bad_arguments_give_one_clear_line(options: dict, words: str) -> None:
    with pytest.raises(SceneError, match=words):
        simulate_change(**options)
