"""Parts on disk: the same after saving and loading, and refused when anything is off."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.part_files import WEIGHTS, load_part_files, save_part_files


def parts() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    made = {
        "image_codec": ImageCodec(5, components=24, latent_channels=4, width=8),
        "mask_codec": MaskCodec(3, latent_channels=2, width=8),
        "denoiser": JointDenoiser((4, 2), 3, widths=(16, 16), layers=1, head_channels=16),
        "prior": CompositionPrior.fitted(torch.tensor([[0.2, 0.8], [0.5, 0.5]]), shares=torch.tensor([0.4, 0.6])),
        "empty_prior": CompositionPrior(rows=0, classes=2),
    }
    for buffer in made["image_codec"].basis.buffers():
        buffer.normal_()
    return made


@pytest.mark.parametrize("name", list(parts()))
def test_the_same_after_saving_and_loading(name: str, tmp_path: Path) -> None:
    part = parts()[name]
    save_part_files(part, tmp_path / "part")
    assert {path.name for path in (tmp_path / "part").iterdir()} == {"config.json", WEIGHTS}
    loaded = load_part_files(tmp_path / "part")
    assert type(loaded) is type(part) and not loaded.training
    assert loaded.state_dict().keys() == part.state_dict().keys()
    for key, value in part.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_part_files(parts()["mask_codec"], tmp_path / "part")
    return tmp_path / "part"


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_part_files(folder)
    assert "\n" not in str(error.value) and str(folder) in str(error.value)
    return str(error.value)


def test_missing_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert WEIGHTS in refused(folder)


@pytest.mark.parametrize("kept", [0, 4, 200, -1])
def test_truncated_weights(folder: Path, kept: int) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:kept])
    assert WEIGHTS in refused(folder)


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.pt", "weights.pkl"])
def test_pickled_weights_are_never_loaded(folder: Path, name: str, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    message = refused(folder)
    assert name in message and "pickled" in message
    assert not (tmp_path / "exploded").exists()


def test_a_pickle_under_the_name_of_safetensors(folder: Path) -> None:
    torch.save(parts()["mask_codec"].state_dict(), folder / WEIGHTS)
    refused(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"_class_name": "UNet2DModel"}, "UNet2DModel"),
        ({"_class_name": None}, "None"),
        ({"classes": 4}, "size mismatch"),
        ({"blocks": 2}, "issing key"),
        ({"classes": "many"}, ""),
    ],
)
def test_config_of_something_else(folder: Path, change: dict, named: str) -> None:
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    assert named in refused(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', b"\xff\xfe\x00"])
def test_broken_config(folder: Path, content: str | bytes) -> None:
    (folder / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert "config.json" in refused(folder)


def test_no_folder(tmp_path: Path) -> None:
    assert "config.json" in refused(tmp_path / "nothing")
