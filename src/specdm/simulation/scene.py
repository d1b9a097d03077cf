"""One simulated scene: a landscape, its spectra, light and noise, and all that is true of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene
from specdm.simulation.bands import Bands
from specdm.simulation.covers import Legend
from specdm.simulation.districts import draw_districts
from specdm.simulation.draws import generator
from specdm.simulation.ground import Ground
from specdm.simulation.lines import draw_main_road, draw_water
from specdm.simulation.materials import material_spectra
from specdm.simulation.mixing import class_shares, lit, material_shares
from specdm.simulation.noise import SensorNoise, draw_noise, noise_covariance
from specdm.simulation.sun import illumination, sun_at

NOTE = "simulated, known truth"
_STRIP_CELLS = 2**18


@dataclass(frozen=True)
class Site:
    """What is asked for beside the landscape; the arguments of `simulate_scene` that two dates share."""

    size: tuple[int, int]
    bands: Bands
    legend: Legend
    seed: int
    noise: SensorNoise | np.ndarray | float | None
    pixel_size: float
    subpixels: int
    field_size: float
    latitude: float
    relief: float
    haze: float
    texture: float
    label_above: float

    @classmethod
    def create(
        cls,
        *,
        size: tuple[int, int] = (128, 128),
        sensor: str | None = None,
        wavelengths: Sequence[float] | np.ndarray | None = None,
        fwhm: Sequence[float] | np.ndarray | float | None = None,
        classes: Sequence[str] | None = None,
        seed: int = 0,
        noise: SensorNoise | np.ndarray | float | None = SensorNoise(),
        pixel_size: float = 20.0,
        subpixels: int = 4,
        field_size: float = 170.0,
        latitude: float = 48.0,
        relief: float = 40.0,
        haze: float = 0.08,
        texture: float = 1.0,
        label_above: float = 0.0,
    ) -> Site:
        """Checked arguments, see `simulate_scene`."""
        if len(size) != 2 or min(size) < 4:
            raise SceneError(f"size {tuple(size)} is too small; expected rows and columns, 4 or more each")
        for name, value, least, most in (
            ("seed", seed, 0, 2**32 - 1), ("pixel_size", pixel_size, 0.5, 500), ("subpixels", subpixels, 1, 16),
            ("field_size", field_size, 10, 1e5), ("relief", relief, 0, 2000), ("haze", haze, 0, 0.9),
            ("texture", texture, 0, 5), ("label_above", label_above, 0, 1),
        ):  # fmt: skip
            if not least <= value <= most:
                raise SceneError(f"{name}={value} is out of range; expected {least:g} to {most:g}")
        return cls(
            (int(size[0]), int(size[1])), Bands.create(sensor=sensor, wavelengths=wavelengths, fwhm=fwhm),
            Legend.create(classes), int(seed), noise, float(pixel_size), int(subpixels), float(field_size),
            float(latitude), float(relief), float(haze), float(texture), float(label_above),
        )  # fmt: skip

    def land(self) -> Ground:
        """The map without the main road, the same for a seed."""
        shape = self.size[0] * self.subpixels, self.size[1] * self.subpixels
        ground = Ground.empty(self.legend, shape=shape, spacing=self.pixel_size / self.subpixels)
        draw_districts(ground, seed=self.seed, field_size=self.field_size)
        draw_water(ground, seed=self.seed)
        return ground


@dataclass(frozen=True)
class View:
    """A landscape as seen on one date, with its truth; shapes as in `Simulated`."""

    image: np.ndarray
    noise_free: np.ndarray
    endmembers: np.ndarray
    abundances: np.ndarray
    class_shares: np.ndarray
    mask: np.ndarray
    light: np.ndarray
    noise_covariance: np.ndarray


@dataclass(frozen=True)
class Simulated:
    """A simulated scene and its truth. All are reflectances or shares of a pixel.

    The one equation that holds everywhere: `noise_free = endmembers.T @ abundances`, with abundances that are not
    negative and sum to one. Texture and the mixture at borders are abundances; so is light, since what light a pixel
    lacks is abundance of the end member "shade". A fully constrained linear unmixing therefore returns `abundances`.

    Attributes:
        scene: the noisy image with the class mask (the class with the largest share of the pixel).
        abundances_scene: the same image with the abundances as a continuous mask.
        abundances: float64 `(k, y, x)`, 0 to 1, sums to one over k.
        endmembers: float64 `(k, band)`.
        endmember_names: one an end member.
        noise_free: float64 `(band, y, x)`.
        class_shares: float32 `(class, y, x)`, share of the pixel's area in the order of `scene.classes`.
        light: float64 `(y, x)`, share of the light of the brightest slope.
        noise_covariance: float64 `(band, band)`, of the noise that `scene` holds beside `noise_free`.
    """

    scene: Scene
    abundances_scene: Scene
    abundances: np.ndarray
    endmembers: np.ndarray
    endmember_names: tuple[str, ...]
    noise_free: np.ndarray
    class_shares: np.ndarray
    light: np.ndarray
    noise_covariance: np.ndarray


def simulate_scene(
    *,
    size: tuple[int, int] = (128, 128),
    sensor: str | None = None,
    wavelengths: Sequence[float] | np.ndarray | None = None,
    fwhm: Sequence[float] | np.ndarray | float | None = None,
    classes: Sequence[str] | None = None,
    date: str = "2024-06-08",
    seed: int = 0,
    noise: SensorNoise | np.ndarray | float | None = SensorNoise(),
    pixel_size: float = 20.0,
    subpixels: int = 4,
    field_size: float = 170.0,
    latitude: float = 48.0,
    relief: float = 40.0,
    haze: float = 0.08,
    texture: float = 1.0,
    label_above: float = 0.0,
    name: str = "simulated",
) -> Simulated:
    """Farmland with woods, settlements, roads and a river, from measured and modelled spectra, with its truth.

    The same arguments give the same scene.

    Args:
        size: rows and columns in pixels.
        sensor: "aviris" (default), "enmap" or "sentinel2".
        wavelengths: band centres in nm instead of a sensor, 400 to 2450.
        fwhm: band widths in nm, with `wavelengths`: one a band or one for all.
        classes: some of `covers.COVERS`; default all. The end members are what the classes are made of, and shade.
        date: season and sun, as "2024-06-08".
        seed: of landscape, spectra, texture and noise.
        noise: covariance between bands `(band, band)` in squared reflectance, or in words, or a signal-to-noise
            ratio, or None.
        pixel_size: metres.
        subpixels: cells along the side of a pixel on which borders are drawn.
        field_size: typical side of a field in metres.
        latitude: degrees north, for the sun.
        relief: standard deviation of the ground's height in metres, for slopes in light and shade.
        haze: most light that thin haze takes away, 0 to 0.9.
        texture: how much parcels differ from each other and within, 0 to 5.
        label_above: pixels whose largest class covers less than this share stay unlabelled, 0 to 1.
        name: of the scene.

    Raises:
        SceneError: earthlib or xleaf is not installed, or an argument is out of range.
    """
    site = Site.create(
        size=size, sensor=sensor, wavelengths=wavelengths, fwhm=fwhm, classes=classes, seed=seed, noise=noise,
        pixel_size=pixel_size, subpixels=subpixels, field_size=field_size, latitude=latitude, relief=relief,
        haze=haze, texture=texture, label_above=label_above,
    )  # fmt: skip
    ground = site.land()
    draw_main_road(ground, seed=seed)
    seen = view(site, ground, date)
    mask = xr.DataArray(seen.mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]})
    amounts = xr.DataArray(seen.abundances.astype(np.float32), dims=("quantity", "y", "x"))
    materials = site.legend.materials
    return Simulated(
        scene=as_scene(site, [seen], [date], name=name, mask=mask, classes=site.legend.classes()),
        abundances_scene=as_scene(
            site, [seen], [date], name=name, amounts=amounts, quantities=Quantities.create(materials, sum_to_one=True)
        ),
        abundances=seen.abundances,
        endmembers=seen.endmembers,
        endmember_names=materials,
        noise_free=seen.noise_free,
        class_shares=seen.class_shares,
        light=seen.light,
        noise_covariance=seen.noise_covariance,
    )


def view(site: Site, ground: Ground, date: str) -> View:
    """What the sensor sees of a landscape on a date, and what is there."""
    sun = sun_at(date, latitude=site.latitude)
    rows = max(1, _STRIP_CELLS // (ground.cover.shape[1] * site.subpixels))
    even = np.concatenate(
        [
            material_shares(
                ground, site.subpixels, day=sun.day, seed=site.seed, when=date, texture=site.texture,
                part=slice(start, min(start + rows, site.size[0])),
            )
            for start in range(0, site.size[0], rows)
        ],
        axis=1,
    )  # fmt: skip
    light = illumination(
        site.size, sun=sun, pixel_size=site.pixel_size, relief=site.relief, haze=site.haze, seed=site.seed
    )
    abundances = lit(even, light, site.legend.materials)
    endmembers = site.bands.see(material_spectra(site.legend.materials, seed=site.seed, sun=sun))
    noise_free = np.einsum("kb,kyx->byx", endmembers, abundances)
    covariance = noise_covariance(site.noise, mean=noise_free.mean(axis=(1, 2)), wavelength=site.bands.wavelength)
    noise = draw_noise(generator(site.seed, f"noise {date}"), covariance, site.size)
    shares = class_shares(ground, site.subpixels)
    mask = np.array(site.legend.classes().values, MASK_DTYPE)[shares.argmax(axis=0)]
    mask[shares.max(axis=0) < site.label_above] = UNLABELLED
    image = (noise_free + noise).astype(np.float32)
    return View(image, noise_free, endmembers, abundances, shares, mask, light, covariance)


def as_scene(
    site: Site,
    views: Sequence[View],
    dates: Sequence[str],
    *,
    name: str,
    mask: xr.DataArray | None = None,
    classes: Classes | None = None,
    amounts: xr.DataArray | None = None,
    quantities: Quantities | None = None,
) -> Scene:
    """The images of one or several dates as a scene that says it is simulated."""
    unmeasured = [f"{w:.0f}" for w in site.bands.wavelength[site.bands.unmeasured]]
    remark = f"simulated spectra are interpolated within water vapour bands at {', '.join(unmeasured)} nm"
    image = xr.DataArray(
        np.stack([seen.image for seen in views]), dims=("date", "band", "y", "x"), coords={"date": list(dates)}
    )
    scene = Scene.create(
        image=image,
        mask=mask,
        classes=classes,
        amounts=amounts,
        quantities=quantities,
        wavelength=site.bands.wavelength,
        fwhm=site.bands.fwhm,
        band_name=site.bands.names,
        name=name,
        units="reflectance",
        problems=[remark] if unmeasured else [],
    )
    scene.dataset.attrs |= {"note": NOTE, "seed": site.seed, "pixel_size_m": site.pixel_size}
    return scene
