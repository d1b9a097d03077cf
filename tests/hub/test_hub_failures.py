"""What goes wrong on the Hub: one line each, nothing half-sent and nothing half-loaded."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from little_hub import TOKEN, LittleHub

from specdm.errors import HubError, SpecDMError
from specdm.hub.fetch import Fetch
from specdm.hub.names import HubName
from specdm.hub.send import Send

NAME = HubName("me/fields", "model")
FILES = {"model_index.json": b"{}", "codec/a.safetensors": b"a" * 5000, "denoiser/b.safetensors": b"b" * 9000}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Something to send."""
    for path, content in FILES.items():
        (tmp_path / "folder" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / path).write_bytes(content)
    return tmp_path / "folder"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub waits before it tries again."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def sending(folder: Path, *, token: str | bool | None = None) -> str:
    send = Send(NAME, token=token)
    send.prepare()
    return send.commit(folder, replaces=["*.safetensors"])


def refusal(do, *arguments, **options) -> str:
    """The one line of a refusal."""
    with pytest.raises(HubError) as caught:
        do(*arguments, **options)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 400, line
    assert line.startswith(str(NAME)), line
    return line


class TestSending:
    def test_nobody_is_logged_in(self, hub: LittleHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_TOKEN")
        assert "wants to know who sends this; log in with: hf auth login, or set HF_TOKEN" in refusal(sending, folder)
        assert not hub.repositories
        sending(folder, token=TOKEN)
        assert hub.model("me/fields").files().keys() > FILES.keys()

    @pytest.mark.parametrize(("token", "said"), [("hf_wrong", "does not take the access token"), ("hf_read", "write")])
    def test_a_token_that_may_not(self, hub: LittleHub, folder: Path, token: str, said: str) -> None:
        assert said in refusal(sending, folder, token=token)
        assert not hub.repositories

    def test_no_network(self, hub: LittleHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9/")
        line = refusal(sending, folder)
        assert "the Hub at http://127.0.0.1:9 cannot be reached; no file on the Hub has changed" in line

    @pytest.mark.parametrize(
        ("method", "part"),
        [("PUT", "/lfs/"), ("POST", "/objects/batch"), ("POST", "/preupload/"), ("POST", "/commit/")],
    )
    def test_an_interrupted_upload_changes_nothing(self, hub: LittleHub, folder: Path, method: str, part: str) -> None:
        hub.add("model", "me/fields", {"old.txt": b"old"})
        hub.failures[method, part] = 507
        assert "no file on the Hub has changed; try again later" in refusal(sending, folder)
        assert hub.model("me/fields").files() == {"old.txt": b"old"}
        hub.failures.clear()
        sending(folder)
        assert hub.model("me/fields").files() == {"old.txt": b"old", **FILES}

    def test_what_arrived_is_not_sent_again(self, hub: LittleHub, folder: Path) -> None:
        hub.failures["POST", "/commit/"] = 507
        refusal(sending, folder)
        hub.failures.clear()
        hub.asked.clear()
        sending(folder)
        assert not [line for line in hub.asked if line.startswith("PUT")]


class TestFetching:
    PATTERNS = ("*.json", "*.safetensors")

    @pytest.fixture
    def there(self, hub: LittleHub) -> LittleHub:
        hub.add("model", "me/fields", FILES)
        return hub

    def fetched(self, *, revision: str | None = None, **options) -> dict[str, bytes]:
        folder = Fetch(**options).folder(HubName("me/fields", "model", revision), self.PATTERNS)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_all_of_it(self, there: LittleHub) -> None:
        assert self.fetched() == FILES

    def test_no_such_repository(self, hub: LittleHub) -> None:
        assert "no such model on the Hub" in refusal(self.fetched)
        assert "or you have no access to it; check its name" in refusal(self.fetched)
        assert "or it is private; check its name and, if it is private, log in" in refusal(self.fetched, token=False)

    def test_no_such_revision(self, there: LittleHub) -> None:
        assert "@v9: has no branch, tag or commit v9" in refusal(self.fetched, revision="v9")

    def test_a_wrong_token(self, there: LittleHub) -> None:
        assert "does not take the access token" in refusal(self.fetched, token="hf_wrong")

    def test_no_token_where_one_is_asked_for(self, there: LittleHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_TOKEN")
        assert "there is no access token; log in" in refusal(self.fetched, token=True)

    def test_no_network(self, there: LittleHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        line = refusal(self.fetched)
        assert "the Hub at http://127.0.0.1:9 cannot be reached, and the cache has no whole copy" in line

    def test_offline_by_wish(self, there: LittleHub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert "the cache has no whole copy, and the network is not to be used" in refusal(self.fetched)
        assert "this needs the network" in refusal(Send(NAME).prepare)
        assert there.asked == []

    def test_only_what_was_fetched_before(self, there: LittleHub) -> None:
        assert "(HF_HUB_OFFLINE or local_files_only)" in refusal(self.fetched, local_files_only=True)
        assert there.asked == []

    @pytest.mark.parametrize(("status", "said"), [(503, "answers 503"), (429, "fewer requests")])
    def test_a_hub_that_does_not_work(self, there: LittleHub, status: int, said: str) -> None:
        there.failures["GET", "/api/models"] = status
        assert said in refusal(self.fetched)

    def test_something_else_than_a_hub(self, there: LittleHub) -> None:
        there.failures["GET", "/api/models"] = 404
        assert "no such model" in refusal(self.fetched)

    @pytest.mark.parametrize("failure", [403, "cut"])
    def test_an_interrupted_download_goes_on(self, there: LittleHub, hub_home: Path, failure: int | str) -> None:
        there.failures["GET", "b.safetensors"] = failure
        line = refusal(self.fetched)
        assert ("broke" if failure == "cut" else "no such model") in line
        snapshots = list(hub_home.rglob("*.safetensors"))
        assert all(path.read_bytes() in FILES.values() for path in snapshots), "no half of a file has its name"
        there.failures.clear()
        assert self.fetched() == FILES

    def test_a_part_of_the_files_is_no_model_without_a_network(
        self, there: LittleHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there.failures["GET", "b.safetensors"] = 403
        refusal(self.fetched)
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert "no whole copy" in refusal(self.fetched)

    def test_a_full_disk(self, there: LittleHub, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*arguments: object, **options: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "/cache")

        monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
        assert "/cache: No space left on device; make room or set HF_HOME" in refusal(self.fetched)


def test_every_failure_is_for_the_user() -> None:
    assert issubclass(HubError, SpecDMError)
