"""Models on the Hub: sent and loaded, the same samples; what the card says; what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specdm.errors import HubError, ModelError
from specdm.synthesis.model_card import CardFigures, Figure
from specdm.synthesis.pipeline import SpecDMPipeline

NAME = "me/fields"


@pytest.fixture(scope="module")
def pipeline(little_run: Path) -> SpecDMPipeline:
    """Trained on a scene that lay in somebody's folder."""
    found = SpecDMPipeline.from_pretrained(little_run / "model")
    scenes = [{"name": "Fields", "sources": ["/home/me/secret/fields.hdr"], "height": 48, "width": 40}]
    found.facts = replace(
        found.facts, provenance={**found.facts.provenance, "scenes": scenes}, attrs={"citation": "Me (2020), Fields"}
    )
    return found


@pytest.fixture
def sent(hub, pipeline: SpecDMPipeline):
    """The repository with the model in it."""
    pipeline.push_to_hub(NAME)
    return hub.model(NAME)


def same_samples(one: SpecDMPipeline, other: SpecDMPipeline) -> None:
    a, b = (pipeline.sample(3, seed=5) for pipeline in (one, other))
    np.testing.assert_array_equal(a.images(), b.images())
    np.testing.assert_array_equal(a.masks(), b.masks())


def test_sent_and_loaded(hub, pipeline: SpecDMPipeline) -> None:
    url = pipeline.push_to_hub(NAME)
    assert url.startswith(hub.endpoint)
    for source in (NAME, f"hf://{NAME}", f"{NAME}@main"):
        loaded = SpecDMPipeline.from_pretrained(source)
        assert loaded.model_id == pipeline.model_id
    same_samples(loaded, pipeline)


def test_what_others_have_put_there_stays(hub, sent, pipeline: SpecDMPipeline) -> None:
    others = {"onnx/image_codec/config.json": b"{}", "NOTES.md": b"hello"}
    sent.commit({**sent.files(), **others, "old_part/config.json": b"{}"}, "main", "by hand")
    pipeline.push_to_hub(NAME)
    now = sent.files()
    assert others.items() <= now.items() and "old_part/config.json" not in now


def test_in_a_folder(pipeline: SpecDMPipeline, tmp_path: Path) -> None:
    same_samples(SpecDMPipeline.from_pretrained(pipeline.save_pretrained(tmp_path / "model")), pipeline)


def test_safetensors_only(sent) -> None:
    kinds = {Path(path).suffix for path in sent.files() if path != ".gitattributes"}
    assert kinds == {".json", ".safetensors", ".md"}


def test_no_folder_of_the_sender_is_told(sent, pipeline: SpecDMPipeline) -> None:
    told = b"".join(content for path, content in sent.files().items() if path.endswith((".json", ".md")))
    assert b"fields.hdr" in told and b"secret" not in told
    assert "secret" in str(pipeline.facts.provenance), "the model at hand stays as it is"


def test_one_commit_and_no_leftovers(hub, sent, pipeline: SpecDMPipeline) -> None:
    assert len(sent.messages) == 2, "the initial one, and one for all files"
    tree = {**sent.files(), "old_codec/config.json": b"{}", "picture.png": b"png"}
    sent.commit(tree, "main", "by hand")
    pipeline.push_to_hub(NAME, commit_message="again", card="# Mine")
    assert "old_codec/config.json" not in sent.files() and "picture.png" in sent.files()
    assert sent.files()["README.md"] == b"# Mine" and sent.messages[-1] == "again"


def test_branches(hub, sent, pipeline: SpecDMPipeline, tmp_path: Path) -> None:
    main = sent.branches["main"]
    pipeline.push_to_hub(NAME, revision="v2", card="# Second")
    assert sent.branches["main"] == main and sent.files("v2")["README.md"] == b"# Second"
    loaded = SpecDMPipeline.from_pretrained(NAME, revision="v2", cache_dir=tmp_path / "cache")
    assert loaded.model_id == pipeline.model_id
    assert (tmp_path / "cache" / "models--me--fields" / "snapshots" / sent.branches["v2"]).is_dir()


def test_private(hub, pipeline: SpecDMPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.push_to_hub(NAME, private=True)
    assert hub.model(NAME).private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match=r"no such model.*or it is private.*hf auth login"):
        SpecDMPipeline.from_pretrained(f"hf://{NAME}")
    assert SpecDMPipeline.from_pretrained(NAME, token="hf_read").model_id == pipeline.model_id


def test_what_else_lies_there_is_not_fetched(hub, sent, hub_home: Path) -> None:
    sent.commit({**sent.files(), "denoiser/pytorch_model.bin": b"pickle", "evil.py": b"code"}, "main", "more")
    SpecDMPipeline.from_pretrained(NAME)
    fetched = {path.name for path in hub_home.rglob("*")}
    assert "model_index.json" in fetched and not {"pytorch_model.bin", "evil.py"} & fetched


def test_fetched_once_and_then_without_a_network(hub, sent, pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    SpecDMPipeline.from_pretrained(NAME)
    hub.asked.clear()
    SpecDMPipeline.from_pretrained(NAME)
    assert not [line for line in hub.asked if "/blobs/" in line or line.startswith("GET /me")]
    hub.asked.clear()
    SpecDMPipeline.from_pretrained(NAME, local_files_only=True)
    assert hub.asked == []
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    same_samples(SpecDMPipeline.from_pretrained(NAME), pipeline)


class TestCard:
    FOUND = CardFigures(
        training=["Trained on 20 tiles of 1,920 pixels of ground."],
        class_pixels={"grass": 640, "water": 3200},
        figures=[Figure("synthetic.lda_ratio", "Masks fit images", 0.91, "0.91", "at least 0.88", True, "A sentence.")],
        copies=["3 of 256 synthetic tiles are copies."],
        measured="Measured on 256 synthetic tiles.",
        reliability=["Mean score 0.87."],
        usefulness=["Synthetic tiles help: +0.030."],
        limits=["Only one summer."],
    )

    @pytest.fixture
    def card(self, hub, pipeline: SpecDMPipeline) -> str:
        pipeline.push_to_hub(NAME, figures=self.FOUND, licence="cc-by-4.0")
        return hub.model(NAME).files()["README.md"].decode()

    def test_data_classes_and_wavelengths(self, card: str, pipeline: SpecDMPipeline) -> None:
        assert "Fields: 48 x 40 px, `fields.hdr`" in card and "Me (2020), Fields" in card
        assert "Licence of the source data: unknown, none was recorded; ask its publisher" in card
        for value, name in zip(pipeline.classes.values, pipeline.classes.names, strict=True):
            assert f"| {value} | {name} |" in card
        assert "| 3,200 |" in card
        assert all(f"| {centre:g} |" in card for centre in pipeline.wavelength)

    def test_figures_and_limits(self, card: str) -> None:
        assert "| Masks fit images | 0.91 | at least 0.88 | kept | A sentence. |" in card
        assert self.FOUND.measured in card
        for line in (*self.FOUND.training, *self.FOUND.copies, *self.FOUND.reliability, *self.FOUND.usefulness):
            assert f"- {line}" in card
        assert "no measurements" in card and "never use them as reference" in card and "Only one summer." in card
        assert "Not judged" not in card and "not judged" not in card

    def test_the_header_reads_as_the_hub_reads_it(self, card: str) -> None:
        from huggingface_hub import ModelCard

        data = ModelCard(card).data
        assert (data.library_name, data.license) == ("specdm", "cc-by-4.0")
        assert {"remote-sensing", "segmentation"} <= set(data.tags)
        (result,) = data.eval_results
        assert (result.metric_type, result.metric_value, result.dataset_name) == ("synthetic.lda_ratio", 0.91, "Fields")

    def test_what_was_not_judged_is_said(self, sent) -> None:
        card = sent.files()["README.md"].decode()
        assert card.count("Not judged before the model was sent") == 4
        assert "Whether it repeats training tiles was not judged" in card
        assert f'from_pretrained("{NAME}")' in card and f"specdm sample {NAME}" in card


class TestRefused:
    def test_a_newer_version(self, hub, sent) -> None:
        index = json.loads(sent.files()["model_index.json"]) | {"specdm_version": "99.1.0"}
        sent.commit({**sent.files(), "model_index.json": json.dumps(index).encode()}, "main", "newer")
        with pytest.raises(ModelError, match=r"hf://me/fields: written by SpecDM 99\.1\.0, .*pip install -U specdm"):
            SpecDMPipeline.from_pretrained(NAME)
        assert not [line for line in hub.asked if "safetensors" in line and line.startswith("GET")]

    def test_a_newer_version_in_a_folder(self, pipeline, tmp_path: Path) -> None:
        path = pipeline.save_pretrained(tmp_path / "model") / "model_index.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"specdm_version": "99.1.0"}))
        with pytest.raises(ModelError, match=r"model_index\.json: written by SpecDM 99\.1\.0"):
            SpecDMPipeline.from_pretrained(tmp_path / "model")

    @pytest.mark.parametrize("version", ["0.0.1", None, "unknown"])
    def test_older_and_unknown_versions_are_not(self, pipeline, tmp_path: Path, version: object) -> None:
        path = pipeline.save_pretrained(tmp_path / "model") / "model_index.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"specdm_version": version}))
        assert SpecDMPipeline.from_pretrained(tmp_path / "model").model_id == pipeline.model_id

    def test_another_kind_of_model(self, hub) -> None:
        index = json.dumps({"_class_name": "DDPMPipeline"}).encode()
        hub.add("model", "me/ddpm", {"model_index.json": index, "unet/diffusion_pytorch_model.safetensors": b"x" * 99})
        with pytest.raises(ModelError, match="hf://me/ddpm: found 'DDPMPipeline'"):
            SpecDMPipeline.from_pretrained("me/ddpm")
        hub.add("model", "me/text", {"README.md": b"hello"})
        with pytest.raises(HubError, match=r"hf://me/text: no model of SpecDM: it has no model_index\.json"):
            SpecDMPipeline.from_pretrained("me/text")

    def test_pickled_weights(self, hub, sent) -> None:
        tree = sent.files()
        tree = {**tree, "denoiser/diffusion_pytorch_model.bin": b"pickle"}
        del tree["denoiser/diffusion_pytorch_model.safetensors"]
        sent.commit(tree, "main", "pickled")
        with pytest.raises(ModelError, match=r"denoiser/.*safetensors: the weight file is missing"):
            SpecDMPipeline.from_pretrained(NAME)

    def test_damaged_weights(self, sent) -> None:
        path = "denoiser/diffusion_pytorch_model.safetensors"
        sent.commit({**sent.files(), path: sent.files()[path][:-100]}, "main", "cut")
        with pytest.raises(ModelError, match="damaged"):
            SpecDMPipeline.from_pretrained(NAME)


def test_a_part_alone_goes_by_diffusers_own_way(hub, pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """What parts inherit works too; it knows the endpoint of import time only."""
    from diffusers.utils import hub_utils
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.endpoint)
    monkeypatch.setattr(hub_utils, "create_repo", api.create_repo)
    monkeypatch.setattr(hub_utils, "upload_folder", api.upload_folder)
    monkeypatch.setattr(hub_utils, "load_or_create_model_card", lambda *_, **__: hub_utils.ModelCard("---\n{}\n---\n"))
    pipeline.model.denoiser.push_to_hub("me/denoiser")
    files = hub.model("me/denoiser").files()
    assert {"config.json", "diffusion_pytorch_model.safetensors"} <= set(files)
