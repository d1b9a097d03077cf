"""The pipeline: a trained model with what it knows of the data, saved, loaded and sampled from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from specdm.errors import MaskError, ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.joint_model import JointModel
from specdm.models.part_files import load_part_files, read_json, save_part_files
from specdm.models.pixels import Pixels, joined
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.models.streams import Stream
from specdm.scenes.classes import Classes
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.composition import composition_row
from specdm.synthesis.draws import TileDraws, tile_draws
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.folders import replacing_folder
from specdm.synthesis.part_checks import check_calibration_fits, check_parts_fit
from specdm.tiles.tileset import TileSet
from specdm.training.tile_tensors import to_pixels
from specdm.version import __version__

Callback = Callable[[int, int], None]
INDEX = "model_index.json"


@dataclass(frozen=True)
class SamplingDefaults:
    """What `sample` does when not told otherwise.

    Attributes:
        steps: solver steps of each stage.
        level_shift: of the solver's grid of noise levels, for images.
        mask_level_shift: the same for masks, which are drawn before the images.
        masks_first: masks before images; else both together, as they were trained.
        guidance: strength by which images are pulled towards masks, and masks towards the composition.
        sensor_noise: whether noise of the sensor's covariance is put back on decoded images.
        dense: whether all ground is labelled, also what real masks would leave unlabelled.
    """

    steps: int = 8
    level_shift: float = 2.0
    mask_level_shift: float = 2.0
    masks_first: bool = True
    guidance: float = 0.8
    sensor_noise: bool = True
    dense: bool = False


class SpecDMPipeline:
    """Writes new image-mask pairs.

    Example:
        >>> pipeline = SpecDMPipeline.from_pretrained("run/model")
        >>> tiles = pipeline.sample(256, seed=0)
    """

    def __init__(
        self,
        *,
        model: JointModel,
        prior: CompositionPrior,
        facts: TileFacts,
        defaults: SamplingDefaults,
        calibration: SpectralCalibration | None = None,
    ):
        self.model = model.eval()
        self.prior = prior
        self.facts = facts
        self.defaults = defaults
        self.calibration = calibration

    @property
    def classes(self) -> Classes | None:
        """What mask values mean; None if the model's masks are continuous only."""
        return self.facts.classes

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, `(bands,)`, or None if unknown."""
        return None if self.facts.wavelength is None else np.asarray(self.facts.wavelength)

    @property
    def model_id(self) -> str:
        """Short name made of the weights: what synthetic tiles give as their source."""
        digest = hashlib.sha256()
        for part in (self.model, self.calibration):
            for _, value in sorted(part.state_dict().items() if part is not None else ()):
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return f"specdm-{digest.hexdigest()[:12]}"

    def to(self, device: str | torch.device) -> SpecDMPipeline:
        """Move the model; sampling then runs there."""
        self.model.to(device)
        if self.calibration is not None:
            self.calibration.to(device)  # type: ignore[arg-type]
        return self

    # -- saved and loaded ------------------------------------------------------------------------------------

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write `model_index.json` and a folder for each part (config JSON and safetensors), all or nothing.

        Raises:
            ModelError: the folder cannot be written, or holds something that is no model.
        """
        folder = Path(folder)
        if folder.exists() and not (folder / INDEX).is_file() and (folder.is_file() or any(folder.iterdir())):
            raise ModelError(f"{folder}: holds something that is no model, so it is kept; choose another place")
        parts = {**dict(self.model.codecs), "denoiser": self.model.denoiser, "composition_prior": self.prior}
        if self.calibration is not None:
            parts["calibration"] = self.calibration
        index = {
            "_class_name": type(self).__name__,
            "specdm_version": __version__,
            "streams": [stream.to_dict() for stream in self.model.streams],
            "tiles": self.facts.to_dict(),
            "calibrated": self.calibration is not None,
            "sampling": self.defaults.__dict__,
        }
        with replacing_folder(folder) as partial:
            for name, part in parts.items():
                save_part_files(part, partial / name)  # type: ignore[arg-type]
            (partial / INDEX).write_text(json.dumps(index, indent=1))
        return folder

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> SpecDMPipeline:
        """Load what `save_pretrained` wrote.

        Raises:
            ModelError: a file is missing, truncated or of another kind.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise ModelError(f"{folder}: no such model folder; expected one that SpecDM saved, such as RUN/model")
        index = read_json(folder / INDEX)
        try:
            if index["_class_name"] != cls.__name__:
                raise ModelError(f"{folder / INDEX}: found {index['_class_name']!r}, expected {cls.__name__!r}")
            streams = [Stream.from_dict(stream) for stream in index["streams"]]
            facts = TileFacts.from_dict(index["tiles"])
            defaults = SamplingDefaults(**index["sampling"])
            calibrated = bool(index["calibrated"])
        except (KeyError, TypeError, ValueError, AttributeError, MaskError) as error:
            raise ModelError(f"{folder / INDEX}: not written by this version of SpecDM ({error})") from error
        names = dict.fromkeys(stream.codec for stream in streams)
        codecs: dict[str, Any] = {name: load_part_files(folder / name) for name in names}
        denoiser: Any = load_part_files(folder / "denoiser")
        prior: Any = load_part_files(folder / "composition_prior")
        calibration: Any = load_part_files(folder / "calibration") if calibrated else None
        check_parts_fit(
            folder, streams=streams, parts={**codecs, "denoiser": denoiser, "composition_prior": prior}, facts=facts
        )
        model = JointModel(streams=streams, codecs=codecs, denoiser=denoiser)
        if calibrated:
            check_calibration_fits(folder, calibration, parts=model.component_counts, facts=facts)
        return cls(model=model, prior=prior, facts=facts, defaults=defaults, calibration=calibration)

    # -- used ------------------------------------------------------------------------------------------------

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        first: int = 0,
        steps: int | None = None,
        guidance: float | None = None,
        sensor_noise: bool | None = None,
        calibrated: bool = True,
        dense: bool | None = None,
        composition: Mapping[str, float] | None = None,
        batch_size: int = 32,
        callback: Callback | None = None,
    ) -> TileSet:
        """New tiles. Tile i depends on the model, the options, the seed and i alone.

        Args:
            n: number of tiles.
            seed: at least 0.
            first: index of the first tile, so that parts of a large set can be drawn apart.
            steps: solver steps of each stage: where masks say something, what they say, images.
            guidance: 0 for plain samples of the model; more pulls images towards masks, masks towards the composition.
            sensor_noise: put sensor noise back on the images, see `SpectralBasis.residual_noise`.
            calibrated: correct mean and spread of the spectra, as fitted for the default steps and guidance.
            dense: label all ground, by what the model reads off the image. Default: where real masks leave ground
                unlabelled, since no class describes it, synthetic masks do so too.
            composition: class (or material) name -> fraction of the tile, summing to at most 1; the rest is shared
                among the others as in training tiles. With several mask layers "LAYER: class". Default: a
                training tile's, drawn for each tile.
            batch_size: tiles at once; does not change them, but for pixels whose two classes tie to the last digits.
            callback: called with (tiles done, n) after every batch.

        Returns:
            A tile set of split "synthetic": images in the user's units, masks in the user's class values.

        Raises:
            ModelError: a number or the composition is out of range.
        """
        steps = self.defaults.steps if steps is None else steps
        guidance = self.defaults.guidance if guidance is None else guidance
        noisy = self.defaults.sensor_noise if sensor_noise is None else sensor_noise
        dense = self.defaults.dense if dense is None else dense
        for name, value in {"n": n, "steps": steps, "batch_size": batch_size}.items():
            if value < 1:
                raise ModelError(f"{name} is {value}, expected at least 1")
        for name, value in {"seed": seed, "first": first}.items():
            if value < 0:
                raise ModelError(f"{name} is {value}, expected at least 0")
        ordered = None
        if composition is not None:
            ordered = composition_row(composition, groups=self.facts.parts, prior=self.prior)
        drawn: list[Pixels] = []
        for start in range(first, first + n, batch_size):
            index = range(start, min(start + batch_size, first + n))
            draws = tile_draws(index, seed=seed, shape=self.latent_shape, prior=self.prior, composition=ordered)
            latents = self.latents_of(draws, steps=steps, guidance=guidance)
            tiles = decode_calibrated(self.model, self.calibration if calibrated else None, latents)
            if dense and bool((tiles.positions < 0).any()):
                tiles = replace(tiles, positions=self._without_gaps(tiles.positions, latents, draws, steps=steps))
            if noisy:
                noise = self.model.sensor_noise(self.facts.size, draws.generators)
                tiles = replace(tiles, images=tiles.images + noise)
            drawn.append(tiles.apply(torch.Tensor.cpu))
            if callback is not None:
                callback(min(start + batch_size - first, n), n)
        return self.facts.tile_set(joined(drawn), source=self.model_id, seed=seed, index=np.arange(first, first + n))

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of a tile's latent."""
        cells = self.facts.size // self.model.factor
        return (sum(self.model.stream_channels), cells, cells)

    def latents_of(self, draws: TileDraws, *, steps: int, guidance: float) -> torch.Tensor:
        """Latents `(n, channels, y, x)` as the denoiser draws them, not yet calibrated; options as in `sample`."""
        defaults = self.defaults
        return self.model.solve(
            draws.noise.to(self.model.device),
            steps=steps,
            image_shift=defaults.level_shift,
            mask_shift=defaults.mask_level_shift,
            masks_first=defaults.masks_first,
            guidance=guidance,
            composition=draws.compositions.to(self.model.device),
        )

    def _without_gaps(
        self, positions: torch.Tensor, latents: torch.Tensor, draws: TileDraws, *, steps: int
    ) -> torch.Tensor:
        """Class positions `(n, layer, y, x)` with those that the model reads off the image where there were none."""
        noise, shift = draws.noise.to(self.model.device), self.defaults.mask_level_shift
        filled = self.model.fill_gaps(latents, noise, steps=steps, shift=shift)
        return torch.where(positions < 0, self.model.decode(filled, dense=True).positions, positions)

    def reconstruct(self, tiles: TileSet, *, batch_size: int = 32) -> TileSet:
        """Tiles after all codecs, with the coordinates they had; nodata, unlabelled and unknown pixels stay so.

        Raises:
            ModelError: the tiles have other bands, dates, classes or quantities than the model.
        """
        if (what := self.facts.difference(tiles)) is not None:
            raise ModelError(f"{tiles.where}: its {what} differ from the model's; expected the same data")
        if len(tiles) == 0:
            return tiles
        decoded = []
        for start in range(0, len(tiles), batch_size):
            pixels = to_pixels(tiles, slice(start, start + batch_size))
            encoded = self.model.encode(pixels.apply(lambda values: values.to(self.model.device)))
            decoded.append(self.model.decode(encoded.latents, dense=True).apply(torch.Tensor.cpu))
        whole = joined(decoded)
        same = tiles.dataset.copy()
        for name, found in (("image", whole.images.numpy()), ("amount", whole.amounts.numpy())):
            if name in same:
                there = tiles.dataset[name]
                same[name] = there.copy(data=np.where(np.isnan(there.values), np.nan, found).astype(np.float32))
        if "mask" in same:
            mask = tiles.masks()
            same["mask"] = tiles.dataset["mask"].copy(data=np.where(mask < 0, mask, self.facts.masks_of(whole)))
        return TileSet(same, where=f"{tiles.where} after the codecs")
