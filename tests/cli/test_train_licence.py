"""Licence and citation: from the command line or the catalogue to tiles, model, exports and their cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
import yaml
from little_scenes import make_little_scene

from specdm.scenes.catalog import find
from specdm.scenes.samples import indian_pines
from specdm.scenes.scene import Scene
from specdm.synthesis.facts import TileFacts
from specdm.tiles.store import open_tiles
from specdm.tiles.tiling import tile_scenes


@pytest.fixture
def card_of(specdm_command, tmp_path: Path):
    """The card of an export of a run's real tiles."""

    def call(run: Path) -> str:
        folder = tmp_path / "export"
        outcome = specdm_command("export", run / "tiles" / "tiles.zarr", "-f", "npz", "-o", folder)
        assert outcome.code == 0, outcome.err
        return (folder / "README.md").read_text(encoding="utf-8")

    return call


def test_what_the_user_says(specdm_command, files, no_training, card_of, tmp_path: Path) -> None:
    said = ("--licence", "CC BY 4.0", "--citation", "Me (2024), Fields")
    run = tmp_path / "run"
    outcome = specdm_command("train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16, *said)
    assert outcome.code == 0, outcome.err
    tiles = open_tiles(run / "tiles" / "tiles.zarr")
    assert (tiles.licence, tiles.citation) == ("CC BY 4.0", "Me (2024), Fields")
    assert yaml.safe_load((run / "source.yaml").read_text())["options"]["licence"] == "CC BY 4.0"
    card = card_of(run)
    assert "Citation of the source data: Me (2024), Fields" in card
    assert "Licence of the source data: CC BY 4.0" in card
    drawn = TileFacts.of(tiles).drawn_attrs(source="model")
    assert (drawn["licence"], drawn["citation"]) == ("CC BY 4.0", "Me (2024), Fields")


def test_nothing_said_is_told_as_unknown(specdm_command, files, no_training, card_of, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert specdm_command("train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16).code == 0
    assert open_tiles(run / "tiles" / "tiles.zarr").licence is None
    assert "Licence of the source data: unknown, none was recorded; ask its publisher" in card_of(run)


@pytest.mark.parametrize("said", [(), ("--licence", "by agreement")])
def test_what_the_catalogue_knows(specdm_command, no_training, card_of, tmp_path: Path, said: tuple[str, ...]) -> None:
    folder, run = tmp_path / "data", tmp_path / "run"
    folder.mkdir()
    random = np.random.default_rng(0)
    cube, mask = random.normal(1000, 200, (48, 40, 200)), np.kron(random.integers(0, 17, (6, 5)), np.ones((8, 8)))
    scipy.io.savemat(folder / "Indian_pines_corrected.mat", {"indian_pines_corrected": cube})
    scipy.io.savemat(folder / "Indian_pines_gt.mat", {"indian_pines_gt": mask.astype(np.uint8)})
    command = ("train", folder, "--dataset", "indian-pines", "-o", run, "--tile-size", 16, *said)
    outcome = specdm_command(*command)
    assert outcome.code == 0, outcome.err
    entry, tiles = find("indian-pines"), open_tiles(run / "tiles" / "tiles.zarr")
    licence = said[1] if said else entry.licence
    assert (tiles.licence, tiles.citation) == (licence, entry.citation)
    card = card_of(run)
    assert f"Citation of the source data: {entry.citation}" in card
    assert f"Licence of the source data: {licence}" in card


def test_the_embedded_scene_has_its_own() -> None:
    assert indian_pines().dataset.attrs["licence"] == find("indian-pines").licence


def test_a_licence_that_is_not_stated_is_unknown(tmp_path: Path) -> None:
    from specdm.tiles.export import export_tiles

    scene = make_little_scene()
    scene.dataset.attrs["licence"] = find("salinas").licence
    export_tiles(scene.tile(size=16), format="npz", folder=tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "Licence of the source data: unknown, not stated; ask its publisher" in card


def test_different_licences_do_not_pass_for_each_other() -> None:
    scenes = []
    for name, licence in (("a", "CC BY 4.0"), ("b", None), ("c", "GPL-3.0"), ("d", "CC BY 4.0")):
        scene = make_little_scene(name=name)
        more = {} if licence is None else {"licence": licence}
        scenes.append(Scene(scene.dataset.assign_attrs(more)))
    tiles = tile_scenes(scenes, size=16)
    assert tiles.licence == "CC BY 4.0 (a, d); not recorded (b); GPL-3.0 (c)"
