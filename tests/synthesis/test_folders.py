"""A model's folder appears whole or not at all, whatever the library says of a full disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from file_limits import files_of_at_most, names
from safetensors.torch import save_file

from specdm.errors import ModelError
from specdm.synthesis.folders import replacing_folder


def test_a_model_that_has_no_room_is_told_in_a_line(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "model") as folder:
        (folder / "old").touch()
    failing = pytest.raises(ModelError, match=r"model: cannot be written \(File too large\); choose another place$")
    with files_of_at_most(5000), failing, replacing_folder(tmp_path / "model") as folder:
        save_file({"a": torch.zeros(5000)}, folder / "weights.safetensors")
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["old"]
