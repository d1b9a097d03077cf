"""Whether a network gives what the benchmark trains: found by showing it two made tiles, before any time is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specdm.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from torch import nn


def check_network_shape(module: nn.Module, *, channels: int, outputs: int, size: int) -> None:
    """Make sure that a network maps `(2, channels, size, size)` to `(2, outputs, size, size)`, training and not.

    The network is left as it was: its mode, its running statistics and torch's random numbers.

    Args:
        module: the network.
        channels: of the input, bands of all dates together.
        outputs: channels of the output.
        size: pixels along a tile.

    Raises:
        ConfigError: it fails, cannot be trained, or gives something else than finite floating-point numbers of that
            shape.
    """
    import torch

    parameter = next(module.parameters(), torch.empty(0))
    generator = torch.Generator().manual_seed(0)
    tiles = torch.randn(2, channels, size, size, generator=generator).to(parameter.device)
    modes = [(part, part.training) for part in module.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in module.buffers() if not torch.nn.parameter.is_lazy(buffer)]
    devices = [parameter.device] if parameter.device.type == "cuda" else []
    try:
        # both: some networks give more while they are trained, and some normalisations fail only then
        for mode in (True, False):
            with torch.random.fork_rng(devices=devices), torch.set_grad_enabled(mode):
                module.train(mode)
                found = _check_output(module, tiles, outputs=outputs)
                if mode:
                    _check_gradient(module, found)
    finally:
        for part, mode in modes:
            part.training = mode
        for buffer, value in buffers:
            buffer.copy_(value)


def _check_gradient(module: nn.Module, found: torch.Tensor) -> None:
    import torch

    weights = [weight for weight in module.parameters() if weight.requires_grad]
    name = type(module).__name__
    if not weights:
        raise ConfigError(f"the network {name} has no weights that could be trained")
    try:
        torch.autograd.grad(found.square().mean(), weights, allow_unused=True)
    except Exception as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"the network {name} cannot be trained ({type(error).__name__}: {said})") from error


def _check_output(module: nn.Module, tiles: torch.Tensor, *, outputs: int) -> torch.Tensor:
    import torch

    name, shape = type(module).__name__, tuple(tiles.shape)
    wanted = (shape[0], outputs, *shape[2:])
    try:
        found = module(tiles)
    except Exception as error:
        said = " ".join(str(error).split())
        raise ConfigError(
            f"the network {name} fails for tiles {shape} ({type(error).__name__}: {said}); expected an output {wanted}"
        ) from error
    if not isinstance(found, torch.Tensor):
        raise ConfigError(f"the network {name} gives {type(found).__name__}; expected a tensor {wanted}")
    if tuple(found.shape) != wanted:
        raise ConfigError(f"the network {name} gives {tuple(found.shape)} for tiles {shape}; expected {wanted}")
    if not found.is_floating_point():
        raise ConfigError(f"the network {name} gives {found.dtype}; expected logits or quantities, floating-point")
    if not found.isfinite().all():
        raise ConfigError(f"the network {name} gives values that are not finite for standardised tiles {shape}")
    return found
