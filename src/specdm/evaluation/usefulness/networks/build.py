"""A network by its name: one of ours, or a user's own function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.networks.catalog import NETWORKS
from specdm.evaluation.usefulness.networks.own import build_own

if TYPE_CHECKING:
    from torch import nn

INSTALL = 'pip install "specdm[usefulness]"'


def build_network(name: str, *, channels: int, outputs: int, dates: int = 1) -> nn.Module:
    """A new network with random weights, drawn from torch's global generator: call `torch.manual_seed` before.

    Args:
        name: one of `NETWORKS`, or `package.module:function` of your own. The function is looked for among installed
            packages and in the current folder, and called as `function(channels=..., classes=...)`.
        channels: of the input, bands of all dates together.
        outputs: channels of the output, classes or quantities.
        dates: how many the channels are of; only `siamese` tells them apart.

    Raises:
        ConfigError: there is no such network, it cannot be built, or it is not for so many dates.
    """
    _check_counts(channels=channels, outputs=outputs, dates=dates)
    if ":" in name:
        return build_own(name, channels=channels, outputs=outputs)
    if name not in NETWORKS:
        raise ConfigError(
            f"there is no network {name!r}; choose {', '.join(NETWORKS)}, or your own as package.module:function"
        )
    if name == "siamese" and dates < 2:
        raise ConfigError("the network siamese compares two dates, and the tiles have one; choose unet or swin")
    try:
        return _ours(name, channels=channels, outputs=outputs, dates=dates)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "monai":
            raise
        found = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be used ({error})"
        raise ConfigError(f"the network {name} needs MONAI, which {found}; run: {INSTALL}") from error


def _ours(name: str, *, channels: int, outputs: int, dates: int) -> nn.Module:
    # imported one by one: MONAI takes seconds to load, and FreeNet does without it
    if name == "unet":
        from specdm.evaluation.usefulness.networks.unet import build_unet

        return build_unet(channels=channels, outputs=outputs)
    if name == "swin":
        from specdm.evaluation.usefulness.networks.swin import build_swin

        return build_swin(channels=channels, outputs=outputs)
    if name == "siamese":
        from specdm.evaluation.usefulness.networks.siamese import build_siamese

        return build_siamese(channels=channels, outputs=outputs, dates=dates)
    from specdm.evaluation.usefulness.networks.freenet import build_freenet

    return build_freenet(channels=channels, outputs=outputs)


def _check_counts(*, channels: int, outputs: int, dates: int) -> None:
    for what, count in {"channels": channels, "outputs": outputs, "dates": dates}.items():
        if count < 1:
            raise ConfigError(f"{what} is {count}; expected at least 1")
    if channels % dates:
        raise ConfigError(f"{channels} channels are not of {dates} dates; expected as many bands for each date")
