"""Archives of products that are not whole: named, or one of a folder, they are refused with a line that names them."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from product_files import desis, enmap, landsat, s2_planes, sentinel2, tif

from specdm.cli.main import run
from specdm.errors import FileFormatError
from specdm.scenes import open_scene
from specdm.scenes.scene import Scene

SIDE = 24
CUBE = np.random.default_rng(0).integers(500, 4000, (7, SIDE, SIDE)).astype(np.int16)
BANDS = {n: CUBE[n - 1].astype(np.uint16) + 9000 for n in range(1, 8)}
MAKERS: dict[str, Callable[[Path], Path]] = {
    "enmap": lambda folder: enmap(folder, CUBE[:4], layers={"QL_QUALITY_CLOUD": np.zeros((SIDE, SIDE), np.uint8)}),
    "desis": lambda folder: desis(folder, CUBE[:3]),
    "landsat": lambda folder: landsat(folder, BANDS, pixel=np.full((SIDE, SIDE), 21824, np.uint16)),
    "sentinel2": lambda folder: sentinel2(folder, s2_planes()),
}


def archived(sensor: str, kind: str, folder: Path) -> Path:
    """A product as an archive in `folder`, named as its sensor's products are."""
    product = MAKERS[sensor](folder.with_name(f"{folder.name}_unpacked"))
    folder.mkdir(exist_ok=True)
    # as the agencies pack them: Landsat without a folder
    base = None if sensor == "landsat" else product.name
    made = shutil.make_archive(str(folder / product.name), kind, product if base is None else product.parent, base)
    return Path(made)


def truncated(path: Path, share: float) -> Path:
    # without the zeros with which tar fills its last blocks
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[: int(share * len(content))])
    return path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The line of a command that must end with exit code 2."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        run([str(argument) for argument in arguments])
    told = capsys.readouterr().err
    assert end.value.code == 2 and told.count("\n") == 1 and "Traceback" not in told, told
    return told


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("sensor", MAKERS)
def test_a_truncated_archive_is_told(sensor: str, kind: str, share: float, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "images"
    path = archived(sensor, kind, folder)
    assert isinstance(open_scene(path), Scene)
    truncated(path, share)
    tif(folder / "plain.tif", CUBE[:4])
    for given in (path, folder):
        told = refusal(capsys, "info", given)
        assert str(path) in told and "truncated" in told and "copy or download it again" in told, told
        with pytest.raises(FileFormatError, match="truncated"):
            open_scene(given)


def test_train_tells_it_of_images_and_of_imagery_without_labels(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "images"
    path = truncated(archived("enmap", "zip", folder), 0.5)
    scene = tif(tmp_path / "scene.tif", CUBE[:4])
    mask = tif(tmp_path / "mask.tif", np.ones((SIDE, SIDE), np.uint8))
    for given in ([folder, "--mask", tmp_path], [scene, "--mask", mask, "--unlabelled", folder],
                  [scene, "--mask", mask, "--unlabelled", f"{folder}/*"]):  # fmt: skip
        assert f"{path}: cannot be read as an archive" in refusal(capsys, "train", *given, "-o", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("blocks", range(1, 12))
def test_a_tar_that_ends_between_two_files(blocks: int, tmp_path: Path) -> None:
    """Python's tarfile passes over it: it would be a product without its last bands or quality layers."""
    path = archived("landsat", "tar", tmp_path / "images")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    whole = path.read_bytes()
    path.write_bytes(whole[: members[blocks % len(members)].offset] or whole[:512])
    with pytest.raises(FileFormatError, match=r"damaged or truncated.*copy or download it again"):
        open_scene(path)


def test_a_tar_whose_middle_is_lost(tmp_path: Path) -> None:
    path = archived("landsat", "tar", tmp_path / "images")
    with tarfile.open(path) as archive:
        lost = archive.getmembers()[3].offset
    content = bytearray(path.read_bytes())
    content[lost : lost + 512] = b"\xff" * 512
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"after 3 files there is neither another nor the mark of the end"):
        open_scene(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("sensor", "pattern"),
    [
        ("enmap", "SPECTRAL_IMAGE.TIF"), ("enmap", "QUALITY_CLOUD.TIF"), ("enmap", "METADATA.XML"),
        ("sentinel2", "B11_20m.jp2"), ("landsat", "SR_B4.TIF"), ("landsat", "MTL.json"),
    ],
)  # fmt: skip
def test_damage_within_a_zip_is_found_by_its_checksum(
    sensor: str, pattern: str, compression: int, tmp_path: Path
) -> None:
    made = archived(sensor, "zip", tmp_path / "made")
    path = tmp_path / made.name
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w", compression) as target:
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
        hit = next(info for info in target.infolist() if info.filename.endswith(pattern))
    assert isinstance(open_scene(path), Scene)
    content = bytearray(path.read_bytes())
    middle = hit.header_offset + 30 + len(hit.filename) + hit.compress_size // 2
    content[middle] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"{path.name}: .*{pattern}.*(damaged|cannot be read).*again"):
        open_scene(path)


def test_a_safe_without_metadata_is_an_incomplete_product(tmp_path: Path) -> None:
    made = archived("sentinel2", "zip", tmp_path / "made")
    folder = tmp_path / "images"
    folder.mkdir()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(folder / made.name, "w") as target:
        for info in source.infolist():
            if not info.filename.endswith("MTD_MSIL2A.xml"):
                target.writestr(info.filename, source.read(info))
    for given in (folder / made.name, folder):
        with pytest.raises(FileFormatError, match=r"with the metadata .*but it is missing"):
            open_scene(given)


def test_an_archive_of_something_else_is_no_scene(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    for name in ("one", "two"):
        tif(folder / f"{name}.tif", CUBE[:4])
    with zipfile.ZipFile(folder / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "mine")
    (tmp_path / "nothing").mkdir()
    shutil.make_archive(str(folder / "empty"), "tar", tmp_path / "nothing")
    assert [scene.name for scene in open_scene(folder)] == ["one", "two"]
