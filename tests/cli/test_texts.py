"""What users write in options."""

from __future__ import annotations

from pathlib import Path

import pytest

from specdm.cli import texts
from specdm.errors import ConfigError


def test_class_names_as_text() -> None:
    assert texts.class_names("1=corn, 2=bare soil") == {1: "corn", 2: "bare soil"}
    assert texts.class_names("corn,bare soil") == ["corn", "bare soil"]
    assert texts.class_names(None) is None
    with pytest.raises(ConfigError, match="--class-names: 1 is both 'corn' and 'oats'"):
        texts.class_names("1=corn,1=oats")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("n.yaml", "1: corn\n2: bare soil\n", {1: "corn", 2: "bare soil"}),
        ("n.yml", "- corn\n- woods\n", ["corn", "woods"]),
        ("n.csv", "value,name\n1,corn\n2,bare soil\n", {1: "corn", 2: "bare soil"}),
        ("n.csv", "\ufeff1,corn\n-3,woods\n", {1: "corn", -3: "woods"}),
        ("n.json", '{"4": "corn"}', {4: "corn"}),
    ],
)
def test_class_names_from_files(tmp_path: Path, name: str, content: str, expected: object) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert texts.class_names(str(tmp_path / name)) == expected


@pytest.mark.parametrize("content", ["", "just words", "a: b", "[1: {"])
def test_class_files_without_names_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "names.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"names\.yaml"):
        texts.class_names(str(path))


def test_numbers() -> None:
    assert texts.numbers_or_file("450, 550.5", option="--wavelengths") == [450.0, 550.5]
    assert texts.numbers("-32768", option="--nodata") == [-32768.0]
    assert texts.whole_numbers("0,255", option="--unlabelled") == [0, 255]
    assert texts.whole_numbers("none", option="--unlabelled") == []
    assert texts.choices("3,B8A,450-900,-1,--5") == [3, "B8A", "450-900", -1, "--5"]


def test_wavelengths_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.txt"
    path.write_text("450\n")
    assert texts.numbers_or_file(str(path), option="--wavelengths") == str(path)
    with pytest.raises(ConfigError, match="no such file"):
        texts.numbers_or_file("nowhere.txt", option="--wavelengths")


def test_composition() -> None:
    assert texts.composition("woods=0.3,bare soil=0.1") == {"woods": 0.3, "bare soil": 0.1}
    for wrong in ("woods", "woods=much", "woods=1.5", "a=0.7,b=0.7"):
        with pytest.raises(ConfigError, match="--composition"):
            texts.composition(wrong)


def test_settings() -> None:
    found = texts.settings(["denoiser.widths=[16, 32]", "codec.minutes=null", "seed=3"])
    assert found == {"denoiser.widths": [16, 32], "codec.minutes": None, "seed": 3}
    with pytest.raises(ConfigError, match="name=value"):
        texts.settings(["seed"])
