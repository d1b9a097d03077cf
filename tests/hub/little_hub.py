"""As much of the Hugging Face Hub as `huggingface_hub` needs, on the loopback address, in memory.

Repositories with branches and commits, small files in the commit itself and large ones by Git LFS, tokens, private
repositories, and failures on demand.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = (".safetensors", ".parquet")
TOKEN = "hf_write"
READER = "hf_read"


@dataclass
class Repository:
    """Commits are whole trees, path -> content; branches name them."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, tree: dict[str, bytes], branch: str, message: str) -> str:
        sha = hashlib.sha1(f"{len(self.commits)}{branch}{sorted(tree)}".encode()).hexdigest()
        self.commits[sha] = tree
        self.branches[branch] = sha
        self.messages.append(message)
        return sha

    def sha(self, revision: str) -> str | None:
        return self.branches.get(revision) or (revision if revision in self.commits else None)

    def files(self, revision: str = "main") -> dict[str, bytes]:
        return self.commits[self.branches[revision]]


@dataclass
class LittleHub:
    """The state of the server.

    Attributes:
        endpoint: its address.
        blobs: the same by another name.
        repositories: ("model" or "dataset", "owner/name") -> repository.
        objects: large files by their SHA-256.
        failures: (method, part of the path) -> status that is answered instead, or "cut": half of the file.
        asked: every request, "GET /path".
    """

    endpoint: str = ""
    blobs: str = ""
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    failures: dict[tuple[str, str], int | str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def model(self, repo_id: str) -> Repository:
        return self.repositories["model", repo_id]

    def dataset(self, repo_id: str) -> Repository:
        return self.repositories["dataset", repo_id]

    def add(self, kind: str, repo_id: str, files: dict[str, bytes], *, private: bool = False) -> Repository:
        """A repository with one commit, as if someone had sent it."""
        found = self.repositories[kind, repo_id] = Repository(private)
        found.commit(files, "main", "initial commit")
        return found


@contextmanager
def little_hub():
    """A running server."""
    hub = LittleHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    hub.blobs = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


class _Refusal(Exception):
    def __init__(self, status: int, code: str = "", message: str = ""):
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    hub: LittleHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.hub.asked.append(f"{method} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            for (on, part), status in self.hub.failures.items():
                if on == method and part in path and isinstance(status, int):
                    raise _Refusal(status, message="asked to fail")
            for verb, pattern, do in ROUTES:
                if verb in (method, "GET" if method == "HEAD" else method) and (match := re.fullmatch(pattern, path)):
                    do(self, match, body, parse_qs(url.query))
                    return
            raise _Refusal(404, message=f"no route {method} {path}")
        except _Refusal as refusal:
            headers = {"X-Error-Message": refusal.message} | ({"X-Error-Code": refusal.code} if refusal.code else {})
            self._send(refusal.status, {"error": refusal.message}, headers)

    def _send(self, status: int, content: object, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        if cut:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        self.close_connection = self.close_connection or cut

    # -- who asks, and for what --------------------------------------------------------------------------------

    @property
    def token(self) -> str | None:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def _check_token(self, *, write: bool) -> None:
        if self.token not in (None, TOKEN, READER):
            raise _Refusal(401, message="Invalid credentials in Authorization header")
        if write and self.token is None:
            raise _Refusal(401, message="Invalid username or password.")
        if write and self.token == READER:
            raise _Refusal(403, message="you don't have the rights to write here")

    def _repository(self, kind: str, repo_id: str, *, write: bool = False) -> Repository:
        self._check_token(write=write)
        found = self.hub.repositories.get((kind.removesuffix("s"), repo_id))
        if found is None or (found.private and self.token is None):
            raise _Refusal(404 if self.token else 401, "RepoNotFound", "Repository not found")
        return found

    def _tree(self, repository: Repository, revision: str) -> tuple[str, dict[str, bytes]]:
        sha = repository.sha(revision)
        if sha is None:
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha, repository.commits[sha]

    # -- the calls ---------------------------------------------------------------------------------------------

    def create(self, match: re.Match, body: bytes, query: dict) -> None:
        asked = json.loads(body)
        kind = asked.get("type") or "model"
        repo_id = f"{asked['organization']}/{asked['name']}"
        self._check_token(write=True)
        url = f"{self.hub.endpoint}/{'datasets/' if kind == 'dataset' else ''}{repo_id}"
        if (kind, repo_id) in self.hub.repositories:
            self._send(409, {"error": "You already created this repository", "url": url})
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self.hub.add(kind, repo_id, {".gitattributes": b"*.safetensors filter=lfs\n"}, private=private)
        self._send(200, {"url": url})

    def branch(self, match: re.Match, body: bytes, query: dict) -> None:
        repository = self._repository(match["kind"], match["id"], write=True)
        if match["branch"] in repository.branches:
            raise _Refusal(409, message="Reference already exists")
        repository.branches[match["branch"]] = repository.branches["main"]
        self._send(200, {})

    def info(self, match: re.Match, body: bytes, query: dict) -> None:
        repository = self._repository(match["kind"], match["id"])
        sha, tree = self._tree(repository, match.groupdict().get("revision") or "main")
        siblings = [{"rfilename": path} for path in tree]
        facts = {"id": match["id"], "sha": sha, "private": repository.private, "tags": []}
        self._send(200, facts | {"siblings": siblings})

    def tree(self, match: re.Match, body: bytes, query: dict) -> None:
        _, files = self._tree(self._repository(match["kind"], match["id"]), match["revision"])
        entries = []
        for path, content in files.items():
            entry = {"type": "file", "path": path, "size": len(content), "oid": _git_oid(content)}
            if path.endswith(LARGE):
                entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 130}
            entries.append(entry)
        self._send(200, entries)

    def yaml(self, match: re.Match, body: bytes, query: dict) -> None:
        self._send(200, {"errors": [], "warnings": []})

    def preupload(self, match: re.Match, body: bytes, query: dict) -> None:
        self._repository(match["kind"], match["id"], write=True)
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(body)["files"]
        ]
        self._send(200, {"files": modes})

    def lfs_batch(self, match: re.Match, body: bytes, query: dict) -> None:
        self._repository("datasets" if match["dataset"] else "models", match["id"], write=True)
        objects = []
        for one in json.loads(body)["objects"]:
            found = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.hub.objects:
                href = f"{self.hub.endpoint}/lfs/{one['oid']}"
                found["actions"] = {"upload": {"href": href, "header": {}}, "verify": {"href": f"{href}/verify"}}
            objects.append(found)
        self._send(200, {"transfer": "basic", "objects": objects})

    def lfs_put(self, match: re.Match, body: bytes, query: dict) -> None:
        if _sha256(body) != match["oid"]:
            raise _Refusal(400, message="other content than announced")
        self.hub.objects[match["oid"]] = body
        self._send(200, b"")

    def lfs_verify(self, match: re.Match, body: bytes, query: dict) -> None:
        self._send(200 if match["oid"] in self.hub.objects else 404, {})

    def commit(self, match: re.Match, body: bytes, query: dict) -> None:
        repository = self._repository(match["kind"], match["id"], write=True)
        _, tree = self._tree(repository, match["revision"])
        tree, message = dict(tree), ""
        for line in body.splitlines():
            item = json.loads(line)
            key, value = item["key"], item["value"]
            if key == "header":
                message = value["summary"]
            elif key == "file":
                tree[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                tree[value["path"]] = self.hub.objects[value["oid"]]
            elif key == "deletedFile":
                del tree[value["path"]]
            else:
                raise _Refusal(400, message=f"unknown operation {key}")
        sha = repository.commit(tree, match["revision"], message)
        url = f"{self.hub.endpoint}/{match['id']}/commit/{sha}"
        self._send(200, {"commitUrl": url, "commitOid": sha})

    def resolve(self, match: re.Match, body: bytes, query: dict) -> None:
        repository = self._repository("datasets" if match["dataset"] else "models", match["id"])
        sha, tree = self._tree(repository, match["revision"])
        if match["path"] not in tree:
            raise _Refusal(404, "EntryNotFound", "Entry not found")
        content = tree[match["path"]]
        headers = {"X-Repo-Commit": sha}
        if not match["path"].endswith(LARGE):
            self._send(200, content, headers | {"ETag": f'"{_git_oid(content)}"'}, cut=self._cut())
            return
        # large files lie on a server of another name, to which huggingface_hub sends no token
        self.hub.objects.setdefault(_sha256(content), content)
        headers |= {"X-Linked-Etag": f'"{_sha256(content)}"', "X-Linked-Size": str(len(content))}
        self._send(302, b"", headers | {"Location": f"{self.hub.blobs}/blobs/{_sha256(content)}/{match['path']}"})

    def blob(self, match: re.Match, body: bytes, query: dict) -> None:
        content = self.hub.objects[match["oid"]]
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if start is None:
            self._send(200, content, {"ETag": f'"{match["oid"]}"'}, cut=self._cut())
            return
        first = int(start[1])
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        self._send(206, content[first:], {"Content-Range": span}, cut=self._cut())

    def _cut(self) -> bool:
        """Whether the connection breaks in the middle of this file."""
        return any(status == "cut" and part in self.path for (_, part), status in self.hub.failures.items())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


_API = r"/api/(?P<kind>models|datasets)/(?P<id>[^/]+/[^/]+)"
_REPO = r"/(?P<dataset>datasets/)?(?P<id>[^/]+/[^/]+)"
ROUTES = [
    ("POST", r"/api/repos/create", _Handler.create),
    ("POST", r"/api/validate-yaml", _Handler.yaml),
    ("POST", rf"{_API}/branch/(?P<branch>.+)", _Handler.branch),
    ("POST", rf"{_API}/preupload/(?P<revision>.+)", _Handler.preupload),
    ("POST", rf"{_API}/commit/(?P<revision>.+)", _Handler.commit),
    ("POST", rf"{_REPO}\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    ("PUT", r"/lfs/(?P<oid>\w+)", _Handler.lfs_put),
    ("POST", r"/lfs/(?P<oid>\w+)/verify", _Handler.lfs_verify),
    ("GET", rf"{_API}(/revision/(?P<revision>.+))?", _Handler.info),
    ("GET", rf"{_API}/tree/(?P<revision>[^/]+)", _Handler.tree),
    ("GET", r"/blobs/(?P<oid>\w+)/.+", _Handler.blob),
    ("GET", rf"{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _Handler.resolve),
]
