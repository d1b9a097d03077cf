"""The connection to the Hub: which one, and what is said when it does not do what is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from specdm.errors import HubError, SpecDMError
from specdm.hub.names import HubName
from specdm.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Token = str | bool | None
"""An access token; True: that of `hf auth login`; False: none, even if there is one; None: what there is."""

LOG_IN = "log in with: hf auth login, or set HF_TOKEN"


def hub_api(token: Token = None) -> HfApi:
    """The Hub of `HF_ENDPOINT`, as it is set now: huggingface_hub by itself looks at it once, when it is imported."""
    from huggingface_hub import HfApi

    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    return HfApi(endpoint=endpoint, token=token, library_name="specdm", library_version=__version__)


@contextmanager
def plain_failures(name: HubName, api: HfApi, *, sending: bool = False, offline: bool = False) -> Iterator[None]:
    """Whatever goes wrong on the Hub becomes a `HubError` of one line.

    Args:
        name: of the repository.
        api: the Hub.
        sending: whether something is sent there; else it is fetched.
        offline: whether only the cache may be looked at.
    """
    try:
        yield
    except SpecDMError:
        raise
    # any: the HTTP library and that for large files have errors of their own, which differ by version
    except Exception as error:
        raise HubError(f"{name}: {_reason(error, name, api, sending=sending, offline=offline)}") from error


def _reason(error: BaseException, name: HubName, api: HfApi, *, sending: bool, offline: bool) -> str:
    """What went wrong and what to do, by the first error in the chain that says it."""
    from huggingface_hub import errors

    chain = _chain(error)
    for one in chain:
        if isinstance(one, errors.HfHubHTTPError):
            return _refused(one, name, api, sending=sending)
    if any(isinstance(one, errors.OfflineModeIsEnabled) for one in chain) or (
        offline and isinstance(error, errors.LocalEntryNotFoundError)
    ):
        asked = "this needs the network" if sending else "the cache has no whole copy"
        return f"{asked}, and the network is not to be used (HF_HUB_OFFLINE or local_files_only)"
    for one in chain:
        if isinstance(one, errors.LocalTokenNotFoundError):
            return f"there is no access token; {LOG_IN}"
        if isinstance(one, errors.FileMetadataError):
            return f"what answers at {api.endpoint} is no Hub; check HF_ENDPOINT"
        # the library below has had other names, so its errors are known by theirs
        if isinstance(one, (errors.LocalEntryNotFoundError, ConnectionError)) or "Connect" in type(one).__name__:
            there = "" if sending else ", and the cache has no whole copy"
            return f"the Hub at {api.endpoint} cannot be reached{there}; {_kept(sending)}; check the network"
        if isinstance(one, (errors.HTTPError, TimeoutError)):
            return f"the connection to the Hub at {api.endpoint} broke ({_words(one)}); {_kept(sending)}; try again"
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; make room or set HF_HOME to another place, and try again"
    return f"{_words(error)}; {_kept(sending)}; try again"


def _refused(error: BaseException, name: HubName, api: HfApi, *, sending: bool) -> str:
    """What an answer of the Hub means."""
    from huggingface_hub import errors, get_token

    status = getattr(getattr(error, "response", None), "status_code", None)
    token = api.token if isinstance(api.token, str) else None if api.token is False else get_token()
    what = "tile set" if name.kind == "dataset" else "model"
    if isinstance(error, errors.GatedRepoError):
        return f"its owner gives access on request; ask on {api.endpoint}/{name.repo_id}, and {LOG_IN}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"has no branch, tag or commit {name.revision or 'main'}; leave the revision out, or name another"
    if isinstance(error, errors.EntryNotFoundError):
        path = str(getattr(getattr(error, "response", None), "url", "")).rpartition("/")[2]
        return f"no {what} of SpecDM: it has no {path or 'such file'}"
    if status == 401 and token is not None and not isinstance(error, errors.RepositoryNotFoundError):
        return f"the Hub at {api.endpoint} does not take the access token; {LOG_IN}"
    if sending and status in (401, 403) and token is None:
        return f"the Hub at {api.endpoint} wants to know who sends this; {LOG_IN}"
    if sending and (status in (401, 403) or isinstance(error, errors.RepositoryNotFoundError)):
        return f"the access token may not write there; use one with write access to {name.repo_id.split('/')[0]}"
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403, 404):
        hidden = "or it is private" if token is None else "or you have no access to it"
        tip = f" and, if it is private, {LOG_IN}" if token is None else ""
        return f"no such {what} on the Hub at {api.endpoint}, {hidden}; check its name{tip}"
    if status == 429:
        return "the Hub asks for fewer requests; wait some minutes and try again"
    return f"the Hub at {api.endpoint} answers {status or 'with an error'}; {_kept(sending)}; try again later"


def _kept(sending: bool) -> str:
    return "no file on the Hub has changed" if sending else "what has arrived is kept"


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or one.__context__
    return found


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
