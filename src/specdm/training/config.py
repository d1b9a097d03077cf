"""Everything a run can be told, as people write it: presets, a YAML file, single keys."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from specdm.errors import ConfigError

PRESETS = ("tiny", "base", "large", "ldm")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TilesConfig(_Section):
    """How scenes are cut."""

    size: int = Field(32, ge=4, description="pixels along a tile")
    stride: int | None = Field(None, ge=1, description="pixels between training windows; none: chosen")
    split: Literal["blocks", "map", "none"] = "blocks"
    test_share: float = Field(0.15, ge=0, lt=1)
    val_share: float = Field(0.05, ge=0, lt=1)
    pixel_policy: Literal["left_out", "spectra_seen"] | None = None
    max_train_tiles: int | None = Field(None, ge=1)


class CodecConfig(_Section):
    """Image codec and mask codec."""

    basis: Literal["mnf", "pca", "none"] = "mnf"
    together: bool = Field(False, description="one codec for image and mask concatenated: the baseline of preset ldm")
    components: int = Field(24, ge=1)
    latent_channels: int = Field(16, ge=1)
    mask_latent_channels: int = Field(16, ge=1)
    factor: int = Field(2, ge=1, le=8)
    width: int = Field(96, ge=8)
    mask_width: int = Field(48, ge=8)
    blocks: int = Field(1, ge=0)
    mask_blocks: int = Field(1, ge=0)
    unit_weight: float = Field(0.2, ge=0, le=1)
    kl_weight: float = Field(1e-4, ge=0)
    batch_size: int = Field(16, ge=1)
    mask_batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    minutes: float | None = Field(None, gt=0)
    steps: int | None = Field(None, ge=1)


class ReaderConfig(_Section):
    """The network that reads masks off images; a model with `codec.together` has none."""

    width: int = Field(64, ge=8)
    dilations: tuple[Annotated[int, Field(ge=1)], ...] = Field((1, 2, 3), min_length=1)
    noise: float = Field(0.1, ge=0, description="on components of the spectral basis, of unit variance, in training")
    offset: float = Field(0.05, ge=0, description="likewise, one for all pixels of a tile")
    points: int = Field(3000, ge=0, description="labelled pixels that its machine of single spectra remembers")
    batch_size: int = Field(8, ge=1)
    learning_rate: float = Field(6e-3, gt=0)
    minutes: float | None = Field(None, gt=0)
    steps: int | None = Field(None, ge=1)


class PatternsConfig(_Section):
    """How often each pattern of noise levels is drawn, see `specdm.models.flow.LevelPatterns`."""

    shared: float = Field(0.15, ge=0)
    one_known: float = Field(0.1, ge=0)
    one_unknown: float = Field(0.05, ge=0)
    independent: float = Field(0.05, ge=0)
    area_known: float = Field(0.05, ge=0)
    stages: float = Field(0.6, ge=0)

    @model_validator(mode="after")
    def _some(self) -> PatternsConfig:
        if not any(self.model_dump().values()):
            raise ValueError("all shares are 0; at least one pattern must be drawn")
        return self


class DenoiserConfig(_Section):
    """The network and its training."""

    widths: tuple[int, ...] = Field((64, 128), min_length=1)
    layers: int = Field(1, ge=1)
    head_channels: int = Field(32, ge=8)
    mask_widths: tuple[int, ...] = Field(
        (32, 64), description="of the network that draws class masks before there is an image; []: one for everything"
    )
    patterns: PatternsConfig = PatternsConfig()
    read_masks_below: float = Field(
        0.1,
        ge=0,
        le=1,
        description="share of labelled ground below which the rest is labelled by the reader where it is sure, for "
        "training and in drawn masks; 0: never",
    )
    coloured_noise: bool = Field(True, description="noise with the power spectrum of the images' latents; false: white")
    masks_first: bool = Field(True, description="masks are drawn before images; false: both at one noise level")
    level_shift: float = Field(2.0, gt=0)
    mask_level_shift: float = Field(2.0, gt=0, description="of masks in the pattern stages")
    composition_dropout: float = Field(0.1, ge=0, le=1)
    mask_loss_weight: float = Field(1.0, gt=0)
    batch_size: int = Field(16, ge=1)
    mask_batch_size: int = Field(8, ge=1, description="tiles beside these that teach masks by themselves")
    learning_rate: float = Field(2e-3, gt=0)
    mask_learning_rate: float = Field(4e-3, gt=0, description="of the network for masks by themselves")
    warmup_steps: int = Field(30, ge=0)
    decay_share: float = Field(0.5, ge=0, le=1, description="last share of the budget with falling rate")
    gradient_clip: float = Field(1.0, gt=0)
    ema_decay: float = Field(0.998, ge=0, lt=1)
    minutes: float | None = Field(None, gt=0)
    steps: int | None = Field(None, ge=1)


class DistillationConfig(_Section):
    """A model of few evaluations, made of a trained one by `specdm distill`; not part of training itself."""

    teacher_tiles: int = Field(1024, ge=1, description="of the trained model, to learn from")
    given_share: float = Field(0.2, ge=0, le=1, description="of these, of which an image, a mask or an area is given")
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(10, ge=0)
    decay_share: float = Field(0.6, ge=0, le=1, description="last share of the budget with falling rate")
    gradient_clip: float = Field(1.0, gt=0)
    ema_decay: float = Field(0.99, ge=0, lt=1)
    minutes: float | None = Field(None, gt=0, description="three times the denoiser's, if no steps are given either")
    steps: int | None = Field(None, ge=1)


class TrainingConfig(_Section):
    """The machine and what is written while training."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: int = Field(1, ge=1, description="of each node; on CPU processes")
    nodes: int = Field(1, ge=1, description="machines")
    strategy: Literal["auto", "ddp"] = Field("auto", description="with several devices both are ddp")
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = Field(
        "auto", description="of Lightning; auto: denoisers in bfloat16 where a CPU computes in it"
    )
    checkpoint_seconds: float = Field(30.0, gt=0, le=60)
    picture_seconds: float = Field(90.0, gt=0)
    log_every_steps: int = Field(25, ge=1)


class SamplingConfig(_Section):
    """Defaults of `sample`; stored with the model."""

    steps: int = Field(8, ge=1, description="of each stage")
    level_shift: float = Field(2.0, gt=0)
    mask_level_shift: float = Field(2.0, gt=0, description="of the stages in which masks are drawn")
    guidance: float = Field(0.8, ge=0, allow_inf_nan=False)
    composition_strength: float = Field(1.0, ge=0, le=1, description="how far masks are pulled to their composition")
    mask_coherence: float | None = Field(
        None, ge=0, le=20, description="how far neighbours decide on drawn classes; default: as real masks have it"
    )
    sensor_noise: bool = True
    calibration_tiles: int = Field(
        128, ge=0, description="tiles drawn after training to correct masks, mean and spread of spectra; 0: none"
    )
    dense: bool = Field(False, description="label all ground, also what real masks would leave unlabelled")


class RunConfig(_Section):
    """A resolved configuration; `load_config` makes one."""

    preset: Literal["tiny", "base", "large", "ldm"] = "tiny"
    seed: int = Field(0, ge=0)
    tiles: TilesConfig = TilesConfig()
    codec: CodecConfig = CodecConfig()
    reader: ReaderConfig = ReaderConfig()
    denoiser: DenoiserConfig = DenoiserConfig()
    distillation: DistillationConfig = DistillationConfig()
    training: TrainingConfig = TrainingConfig()
    sampling: SamplingConfig = SamplingConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> RunConfig:
        cells = self.tiles.size / self.codec.factor
        widths = {"widths": self.denoiser.widths}
        if self.denoiser.masks_first and not self.codec.together:
            widths["mask_widths"] = self.denoiser.mask_widths
        deepest = 2 ** (max(map(len, widths.values())) - 1)
        if cells % deepest:
            raise ValueError(
                f"tiles.size {self.tiles.size} must be a multiple of {self.codec.factor * deepest} "
                f"(codec.factor times 2 for every further one of the denoiser's widths)"
            )
        parts: list[tuple[str, CodecConfig | ReaderConfig | DenoiserConfig]] = [
            ("codec", self.codec), ("denoiser", self.denoiser)
        ]  # fmt: skip
        parts += [] if self.codec.together else [("reader", self.reader)]
        for name, part in parts:
            if part.minutes is None and part.steps is None:
                raise ValueError(f"{name}.minutes or {name}.steps must be set: training needs a budget")
        processes = self.training.devices * self.training.nodes
        sizes = {
            "codec.batch_size": self.codec.batch_size,
            "codec.mask_batch_size": self.codec.mask_batch_size,
            "reader.batch_size": self.reader.batch_size,
            "denoiser.batch_size": self.denoiser.batch_size,
        }
        if widths.get("mask_widths"):
            sizes["denoiser.mask_batch_size"] = self.denoiser.mask_batch_size
        for name, size in sizes.items():
            if size % processes:
                raise ValueError(
                    f"{name} {size} is shared by {processes} processes (training.devices {self.training.devices} times "
                    f"training.nodes {self.training.nodes}); make it a multiple of {processes}, or take fewer"
                )
        for name, own in widths.items():
            if any(width < self.denoiser.head_channels for width in own[1:]):
                raise ValueError(
                    f"denoiser.head_channels {self.denoiser.head_channels} is more than a width of denoiser.{name}"
                )
            if any(width % 16 for width in own):
                raise ValueError(f"denoiser.{name} {list(own)} must be multiples of 16")
        return self

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load_config(
    *, preset: str = "tiny", file: Path | str | None = None, overrides: Mapping[str, Any] | None = None
) -> RunConfig:
    """A preset, then what a YAML file sets, then single keys such as `denoiser.steps`.

    A file may name its own `preset`, which then takes the place of the argument.

    Raises:
        ConfigError: unknown preset or key, or a value out of range; the message names the key.
    """
    written = _read_yaml(Path(file)) if file is not None else {}
    single = dict(overrides or {})
    preset = str(single.pop("preset", written.get("preset", preset)))
    if preset not in PRESETS:
        raise ConfigError(f"preset is {preset!r}, expected one of {', '.join(PRESETS)}")
    text = resources.files("specdm.training").joinpath("presets", f"{preset}.yaml").read_text()
    merged = _merge(yaml.safe_load(text), written)
    for key, value in single.items():
        merged = _merge(merged, _nested(key, value))
    merged["preset"] = preset
    return _validated(merged, source=str(file) if file is not None else "configuration")


def read_config(path: Path) -> RunConfig:
    """A resolved configuration as `RunConfig.to_yaml` wrote it."""
    return _validated(_read_yaml(path), source=str(path))


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: cannot be read as a YAML file of settings: {reason}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: found a {type(content).__name__}, expected sections such as 'denoiser:'")
    return content


def _validated(content: dict[str, Any], *, source: str) -> RunConfig:
    try:
        return RunConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"{source}: unknown key {key!r}{_neighbours(first['loc'])}") from error
        found = f", found {first['input']!r}" if first["loc"] else ""
        raise ConfigError(f"{source}: {key}: {first['msg']}{found}") from error


def _neighbours(location: tuple[int | str, ...]) -> str:
    section: Any = RunConfig
    for part in location[:-1]:
        section = section.model_fields[part].annotation
    known = getattr(section, "model_fields", {})
    return f"; known keys here: {', '.join(known)}" if known else ""


def _merge(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _nested(key: str, value: Any) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    return {first: _nested(rest, value)} if rest else {first: value}
