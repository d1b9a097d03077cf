"""Products as other parts of SpecDM meet them: the command line, tiles, imagery without labels, windows, pickling."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from product_files import desis, emit, enmap, landsat, prisma, s2_planes, sentinel2, tif
from typer.testing import CliRunner

from specdm.cli.main import app
from specdm.scenes import open_scene
from specdm.scenes.imagery import imagery_like, open_imagery
from specdm.scenes.pairs import is_many
from specdm.scenes.readers import array_shapes, read_raster
from specdm.scenes.scene import Scene

random = np.random.default_rng(1)
SIDE = 40


def smooth(bands: int, *, seed: int = 0) -> np.ndarray:
    """int16 `(band, 40, 40)` of fields with a spectrum each."""
    own = np.random.default_rng(seed)
    fields = own.integers(500, 4000, (bands, 5, 5)).repeat(8, axis=1).repeat(8, axis=2)
    return (fields + own.integers(-40, 40, fields.shape)).astype(np.int16)


def products(folder: Path) -> dict[str, Path]:
    """One of each sensor."""
    cube = smooth(6).astype(np.uint16)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return {
        "EnMAP L2A": enmap(folder, smooth(4)),
        "DESIS L2A": desis(folder, smooth(3)),
        "Landsat 8 Collection 2 L2SP": landsat(folder, {n: cube[0] + np.uint16(9000 + n) for n in range(1, 8)}),
        "Sentinel-2 L2A": sentinel2(folder, s2_planes()),
        "PRISMA L2D": prisma(folder, cube[:5].transpose(1, 0, 2), cube.transpose(1, 0, 2)),
        "EMIT L2A": emit(folder, smooth(4).transpose(1, 2, 0) / 1e4, columns + 1, rows + 1),
    }


def test_info_of_each(tmp_path: Path) -> None:
    for name, path in products(tmp_path).items():
        result = CliRunner().invoke(app, ["info", str(path)], env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        for word in (name, "reflectance", "EPSG:", " nm", "20"):
            assert word in result.output, (name, word, result.output)


def test_each_is_one_scene_without_named_arrays(tmp_path: Path) -> None:
    for path in products(tmp_path).values():
        assert not is_many(path) and array_shapes(path) == {}
        assert isinstance(open_scene(path), Scene)


def test_each_reads_lazily_and_can_be_pickled(tmp_path: Path) -> None:
    for path in products(tmp_path).values():
        values = read_raster(path).values
        assert values.chunks is not None and values.dtype == np.float32
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(values)).values, values.values)


def test_info_names_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    path = enmap(tmp_path, smooth(4))
    next(path.glob("*METADATA*")).write_text("<a>")
    result = CliRunner().invoke(app, ["info", str(path)])
    assert result.exit_code != 0 and "is no XML, or damaged" in str(result.exception)


def test_info_of_a_folder_of_products(tmp_path: Path) -> None:
    enmap(tmp_path / "all", smooth(4))
    result = CliRunner().invoke(app, ["info", str(tmp_path / "all")], env={"COLUMNS": "200"})
    assert result.exit_code == 0 and "1: ENMAP01" in result.output


def test_tiles_with_a_mask(tmp_path: Path) -> None:
    cloud = np.zeros((SIDE, SIDE), np.uint8)
    cloud[:8, :8] = 1
    path = enmap(tmp_path, smooth(4), layers={"QL_QUALITY_CLOUD": cloud})
    mask = tif(tmp_path / "mask.tif", (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) // 8 % 2 + 1).astype(np.uint8))
    scene = open_scene(path, mask=mask)
    assert isinstance(scene, Scene)
    tiles = scene.tile(size=16, stride=8, split="none")
    assert np.isnan(tiles.images()[0, 0, :, :8, :8]).all()
    assert "EnMAP L2A of 2022-07-24" in str(tiles.dataset.attrs["provenance"])
    assert (tiles.masks()[0, 0, :8, :8] == -1).all()
    np.testing.assert_allclose(tiles.images()[-1, 0, 0], smooth(4)[0, -16:, -16:] * 1e-4, atol=1e-6)


def test_imagery_without_labels(tmp_path: Path) -> None:
    labelled = open_scene(enmap(tmp_path / "a", smooth(4)))
    assert isinstance(labelled, Scene)
    more = enmap(tmp_path / "b", smooth(4, seed=1), name="ENMAP01-____L2A-DT2_20230724T104526Z_001_V010302_20230801")
    # options of the labelled scene that are of no account for a plain file
    opened = open_imagery(more, options={"quality": "keep", "resolution": 10}, like=labelled)
    fitted = imagery_like(opened[0], labelled)
    assert fitted.dates == labelled.dates and fitted.n_bands == 4
    plain = open_imagery(tif(tmp_path / "c.tif", smooth(4)), options={"quality": "keep"}, like=labelled)
    assert plain[0].n_bands == 4


def test_change_of_two_landsat_dates_by_the_command_line(tmp_path: Path) -> None:
    first = landsat(tmp_path / "1", {n: smooth(1, seed=n)[0].astype(np.uint16) + 9000 for n in range(1, 8)})
    second = landsat(tmp_path / "2", {n: smooth(1, seed=n + 9)[0].astype(np.uint16) + 9000 for n in range(1, 8)})
    scene = open_scene([first, second], dates=["2022", "2023"], mask=np.tile([[0, 1]], (SIDE, SIDE // 2)))
    assert isinstance(scene, Scene) and scene.task == "change" and scene.n_dates == 2


@pytest.mark.parametrize("option", ["--quality", "--resolution", "--bad-bands"])
@pytest.mark.parametrize("command", ["train", "annotate", "sample", "scene"])
def test_commands_have_the_options(command: str, option: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert option in result.output
