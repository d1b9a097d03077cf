"""Downstream networks: what synthetic tiles shall make better, from tiles `(n, channels, y, x)` to a value a pixel.

Channels are the bands of the first date, then those of the next, standardised and without NaN; the output is
`(n, outputs, y, x)`: logits of classes, or quantities.
"""

from specdm.evaluation.usefulness.networks.build import build_network
from specdm.evaluation.usefulness.networks.catalog import NETWORKS, NetworkInfo
from specdm.evaluation.usefulness.networks.shape import check_network_shape

__all__ = ["NETWORKS", "NetworkInfo", "build_network", "check_network_shape"]
