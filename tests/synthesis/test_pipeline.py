"""The pipeline: tiles that hang on seed and index alone, saving and loading, refusals."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tile_equality import assert_same_images

from specdm.errors import ModelError
from specdm.models.image_codec import ImageCodec
from specdm.models.part_files import WEIGHTS
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet

PARTS = ("image_codec", "mask_codec", "denoiser", "composition_prior", "labelled_codec", "calibration", "reader")


@pytest.fixture(scope="module")
def eight(pipeline: SpecDMPipeline) -> TileSet:
    return pipeline.sample(8, seed=5, batch_size=8)


@pytest.fixture
def model(little_run: Path, tmp_path: Path) -> Path:
    """A copy of the model folder to spoil."""
    return shutil.copytree(little_run / "model", tmp_path / "model")


def same_tiles(found: TileSet, expected: TileSet) -> None:
    assert_same_images(found.images(), expected.images())
    assert (found.masks() == expected.masks()).mean() > 0.999


def test_it_says_what_it_draws(pipeline, little_tiles) -> None:
    n, size = little_tiles.n_bands, little_tiles.size
    assert repr(pipeline) == f"<SpecDMPipeline tiles of {size} x {size} px, {n} bands, {len(pipeline.classes)} classes>"


class TestSample:
    @pytest.mark.parametrize("batch_size", [1, 3])
    @pytest.mark.parametrize("sensor_noise", [False, True])
    def test_batch_size_changes_nothing(self, pipeline, batch_size: int, sensor_noise: bool) -> None:
        expected = pipeline.sample(8, seed=5, batch_size=8, sensor_noise=sensor_noise)
        same_tiles(pipeline.sample(8, seed=5, batch_size=batch_size, sensor_noise=sensor_noise), expected)

    def test_a_tile_does_not_hang_on_how_many(self, pipeline, eight) -> None:
        same_tiles(pipeline.sample(3, seed=5), eight.select(slice(0, 3)))

    def test_a_tile_does_not_hang_on_where_one_begins(self, pipeline, eight) -> None:
        later = pipeline.sample(3, seed=5, first=4, batch_size=2)
        same_tiles(later, eight.select(slice(4, 7)))
        assert later.dataset["index"].values.tolist() == [4, 5, 6]

    def test_seeds_and_indices_differ(self, pipeline, eight) -> None:
        images = eight.images()
        assert np.abs(images[0] - images[1]).max() > 1
        assert np.abs(images[0] - pipeline.sample(1, seed=6).images()[0]).max() > 1
        assert np.abs(images[1] - pipeline.sample(1, seed=6).images()[0]).max() > 1

    def test_what_the_tiles_say(self, pipeline, eight, little_tiles: TileSet) -> None:
        assert set(eight.split) == {"synthetic"} and len(eight) == 8
        assert eight.dataset["seed"].values.tolist() == [5] * 8
        assert set(eight.dataset["source"].values.tolist()) == {pipeline.model_id}
        assert eight.provenance["model"] == pipeline.model_id
        assert eight.classes == little_tiles.classes and eight.size == little_tiles.size
        np.testing.assert_array_equal(eight.wavelength, little_tiles.wavelength)
        np.testing.assert_array_equal(eight.fwhm, little_tiles.fwhm)
        assert eight.band_name == little_tiles.band_name
        assert eight.image_units == little_tiles.image_units == "reflectance x 10000"

    def test_values(self, eight, little_tiles: TileSet) -> None:
        """Class values, not positions, and images in the user's units."""
        assert set(np.unique(eight.masks())) <= {-1, 2, 5, 7}
        assert len(np.unique(eight.masks())) > 1
        assert np.isfinite(eight.images()).all()
        assert np.nanmean(eight.images()) == pytest.approx(np.nanmean(little_tiles.images()), rel=0.3)

    def test_masks_are_class_values_at_their_positions(self, pipeline, monkeypatch) -> None:
        positions = torch.arange(2 * 256).reshape(2, 1, 16, 16) % 3
        decode = pipeline.model.decode

        def decode_to(latents, **options):
            return replace(decode(latents, **options), positions=positions)

        monkeypatch.setattr(pipeline.model, "decode", decode_to)
        expected = np.array([2, 5, 7])[positions.numpy()]
        np.testing.assert_array_equal(pipeline.sample(2).masks(), expected)

    @pytest.mark.parametrize("option", [{"steps": 1}, {"guidance": 0.0}, {"sensor_noise": False}])
    def test_options_count(self, pipeline, eight, option: dict) -> None:
        assert np.abs(pipeline.sample(8, seed=5, **option).images() - eight.images()).max() > 0.1

    def test_defaults_are_the_stored_ones(self, pipeline, eight) -> None:
        assert pipeline.defaults.steps == 4
        spelled = {key: getattr(pipeline.defaults, key) for key in ("steps", "guidance", "sensor_noise")}
        same_tiles(pipeline.sample(8, seed=5, **spelled), eight)

    def test_composition_counts_and_the_noise_stays(self, pipeline, eight) -> None:
        ordered = pipeline.sample(8, seed=5, composition={"water": 1.0})
        difference = np.abs(ordered.images() - eight.images()).max()
        assert difference > 0.1
        again = pipeline.sample(3, seed=5, first=2, composition={"water": 1.0})
        same_tiles(again, ordered.select(slice(2, 5)))

    @pytest.mark.parametrize(("batch_size", "expected"), [(3, [3, 6, 8]), (8, [8]), (100, [8]), (1, range(1, 9))])
    def test_callback(self, pipeline, batch_size: int, expected) -> None:
        told: list[tuple[int, int]] = []
        pipeline.sample(8, first=7, steps=1, batch_size=batch_size, callback=lambda *done: told.append(done))
        assert told == [(done, 8) for done in expected]

    @pytest.mark.parametrize(
        ("option", "named"),
        [
            ({"n": 0}, "n is 0"),
            ({"seed": -1}, "seed is -1"),
            ({"first": -2}, "first is -2"),
            ({"steps": 0}, "steps is 0"),
            ({"guidance": float("inf")}, "guidance is inf"),
            ({"guidance": float("nan")}, "guidance is nan"),
            ({"guidance": -1.0}, "guidance is -1.0"),
            ({"guidance": 1e38}, "values that are not finite"),
            ({"composition_strength": 1.5}, "composition_strength is 1.5"),
            ({"batch_size": 0}, "batch_size is 0"),
            ({"composition": {"trees": 0.5}}, "trees"),
            ({"composition": {"water": 0.7, "grass": 0.7}}, "sum"),
            ({"composition": {"water": -0.1}}, "water is -0.1"),
        ],
    )
    def test_out_of_range(self, pipeline, option: dict, named: str) -> None:
        with pytest.raises(ModelError, match=named) as error:
            pipeline.sample(**({"n": 1} | option))
        assert "\n" not in str(error.value)


class TestSaveAndLoad:
    def test_the_same_tiles(self, pipeline, eight, tmp_path: Path) -> None:
        pipeline.save_pretrained(tmp_path / "saved")
        loaded = SpecDMPipeline.from_pretrained(tmp_path / "saved")
        same_tiles(loaded.sample(8, seed=5, batch_size=3), eight)
        assert loaded.model_id == pipeline.model_id
        assert loaded.facts == pipeline.facts and loaded.defaults == pipeline.defaults

    def test_after_training_as_after_loading(self, little_tiles, little_settings, tmp_path: Path) -> None:
        from specdm.synthesis.fit import train_run
        from specdm.training.config import load_config

        settings = little_settings | {"codec.steps": 2, "denoiser.steps": 2}
        trained = train_run(
            tmp_path / "run", tiles=little_tiles, config=load_config(overrides=settings), show_progress=False
        )
        loaded = SpecDMPipeline.from_pretrained(tmp_path / "run" / "model")
        same_tiles(loaded.sample(3), trained.sample(3))
        assert loaded.model_id == trained.model_id

    def test_no_pickle(self, pipeline, tmp_path: Path) -> None:
        pipeline.save_pretrained(tmp_path / "saved")
        files = {path.relative_to(tmp_path / "saved") for path in (tmp_path / "saved").rglob("*") if path.is_file()}
        assert {path.suffix for path in files} == {".json", ".safetensors"}
        assert {path.parent.name for path in files if path.suffix == ".safetensors"} == set(PARTS)
        assert list(tmp_path.iterdir()) == [tmp_path / "saved"], "nothing beside it"

    def test_an_old_model_is_replaced_whole(self, pipeline, model: Path) -> None:
        (model / "denoiser" / "old.json").write_text("{}")
        pipeline.save_pretrained(model)
        assert not (model / "denoiser" / "old.json").exists()
        assert SpecDMPipeline.from_pretrained(model).model_id == pipeline.model_id

    @pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_a_failing_save_leaves_the_old_model(self, pipeline, model: Path, monkeypatch, failure) -> None:
        before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}

        def fail(*args: object, **kwargs: object) -> None:
            raise failure

        monkeypatch.setattr(ImageCodec, "save_pretrained", fail)
        with pytest.raises(ModelError if isinstance(failure, OSError) else KeyboardInterrupt):
            pipeline.save_pretrained(model)
        assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == before
        assert list(model.parent.iterdir()) == [model], "nothing beside it"

    def test_a_folder_of_something_else_is_not_replaced(self, pipeline, tmp_path: Path) -> None:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
        (tmp_path / "file").write_bytes(b"text")
        for place in ("photos", "file", "file/model"):
            with pytest.raises(ModelError, match=r"photos|file"):
                pipeline.save_pretrained(tmp_path / place)
        assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"cat"
        assert (tmp_path / "file").read_bytes() == b"text"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "photos"]

    def test_an_empty_folder_is_taken(self, pipeline, tmp_path: Path, monkeypatch) -> None:
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        pipeline.save_pretrained(tmp_path / "empty")
        SpecDMPipeline.from_pretrained(tmp_path / "empty")


class TestRefused:
    @staticmethod
    def refused(model: Path) -> str:
        with pytest.raises(ModelError) as error:
            SpecDMPipeline.from_pretrained(model)
        assert "\n" not in str(error.value) and str(model) in str(error.value)
        return str(error.value)

    def test_no_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "nothing")
        self.refused(tmp_path)

    @pytest.mark.parametrize("part", PARTS)
    def test_a_missing_part(self, model: Path, part: str) -> None:
        shutil.rmtree(model / part)
        assert part in self.refused(model)

    @pytest.mark.parametrize("part", PARTS)
    def test_missing_weights(self, model: Path, part: str) -> None:
        (model / part / WEIGHTS).unlink()
        assert f"{part}/{WEIGHTS}" in self.refused(model)

    @pytest.mark.parametrize("part", PARTS)
    @pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
    def test_truncated_weights(self, model: Path, part: str, share: float) -> None:
        content = (model / part / WEIGHTS).read_bytes()
        (model / part / WEIGHTS).write_bytes(content[: int(len(content) * share)])
        assert part in self.refused(model)

    def test_pickled_weights(self, model: Path, tmp_path: Path) -> None:
        class Bomb:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "exploded",))

        (model / "denoiser" / WEIGHTS).unlink()
        (model / "denoiser" / "diffusion_pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
        assert "pickled" in self.refused(model)
        assert not (tmp_path / "exploded").exists()

    @pytest.mark.parametrize("place", ["model_index.json", "denoiser/config.json"])
    @pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
    def test_broken_json(self, model: Path, place: str, content: str) -> None:
        (model / place).write_text(content)
        assert place in self.refused(model)

    @pytest.mark.parametrize("place", ["model_index.json", "denoiser/config.json"])
    def test_a_class_that_is_not_known(self, model: Path, place: str) -> None:
        content = json.loads((model / place).read_text()) | {"_class_name": "StableDiffusionPipeline"}
        (model / place).write_text(json.dumps(content))
        assert "StableDiffusionPipeline" in self.refused(model)

    @pytest.mark.parametrize("key", ["_class_name", "streams", "tiles", "sampling"])
    @pytest.mark.parametrize("value", ["absent", None, "text", {"what": 1}, []])
    def test_a_spoilt_index(self, model: Path, key: str, value: object) -> None:
        content = json.loads((model / "model_index.json").read_text())
        if value == "absent":
            del content[key]
        else:
            content[key] = value
        (model / "model_index.json").write_text(json.dumps(content))
        self.refused(model)

    def test_parts_exchanged(self, model: Path) -> None:
        shutil.rmtree(model / "image_codec")
        shutil.copytree(model / "mask_codec", model / "image_codec")
        assert "image_codec" in self.refused(model)

    def test_parts_of_different_models(self, model: Path) -> None:
        """Codecs of other latents than the denoiser was trained on."""
        from specdm.models.mask_codec import MaskCodec
        from specdm.models.part_files import save_part_files

        shutil.rmtree(model / "mask_codec")
        save_part_files(MaskCodec(3, latent_channels=7, width=8), model / "mask_codec")
        assert "mask_codec" in self.refused(model)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_tiles(little_run: Path, eight: TileSet, little_tiles: TileSet) -> None:
    on_gpu = SpecDMPipeline.from_pretrained(little_run / "model").to("cuda")
    found = on_gpu.sample(8, seed=5, sensor_noise=True)
    expected = SpecDMPipeline.from_pretrained(little_run / "model").sample(8, seed=5, sensor_noise=True)
    np.testing.assert_allclose(found.images(), expected.images(), atol=0.02 * np.abs(expected.images()).mean())
    assert (found.masks() == expected.masks()).mean() > 0.98
    assert len(on_gpu.reconstruct(little_tiles)) == len(little_tiles)
