"""The pipeline: a trained model with what it knows of the data, saved, loaded and asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.drawing import Drawing
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import joined
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.scenes.classes import Classes
from specdm.scenes.scene import Scene
from specdm.synthesis.annotate import VIEWS, WINDOW, Annotation, annotated, scene_reading
from specdm.synthesis.distilled import Distilled, distilled_for
from specdm.synthesis.draws import TileDraws, tile_draws
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.finishing import Finish, finished
from specdm.synthesis.given import Given, given_of
from specdm.synthesis.known_parts import KnownParts
from specdm.synthesis.orders import Order, check_strengths, checked_order
from specdm.synthesis.reading_masks import read_tiles, with_reading
from specdm.synthesis.reconstruction import reconstructed
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.synthesis.scene_sampling import SceneSampling
from specdm.synthesis.sharing import PipelineSharing
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet

Callback = Callable[[int, int], None]


class SpecDMPipeline(PipelineSharing, SceneSampling):
    """Writes new image-mask pairs, and completes what is given of one.

    Example:
        >>> pipeline = SpecDMPipeline.from_pretrained("run/model")
        >>> tiles = pipeline.sample(256, seed=0)
        >>> images = pipeline.sample(given=tiles, known=["mask"])
        >>> scene = pipeline.sample_scene(path="scene.nc", height=512, width=512)
    """

    def __init__(
        self,
        *,
        model: JointModel,
        prior: CompositionPrior,
        facts: TileFacts,
        defaults: SamplingDefaults,
        calibration: SpectralCalibration | None = None,
        reader: MaskReader | None = None,
        distilled: Mapping[int, Distilled] | None = None,
    ):
        self.model = model.eval()
        self.prior = prior
        self.facts = facts
        self.defaults = defaults
        self.calibration = calibration
        self.reader = None if reader is None else reader.eval()
        self.distilled = dict(distilled or {})

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
        return self.id_of()

    def id_of(self, evaluations: int | None = None) -> str:
        """The same of what draws by this number of evaluations. Raises ModelError if nothing does."""
        drawn_by = self if evaluations is None else distilled_for(self.distilled, evaluations)
        digest = hashlib.sha256()
        for part in (drawn_by.model, drawn_by.calibration, self.reader):
            for _, value in sorted(part.state_dict().items() if part is not None else ()):
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return f"specdm-{digest.hexdigest()[:12]}"

    def to(self, device: str | torch.device) -> SpecDMPipeline:
        """Move the model; sampling then runs there."""
        self.model.to(device)
        few = [part for one in self.distilled.values() for part in (one.model.denoiser, one.calibration)]
        for part in (self.calibration, self.reader, *few):
            if part is not None:
                part.to(device)  # type: ignore[arg-type]
        return self

    def sample(
        self,
        n: int | None = None,
        *,
        seed: int = 0,
        first: int = 0,
        given: TileSet | None = None,
        known: Sequence[str] | None = None,
        area: np.ndarray | None = None,
        variation: float | None = None,
        paste: bool = True,
        composition: Mapping[str, float] | None = None,
        balance: bool = False,
        composition_strength: float | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        evaluations: int | None = None,
        sensor_noise: bool | None = None,
        calibrated: bool = True,
        dense: bool | None = None,
        batch_size: int = 32,
        callback: Callback | None = None,
    ) -> TileSet:
        """New tiles, or given ones completed. Tile i depends on the model, the options, the seed and i alone.

        Args:
            n: number of tiles; default: as many as are given. Tile i completes given tile i modulo their number.
            seed: at least 0.
            first: index of the first tile, so that parts of a large set can be drawn apart.
            given: tiles of which something is known; what is NaN in their images is not.
            known: what of them: "image" (all dates), "mask" (all that masks say, with its gaps), or names of streams
                such as "image 2003".
            area: boolean `(given tiles, y, x)`, True for ground that is known; default: all. Without `known` image and
                mask are known there.
            variation: draw images that are not known from the given ones with this share of noise, above 0 (nearly
                those) to 1 (new ones), see `Start`; they keep nodata and are not calibrated. Needs known masks.
            paste: known pixels come back as they were given; else as they come back from their codec.
            composition: class (or material) name -> fraction of the tile, summing to at most 1; the rest is shared
                among the others as in training tiles. With several mask layers "LAYER: class". Default: a
                training tile's, spread evenly over all of them; none where an image or part of the ground is given.
            balance: draw compositions that have as much of every class, as near as training tiles allow.
            composition_strength: how far masks are pulled to their composition, 0 to 1.
            steps: solver steps of each stage: where masks say something, what they say, images.
            guidance: 0 for plain samples of the model; more pulls images towards masks, masks towards images and the
                composition.
            evaluations: of the network, all in all: draw with what `specdm.distill` made for so many, whose steps and
                guidance are its own.
            sensor_noise: put sensor noise back on the images, see `SpectralBasis.residual_noise`.
            calibrated: correct mean and spread of the spectra, as fitted for the default steps and guidance.
            dense: label all ground with data, by what the model reads off the image where masks would say nothing.
                Default: where real masks leave ground unlabelled, since no class describes it, synthetic ones do too.
            batch_size: tiles at once; does not change them, but for pixels whose two classes tie to the last digits.
            callback: called with (tiles done, n) after every batch.

        Returns:
            A tile set of split "synthetic": images in the user's units, masks in the user's class values.

        Raises:
            ModelError: an option is out of range, given tiles do not fit the model, or everything of them is known.
        """
        noisy = self.defaults.sensor_noise if sensor_noise is None else sensor_noise
        dense = self.defaults.dense if dense is None else dense
        order = checked_order(
            n, model=self.model, facts=self.facts, prior=self.prior, composition=composition, balance=balance,
            given=given, known=known, area=area, variation=variation,
            numbers={"steps": self.defaults.steps if steps is None else steps, "batch_size": batch_size,
                     "seed": seed, "first": first},
        )  # fmt: skip
        if variation is not None and evaluations is not None:
            raise ModelError("a distilled model draws from noise alone; leave out evaluations, or variation")
        drawing = self.drawing(
            steps=steps, guidance=guidance, composition_strength=composition_strength, evaluations=evaluations
        )
        calibration = self.calibration if evaluations is None else self.distilled[evaluations].calibration
        # fitted to what is drawn from noise alone; varied images have the spectra of those given
        calibration = calibration if calibrated and variation is None else None
        finish = Finish(calibration, sensor_noise=noisy, dense=dense, reader=self.reader, paste=paste)
        drawn = []
        for start in range(first, first + order.n, batch_size):
            index = np.arange(start, min(start + batch_size, first + order.n))
            draws = tile_draws(
                index.tolist(), seed=seed, shape=self.white_shape, prior=order.prior, composition=order.composition
            )
            there = self._given(order, index, dense=dense)
            latents = self.latents_of(draws, drawing=drawing, given=there, ordered=order.composition is not None)
            drawn.append(finished(drawing.model, latents, draws=draws, given=there, finish=finish))
            if callback is not None:
                callback(int(index[-1]) + 1 - first, order.n)
        index = np.arange(first, first + order.n)
        source = self.id_of(evaluations)
        parts = KnownParts(known, in_area=area is not None, varied=variation is not None)
        return self.facts.tile_set(joined(drawn), source=source, seed=seed, index=index, given=order.given, known=parts)

    def posterior(
        self, tiles: TileSet, *, views: int = 8, batch_size: int = 64, callback: Callback | None = None
    ) -> Posterior:
        """What the model says of masks when it sees the images alone, as if all ground were labelled.

        Args:
            tiles: with the model's bands; their masks are not looked at.
            views: turned and mirrored images whose readings are averaged, 1 to 8.
            batch_size: tiles at once.
            callback: called with (tiles done, all) after every batch.

        Raises:
            ModelError: the images have other bands or dates than the model's, a number is out of range, or the model
                cannot read masks (preset ldm).
        """
        if self.reader is None:
            raise ModelError("this model encodes image and mask together (preset ldm) and cannot read masks off images")
        return read_tiles(
            self.model, self.reader, self.facts, tiles, views=views, batch_size=batch_size, callback=callback
        )

    def annotate(
        self,
        scene: Scene,
        *,
        window: int = WINDOW,
        views: int = VIEWS,
        min_confidence: float | None = None,
        min_share: float | None = None,
        labels: np.ndarray | None = None,
        resample: bool = False,
        callback: Callback | None = None,
    ) -> Annotation:
        """Masks of a scene of any size, by windows and without seams; `annotation_files` writes them as they come.

        Args:
            scene: with the model's dates and bands; its masks are not looked at.
            window: pixels along a window; changes memory only.
            views: turned and mirrored images whose readings are averaged, 1 to 8.
            min_confidence: pixels whose largest class probability is below are left unlabelled.
            min_share: of what is read as each class, the surest share is labelled in any case, see `SceneReading`.
            labels: int16 `(layer, y, x)`, class values that stay as they are where they are not -1.
            resample: compute bands that the scene has not from those around them, see `resampling_weights`.
            callback: called with (windows done, all).

        Raises:
            ModelError, SceneError, MaskError: see `annotate.scene_reading`.
        """
        reading = scene_reading(
            scene, model=self.model, reader=self.reader, facts=self.facts, resample=resample, window=window,
            views=views, min_confidence=min_confidence, min_share=min_share, labels=labels,
        )  # fmt: skip
        return annotated(reading, callback)

    def reconstruct(self, tiles: TileSet, *, batch_size: int = 32) -> TileSet:
        """Tiles after all codecs, with the coordinates they had; nodata, unlabelled and unknown pixels stay so.

        Raises:
            ModelError: the tiles have other bands, dates, classes or quantities than the model.
        """
        return reconstructed(self.model, self.facts, tiles, batch_size=batch_size)

    @property
    def white_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the white noise that a tile is drawn from."""
        cells = self.facts.size // self.model.factor
        return self.model.denoiser.white_shape((cells, cells))

    def drawing(
        self,
        *,
        steps: int | None = None,
        guidance: float | None = None,
        composition_strength: float | None = None,
        evaluations: int | None = None,
    ) -> Drawing:
        """How the model draws, by its defaults else; raises as `distilled_for` and `check_strengths`."""
        set_, model, coherence, jumps = self.defaults, self.model, self.defaults.mask_coherence, None
        if evaluations is not None:
            few = distilled_for(self.distilled, evaluations, steps=steps, guidance=guidance)
            model, coherence, jumps = few.model, few.mask_coherence, few.jumps
            guidance = 0.0  # it has learnt it
        check_strengths(guidance=guidance, composition_strength=composition_strength)
        return Drawing(
            model,
            steps=set_.steps if steps is None else steps,
            image_shift=set_.level_shift,
            mask_shift=set_.mask_level_shift,
            masks_first=set_.masks_first,
            guidance=set_.guidance if guidance is None else guidance,
            composition_strength=set_.composition_strength if composition_strength is None else composition_strength,
            mask_coherence=coherence,
            jumps=jumps,
        )

    def latents_of(
        self, draws: TileDraws, *, drawing: Drawing, given: Given | None = None, ordered: bool = False
    ) -> torch.Tensor:
        """Latents `(n, channels, y, x)` as the denoiser draws them, not yet calibrated.

        Args:
            draws: what each tile starts from.
            drawing: how.
            given: what is known of the tiles.
            ordered: whether the composition of the draws holds for given tiles too.
        """
        device = self.model.device
        composition = draws.compositions.to(device) if given is None or ordered else given.composition
        known = None if given is None else with_reading(given, model=self.model, reader=self.reader)
        return drawing.latents(draws.white.to(device), composition=composition, known=known)

    def _given(self, order: Order, index: np.ndarray, *, dense: bool) -> Given | None:
        if order.given is None:
            return None
        kinds = {self.model.streams[number].kind for number in order.known}
        return given_of(
            order.given,
            index % len(order.given),
            numbers=order.known,
            model=self.model,
            facts=self.facts,
            area=order.area,
            all_labelled=dense and kinds == {"image"},
            variation=order.variation,
        )
