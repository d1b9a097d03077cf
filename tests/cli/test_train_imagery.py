"""`specdm train --unlabelled`: imagery without labels as files, folders and patterns, remembered by the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from specdm.report.scene_source import SceneSource
from specdm.tiles.store import open_tiles

WAVELENGTHS = ",".join(str(450 + 50 * i) for i in range(12))


@pytest.fixture
def more(files) -> list[Path]:
    """Two images like the labelled one, in a folder of their own."""
    folder = files.folder / "more"
    folder.mkdir()
    image = np.load(files.image)
    for name in ("a", "b"):
        np.save(folder / f"{name}.npy", image[:30, :24])
    return [folder / "a.npy", folder / "b.npy"]


def train(files, run: Path, *options: object) -> list[object]:
    return ["train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16, *options]


def sources(run: Path) -> dict[str, set[str]]:
    tiles = open_tiles(run / "tiles" / "tiles.zarr")
    return {
        "labelled": set(tiles.of_labelled_scenes().dataset["source"].values.tolist()),
        "others": set(tiles.unlabelled_sources),
    }


def test_it_joins_training_and_the_run_remembers_it(
    specdm_command, refused, files, more, no_training, tmp_path: Path, monkeypatch
) -> None:
    run, alone = tmp_path / "run", tmp_path / "alone"
    command = train(files, run, "--wavelengths", WAVELENGTHS, *(part for m in more for part in ("--unlabelled", m)))
    outcome = specdm_command(*command)
    assert outcome.code == 0, outcome.err
    assert "without labels" in outcome.out
    assert sources(run) == {"labelled": {"image"}, "others": {"a", "b"}}
    assert specdm_command(*train(files, alone, "--wavelengths", WAVELENGTHS)).code == 0
    with_more, without = (open_tiles(folder / "tiles" / "tiles.zarr") for folder in (run, alone))
    assert with_more.of_labelled_scenes().dataset["tile_name"].equals(without.dataset["tile_name"])
    assert yaml.safe_load((run / "source.yaml").read_text())["unlabelled"] == [str(m) for m in more]
    assert "unlabelled" not in yaml.safe_load((alone / "source.yaml").read_text())
    monkeypatch.chdir(tmp_path.parent)
    assert specdm_command("train", run).code == 0
    assert specdm_command(*command).code == 0
    assert "unlabelled" in refused(*train(files, run, "--wavelengths", WAVELENGTHS))
    assert "--unlabelled" in refused("train", run, "--unlabelled", more[0])


def test_tiles_are_cut_again_from_what_the_run_remembers(specdm_command, files, more, no_training, tmp_path) -> None:
    import shutil

    run = tmp_path / "run"
    assert specdm_command(*train(files, run, "--unlabelled", more[0])).code == 0
    shutil.rmtree(run / "tiles")
    assert specdm_command("train", run).code == 0
    assert sources(run)["others"] == {"a"}


@pytest.mark.parametrize("what", ["folder", "pattern", "mixed"])
def test_folders_and_patterns(specdm_command, files, more, no_training, tmp_path: Path, what: str) -> None:
    folder = more[0].parent
    (folder / "readme.txt").write_text("no image")
    # the labelled image itself may lie there too
    (folder / "image.npy").symlink_to(files.image)
    given = {
        "folder": ["--unlabelled", folder],
        "pattern": ["--unlabelled", folder / "*"],
        "mixed": ["--unlabelled", folder / "[ab].npy", "--unlabelled", more[0]],
    }[what]
    run = tmp_path / "run"
    outcome = specdm_command(*train(files, run, *given))
    assert outcome.code == 0, outcome.err
    assert sources(run)["others"] == {"a", "b"}


def test_an_envi_pattern_counts_header_and_data_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.hdr").write_text("ENVI\n")
        (tmp_path / f"{name}.img").write_bytes(b"data")
    for pattern, ending in (("*", "hdr"), ("*.hdr", "hdr"), ("*.img", "img")):
        source = SceneSource.of([tmp_path / "x.hdr"], {}, unlabelled=[str(tmp_path / pattern)])
        assert source.unlabelled == tuple((tmp_path / f"{name}.{ending}",) for name in ("a", "b"))


def test_a_file_a_date(specdm_command, refused, files, more, no_training, tmp_path: Path) -> None:
    change = files.folder / "change.npy"
    np.save(change, (np.load(files.mask) == 2).astype(np.uint8))
    begin = ["train", files.image, files.image, "--dates", "before,after", "--mask", change, "--tile-size", 16]
    run = tmp_path / "run"
    outcome = specdm_command(*begin, "-o", run, "--unlabelled", f"{more[0]},{more[1]}")
    assert outcome.code == 0, outcome.err
    assert open_tiles(run / "tiles" / "tiles.zarr").dates == ("before", "after")
    record = yaml.safe_load((run / "source.yaml").read_text())
    assert record["unlabelled"] == [[str(more[0]), str(more[1])]]
    assert SceneSource.from_record(record, where=run).unlabelled == (tuple(more),)
    other = tmp_path / "other"
    line = refused(*begin, "-o", other, "--unlabelled", more[0])
    assert "a.npy" in line and "2 dates" in line
    line = refused(*train(files, other, "--unlabelled", f"{more[0]},{more[1]}"))
    assert "2 files" in line and "image has 1" in line


def test_an_embedded_scene_has_it_too(specdm_command, no_training, tmp_path: Path) -> None:
    from specdm.scenes.samples import indian_pines

    scene = indian_pines()
    file = tmp_path / "more.npy"
    np.save(file, np.moveaxis(scene.window(0, 0, 40, 40)[0][0], 0, -1))
    outcome = specdm_command("train", "indian_pines", "-o", tmp_path / "run", "--unlabelled", file)
    assert outcome.code == 0, outcome.err
    assert sources(tmp_path / "run")["others"] == {"more"}
    assert specdm_command("train", tmp_path / "run").code == 0


class TestMistakes:
    """Each is one line, and nothing is written."""

    @pytest.mark.parametrize("value", ["0", "0,255", "none", "-9999"])
    def test_a_mask_value(self, refused, files, tmp_path: Path, value: str) -> None:
        line = refused(*train(files, tmp_path / "run", "--unlabelled", value))
        assert f"--unlabelled-value {value}" in line

    def test_the_option_of_mask_values(self, specdm_command, refused, files, no_training, tmp_path: Path) -> None:
        np.save(files.mask, np.where(np.load(files.mask) < 0, 9, np.load(files.mask)))
        run = tmp_path / "run"
        assert specdm_command(*train(files, run, "--unlabelled-value", 9)).code == 0
        assert no_training[0]["tiles"].classes.values == (2, 5, 7)
        assert "--unlabelled-value" in refused("train", run, "--unlabelled-value", 9)

    def test_no_such_file(self, refused, files, tmp_path: Path) -> None:
        assert "nothing.hdr" in refused(*train(files, tmp_path / "run", "--unlabelled", tmp_path / "nothing.hdr"))
        line = refused(*train(files, tmp_path / "run", "--unlabelled", tmp_path / "*.hdr"))
        assert "*.hdr" in line and "pattern" in line

    def test_the_labelled_image(self, refused, files, tmp_path: Path) -> None:
        line = refused(*train(files, tmp_path / "run", "--unlabelled", files.image))
        assert "image.npy" in line and "test ground" in line

    def test_other_bands(self, refused, files, more, tmp_path: Path) -> None:
        np.save(more[1], np.load(more[1])[..., :11])
        line = refused(*train(files, tmp_path / "run", *(p for m in more for p in ("--unlabelled", m))))
        assert "b.npy" in line and "a.npy" not in line and "band 12" in line

    def test_smaller_than_a_tile(self, refused, files, more, tmp_path: Path) -> None:
        np.save(more[0], np.load(more[0])[:15])
        line = refused(*train(files, tmp_path / "run", "--unlabelled", more[0]))
        assert "a.npy" in line and "15 x 24" in line
