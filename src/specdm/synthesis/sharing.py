"""The part of the pipeline that saves it, loads it, and shares it on the Hugging Face Hub."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

from specdm.hub.fetch import Fetch
from specdm.hub.names import new_name
from specdm.hub.send import Send
from specdm.models.composition_prior import CompositionPrior
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.distilled import Distilled
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.model_card import CardFigures, model_card
from specdm.synthesis.model_files import INDEX, PART_FILES, model_place
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.synthesis.saved import PipelineParts, load_parts, save_parts
from specdm.tiles.export.card_parts import public

CARD = "README.md"


class _Pipeline(Protocol):
    """What `PipelineSharing` needs of the pipeline that it is a part of."""

    model: JointModel
    prior: CompositionPrior
    facts: TileFacts
    defaults: SamplingDefaults
    calibration: SpectralCalibration | None
    reader: MaskReader | None
    distilled: dict[int, Distilled]

    @property
    def model_id(self) -> str: ...


class PipelineSharing:
    """Folders and the Hub."""

    def __repr__(self: _Pipeline) -> str:
        few = f", distilled to {', '.join(map(str, sorted(self.distilled)))} evaluations" if self.distilled else ""
        return f"<SpecDMPipeline {self.facts.words}{few}>"

    def save_pretrained(self: _Pipeline, folder: str | Path) -> Path:
        """Write the model, see `saved.save_parts`.

        Raises:
            ModelError: the folder cannot be written, or holds something that is no model.
        """
        save_parts(_parts(self), Path(folder))
        return Path(folder)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> Self:
        """Load what `save_pretrained` wrote or `push_to_hub` sent.

        Args:
            source: folder, or a model of the Hugging Face Hub: "owner/name" where there is no such folder,
                "hf://owner/name", with or without "@revision".
            revision: branch, tag or commit, on the Hub.
            token: access token; default: that of `hf auth login` or `HF_TOKEN`.
            cache_dir: where fetched files are kept; default: below `HF_HOME`.
            local_files_only: only what was fetched before.
            force_download: fetch again what was fetched before.

        Raises:
            ModelError: a file is missing, truncated or of another kind, or a newer version of SpecDM wrote the model.
            HubError: it cannot be fetched.
        """
        fetch = Fetch(token, cache_dir, local_files_only, force_download)
        return cls(**load_parts(model_place(source, revision=revision, fetch=fetch)).__dict__)

    def push_to_hub(
        self: _Pipeline,
        repo_id: str,
        *,
        private: bool | None = None,
        token: str | bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
        licence: str | None = None,
        figures: CardFigures | None = None,
        card: str | None = None,
    ) -> str:
        """Send the model to the Hugging Face Hub, with a card; `from_pretrained(repo_id)` loads it.

        Files of scenes are named, but not where they lay on the disk. All comes in one commit: whoever reads the
        repository finds the earlier model or this one.

        Args:
            repo_id: "owner/name"; the repository is made if it is not there.
            private: who may see a new repository: True, its owner alone.
            token: access token; default: that of `hf auth login` or `HF_TOKEN`.
            revision: branch; made if it is not there.
            commit_message: what the commit says.
            licence: of the model, as the Hub knows it, such as "cc-by-4.0"; default: "other". That of the training
                data stands on the card.
            figures: what was found out about the model, for the card: `specdm.report.run_figures` collects it from a
                run folder.
            card: another card, Markdown with the header that the Hub reads.

        Returns:
            The address of the commit.

        Raises:
            HubError: no access, or no network; the repository is then as it was, a new one empty.
            ModelError: the disk does not take the files on their way.
        """
        name = new_name(repo_id, kind="model", revision=revision)
        send = Send(name, private=private, token=token, message=commit_message or f"Upload {self.model_id}")
        facts = replace(self.facts, provenance=public(self.facts.provenance))
        text = card or model_card(
            facts, self.defaults, repo_id=name.repo_id, model_id=self.model_id, found=figures, licence=licence
        )
        send.prepare()
        # not the push_to_hub that parts have from diffusers: a repository a part, and none for what they share
        with tempfile.TemporaryDirectory(prefix="specdm-") as place:
            folder = Path(place) / "model"
            save_parts(replace(_parts(self), facts=facts), folder)
            (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
            return send.commit(folder, replaces=[INDEX, *PART_FILES])


def _parts(pipeline: _Pipeline) -> PipelineParts:
    return PipelineParts(
        pipeline.model,
        pipeline.prior,
        pipeline.facts,
        pipeline.defaults,
        pipeline.calibration,
        pipeline.reader,
        pipeline.distilled,
    )
