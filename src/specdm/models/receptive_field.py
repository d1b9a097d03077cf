"""How far a stack of convolutions looks, so that large scenes can be coded in parts."""

from __future__ import annotations

from torch import nn


def reach(layers: nn.Module) -> int:
    """Cells to each side that one output cell of these layers depends on, counted as if they stood in a row.

    Parts that stand side by side (a codec's linear and its residual path) are counted too, so this is never too
    little; layers that look at a whole tile at once (attention, normalisation over pixels) are not allowed.
    """
    found = 0
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d):
            found += max(d * (k // 2) for d, k in zip(layer.dilation, layer.kernel_size, strict=True))
    return found
