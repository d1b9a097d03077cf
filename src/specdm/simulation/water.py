"""Reflectance of open water from what is in it: a small analytic model of optically deep water.

Reflectance below the surface follows u = b_b / (a + b_b) as r = (g0 + g1 u) u (Gordon et al. 1988,
doi:10.1029/JD093iD09p10909), with g0, g1 and the passage through the surface of Lee, Carder and Arnone (2002,
doi:10.1364/AO.41.005755). Absorption of pure water is rounded: to 720 nm after Pope and Fry (1997,
doi:10.1364/AO.36.008710), to 990 nm from the liquid water of PROSPECT-D (Féret et al. 2017), and rough beyond, where
water is black all the same. Scattering of pure water after Morel (1974). The absorption of phytoplankton is
simplified to its two peaks at 440 and 675 nm.
"""

from __future__ import annotations

import numpy as np

from specdm.simulation.library import GRID

# nm and 1/m
_PURE_WATER = np.array([
    (400, 0.0066), (420, 0.0045), (440, 0.0064), (460, 0.0098), (480, 0.0127), (500, 0.0204), (520, 0.0409),
    (540, 0.0474), (560, 0.0619), (580, 0.0896), (590, 0.135), (600, 0.222), (620, 0.276), (640, 0.311),
    (660, 0.410), (680, 0.465), (690, 0.516), (700, 0.624), (710, 0.827), (720, 1.23), (730, 1.62), (740, 2.53),
    (750, 2.73), (770, 2.75), (780, 2.66), (800, 2.25), (820, 2.33), (830, 3.2), (840, 3.9), (860, 4.5),
    (880, 5.3), (900, 6.4), (920, 8.5), (940, 18.0), (960, 44.0), (970, 48.0), (990, 45.0), (1000, 41.0),
    (1050, 15.0), (1100, 18.0), (1150, 90.0), (1200, 120.0), (1300, 120.0), (1400, 1500.0), (2450, 5000.0),
])  # fmt: skip


def water_reflectance(*, chlorophyll: float = 6.0, sediment: float = 3.0, cdom: float = 0.3) -> np.ndarray:
    """Reflectance of deep water on the grid of end members.

    Args:
        chlorophyll: mg per cubic metre.
        sediment: suspended mineral particles, g per cubic metre.
        cdom: absorption of dissolved organic matter at 440 nm, 1/m.

    Returns:
        float64 `(len(GRID),)`, 0 to about 0.15, with 0.004 of sky light reflected at the surface.
    """
    pure = np.exp(np.interp(GRID, _PURE_WATER[:, 0], np.log(_PURE_WATER[:, 1])))
    peaks = np.exp(-0.5 * ((GRID - 440) / 40) ** 2) + 0.45 * np.exp(-0.5 * ((GRID - 675) / 12) ** 2)
    # 0.06 chl^0.65 is the absorption at 440 nm of Morel and Maritorena (2001)
    absorption = pure + 0.06 * chlorophyll**0.65 * peaks + cdom * np.exp(-0.015 * (GRID - 440))
    scattering = 0.00144 * (500 / GRID) ** 4.32 + 0.012 * sediment * (555 / GRID) ** 0.7
    scattering = scattering + 0.002 * chlorophyll**0.6 * (555 / GRID)
    u = scattering / (absorption + scattering)
    below = (0.089 + 0.1245 * u) * u
    return np.pi * 0.52 * below / (1 - 1.7 * below) + 0.004
