"""A user's own network: found beside them, called as promised, and every way it can be wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.networks import build_network, check_network_shape

GOOD = """
from torch import nn

def build(channels, classes):
    return nn.Conv2d(channels, classes, 3, padding=1)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def own(name: str) -> nn.Module:
    return build_network(name, channels=5, outputs=4)


def test_a_function_in_the_current_folder_is_called_with_channels_and_classes(folder: Path) -> None:
    (folder / "my_net.py").write_text(GOOD)
    path = list(sys.path)
    network = own("my_net:build")
    assert isinstance(network, nn.Conv2d)
    assert (network.in_channels, network.out_channels) == (5, 4)
    assert sys.path == path


def test_it_may_lie_in_a_package_and_import_what_lies_beside_it(folder: Path) -> None:
    package = folder / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (folder / "my_layers.py").write_text(GOOD)
    (package / "nets.py").write_text("def build(**given):\n    import my_layers\n    return my_layers.build(**given)\n")
    assert isinstance(own("my_package.nets:build"), nn.Conv2d)


WRONG = {
    "no module": ("nowhere:build", None, r"cannot import nowhere: .*neither installed nor in the current folder"),
    "no such part": ("my_net.part:build", GOOD, "cannot import my_net.part: .*neither installed nor"),
    "what it needs is missing": ("my_net:build", "import not_there_at_all", "No module named 'not_there_.*; mend it"),
    "no Python": ("my_net:build", "def build(:", "cannot import my_net: SyntaxError"),
    "a script that ends": ("my_net:build", "import sys\nsys.exit(3)", "cannot import my_net: SystemExit: 3"),
    "no function": ("my_net:make", GOOD, r"no make in .*my_net\.py; expected a function there, and there is build"),
    "no function at all": ("my_net:make", "build = 3", "there is none"),
    "not callable": ("my_net:build", "build = 3", "build is of type int in"),
    "other arguments": ("my_net:build", "def build(bands): ...", "failed for channels=5, classes=4: TypeError"),
    "it fails": ("my_net:build", "def build(**_): 1 / 0", "failed for channels=5, .*: ZeroDivisionError: division"),
    "nothing returned": ("my_net:build", "def build(**_): pass", "returned None; expected a torch.nn.Module"),
    "no module returned": ("my_net:build", "def build(**_): return [1]", "returned of type list; expected a torch"),
    "nothing to learn": (
        "my_net:build",
        "from torch import nn\ndef build(**_): return nn.Identity()",
        "no parameter to learn",
    ),
    "a file": ("models/my_net.py:build", GOOD, "run in its folder and name it my_net:build"),
    "a file here": ("my_net.py:build", GOOD, "name it my_net:build"),
    "no name": (":build", None, "names no function of a module; expected package.module:function"),
    "no function named": ("my_net:", GOOD, "names no function of a module"),
}


@pytest.mark.parametrize(("name", "text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(folder: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (folder / "my_net.py").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        own(name)
    assert "\n" not in str(caught.value)


class Gives(nn.Module):
    """Gives what a function makes of its convolution's output."""

    def __init__(self, change) -> None:
        super().__init__()
        self.change = change
        self.layer = nn.Conv2d(5, 4, 1)

    def forward(self, tiles: torch.Tensor) -> object:
        return self.change(self, self.layer(tiles))


def in_place(out: torch.Tensor) -> torch.Tensor:
    found = out.sigmoid()
    found += 1
    return found


SHAPES = {
    "fewer outputs": (lambda _, out: out[:, :3], r"gives \(2, 3, 8, 8\) for tiles \(2, 5, 8, 8\); .* \(2, 4, 8, 8\)"),
    "smaller": (lambda _, out: out[..., ::2, ::2], r"gives \(2, 4, 4, 4\)"),
    "one value a tile": (lambda _, out: out.mean(dim=(2, 3)), r"gives \(2, 4\)"),
    "more while it is trained": (lambda net, out: [out, out] if net.training else out, "gives list; expected a tensor"),
    "labels": (lambda _, out: out.argmax(dim=1, keepdim=True).expand_as(out), "gives torch.int64"),
    "not finite": (lambda _, out: out.log(), "not finite"),
    "changed in place": (lambda _, out: in_place(out), r"cannot be trained \(RuntimeError: .*inplace"),
    "nothing to learn": (lambda _, out: out.detach(), "cannot be trained"),
    "it fails": (lambda _, out: out.view(3, -1), r"fails for tiles \(2, 5, 8, 8\) \(RuntimeError: .*expected an"),
}


@pytest.mark.parametrize(("change", "said"), SHAPES.values(), ids=SHAPES)
def test_an_output_of_another_kind_is_refused(change, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        check_network_shape(Gives(change), channels=5, outputs=4, size=8)
    assert "\n" not in str(caught.value)


def test_looking_at_a_network_leaves_it_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(5, 8, 1), nn.BatchNorm2d(8), nn.Dropout(), nn.Conv2d(8, 4, 1))
    network[1].eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    check_network_shape(network, channels=5, outputs=4, size=8)
    assert torch.equal(torch.rand(3), wanted)
    assert [part.training for part in network] == [True, False, True, True]
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_layers_that_find_their_own_width_are_welcome() -> None:
    check_network_shape(nn.Sequential(nn.LazyConv2d(8, 1), nn.Conv2d(8, 4, 1)), channels=5, outputs=4, size=8)
