"""A model hub on the loopback interface, as far as the real client asks one, whose faults are
switched on; and the command line run against it, in a fork or a process of its own.

Like the real one it lists branches (`refs`), answers for a revision and its files (`tree`, in
pages), says of a file its commit, size and hash (`head`), sends small files itself and weights from
another address (`file`), where a range may be asked for.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from stand_ins.forks import ForkServer

PAGE = 3  # entries of a page of the tree; the real hub's have 1000
PARTS = ("refs", "revision", "tree", "head", "file")


@dataclass
class Hub:
    """What the hub holds and how it fails.

    - `branches`: by repository and branch name, its commit; `trees`: by repository and commit, the
      content of each file.
    - `faults`: by part (see `PARTS`), what answers instead; it returns whether it has.
    - `asked`: method, path and asked range of every request, in order.
    - `address`: its own; `store`: that of the weights, which has to be another host.
    """

    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    trees: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    faults: dict[str, Callable] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    address: str = ""
    store: str = ""

    def add(self, repository: str, branch: str, files: dict[str, bytes]) -> str:
        """Put files on a branch; the commit, a hash of them."""
        digest = hashlib.sha1(branch.encode())
        for path, content in sorted(files.items()):
            digest.update(path.encode() + content)
        commit = digest.hexdigest()
        self.branches.setdefault(repository, {})[branch] = commit
        self.trees.setdefault(repository, {})[commit] = files
        return commit

    def requests(self, pattern: str) -> list[tuple[str, str, str]]:
        """What was asked for of the paths that match."""
        return [each for each in self.asked if re.search(pattern, each[1])]

    def content(self, digest: str) -> bytes | None:
        """The file of this SHA-256."""
        return next(
            (
                content
                for trees in self.trees.values()
                for files in trees.values()
                for content in files.values()
                if hashlib.sha256(content).hexdigest() == digest
            ),
            None,
        )


def folder_files(folder: Path, below: str = "") -> dict[str, bytes]:
    """The files of a folder, by their paths in a repository."""
    return {
        below + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def status(code: int, **headers: str) -> Callable:
    """A fault: this status, with headers such as `X_Error_Code`."""

    def fault(handler: "Handler") -> bool:
        handler.reply(code, b"{}", {name.replace("_", "-"): v for name, v in headers.items()})
        return True

    return fault


def once(fault: Callable) -> Callable:
    """A fault that passes: only the first request meets it."""
    left = [fault]

    def passing(handler: "Handler") -> bool:
        return left.pop()(handler) if left else False

    return passing


def cut(after: int) -> Callable:
    """A fault: of the weights `after` bytes are sent, of all that were promised, then the
    connection is cut.
    """

    def fault(handler: "Handler") -> bool:
        handler.begin_weights()
        handler.wfile.write(handler.body[:after])
        handler.end()
        return True

    return fault


def short(by: int) -> Callable:
    """A fault: the weights come whole as the answer says, but `by` bytes shorter than the hub had
    said before.
    """

    def fault(handler: "Handler") -> bool:
        handler.reply(200, handler.body[:-by])
        return True

    return fault


def stalled(release: threading.Event, after: int) -> Callable:
    """A fault: the weights stop after so many bytes until they are released."""

    def fault(handler: "Handler") -> bool:
        handler.begin_weights()
        handler.wfile.write(handler.body[:after])
        handler.wfile.flush()
        release.wait()
        try:
            handler.wfile.write(handler.body[after:])
        except OSError:  # nobody waits for it any more
            handler.end()
        return True

    return fault


def silent(release: threading.Event) -> Callable:
    """A fault: no answer until it is released."""

    def fault(handler: "Handler") -> bool:
        release.wait()
        handler.end()
        return True

    return fault


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    body = b""

    def setup(self) -> None:
        super().setup()
        self.hub = self.server.hub

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def log_message(self, *arguments: object) -> None:
        pass

    def answer(self) -> None:
        """Answer a request, or let a fault do so."""
        split = urlsplit(self.path)
        path = unquote(split.path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if found := re.fullmatch(r"/weights/(\w+)", path):
            self.body = self.hub.content(found[1])
            if not self.failed("file"):
                self.send_weights()
        elif found := re.fullmatch(r"/api/models/([\w-]+/[\w-]+)/(\w+)(?:/(\w[\w.-]*))?", path):
            self.answer_interface(*found.groups(), parse_qs(split.query))
        elif found := re.fullmatch(r"/([\w-]+/[\w-]+)/resolve/(\w[\w.-]*)/(.+)", path):
            self.answer_file(*found.groups())
        else:
            self.reply(404, b"{}")

    def failed(self, part: str) -> bool:
        """Whether a fault of this part has answered."""
        return part in self.hub.faults and self.hub.faults[part](self)

    def answer_interface(self, name: str, part: str, revision: str | None, query: dict) -> None:
        """Answer what is asked about a repository."""
        if self.failed(part):
            return
        if name not in self.hub.branches:
            self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif part == "refs":
            branches = [
                {"name": branch, "ref": f"refs/heads/{branch}", "targetCommit": commit}
                for branch, commit in self.hub.branches[name].items()
            ]
            self.send_json({"branches": branches, "converts": [], "tags": []})
        elif self.files_at(name, revision) is None:
            self.reply(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif part == "tree":
            self.send_tree(name, revision, int(query.get("cursor", ["0"])[0]))
        else:
            commit = self.hub.branches[name].get(revision, revision)
            self.send_json({"id": name, "modelId": name, "sha": commit, "siblings": []})

    def send_tree(self, name: str, revision: str, start: int) -> None:
        """A page of the files at a revision."""
        entries = []
        for path, content in sorted(self.files_at(name, revision).items()):
            entry = {"type": "file", "path": path, "size": len(content), "oid": _git(content)}
            if path.endswith(".safetensors"):
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
            entries.append(entry)
        headers = {}
        if start + PAGE < len(entries):
            address = f"{self.hub.address}/api/models/{name}/tree/{revision}"
            headers["Link"] = f'<{address}?recursive=true&cursor={start + PAGE}>; rel="next"'
        self.send_json(entries[start : start + PAGE], headers)

    def answer_file(self, name: str, revision: str, path: str) -> None:
        """What is said about a file, and its content; weights lie at another address."""
        if self.failed("head"):
            return
        content = (self.files_at(name, revision) or {}).get(path)
        if content is None:
            self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {
            "X-Repo-Commit": self.hub.branches[name].get(revision, revision),
            "ETag": f'"{_git(content)}"',
        }
        if path.endswith(".safetensors"):
            digest = hashlib.sha256(content).hexdigest()
            headers["X-Linked-Size"] = str(len(content))
            headers["X-Linked-ETag"] = f'"{digest}"'
            headers["Location"] = f"{self.hub.store}/weights/{digest}"
            self.reply(302, b"", headers)
        else:
            self.reply(200, content, headers)

    def files_at(self, name: str, revision: str | None) -> dict[str, bytes] | None:
        """The files of a branch or commit."""
        commit = self.hub.branches[name].get(str(revision), revision)
        return self.hub.trees[name].get(str(commit))

    def send_weights(self) -> None:
        """The weights, from where they are asked for."""
        self.begin_weights()
        self.wfile.write(self.body)

    def begin_weights(self) -> None:
        """The head of the answer; `body` is then what was asked for."""
        size, found = len(self.body), re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        self.body = self.body[start:]
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()

    def send_json(self, content: object, headers: dict[str, str] | None = None) -> None:
        """A value as JSON."""
        self.reply(200, json.dumps(content).encode(), headers)

    def reply(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole answer."""
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def end(self) -> None:
        """Cut the connection."""
        self.wfile.flush()
        self.close_connection = True


def _git(content: bytes) -> str:
    """The hash by which git knows a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Server(ThreadingHTTPServer):
    """An address at which one hub after the other can be found."""

    daemon_threads = True
    hub = Hub()

    def show(self, hub: Hub) -> Hub:
        """The hub that is found from now on."""
        hub.address = f"http://127.0.0.1:{self.server_port}"
        hub.store = f"http://localhost:{self.server_port}"
        self.hub = hub
        return hub

    def handle_error(self, *arguments: object) -> None:
        pass  # a killed client's connection, say


@contextmanager
def serving() -> Iterator[Server]:
    """A server at an address of its own."""
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# The client waits before it asks again, up to a minute in all; here it does not.
AT_ONCE = "import time; time.sleep = lambda seconds: None; "
COMMAND = "from meanings.cli.main import main; main()"
FETCH = (
    "import sys; from meanings.models.checkpoints import trajectory; "
    "[checkpoint.fetched() for checkpoint in trajectory(sys.argv[1]).checkpoints]"
)


def environment(address: str, home: Path) -> dict[str, str]:
    """What a user of the real hub has, but for its address and the place of the cache."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "MEANINGS_")) and not name.lower().endswith("_proxy")
    }
    return kept | {
        "HF_ENDPOINT": address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "600",  # seconds: no fault takes a download that long
        "OMP_NUM_THREADS": "1",
    }


@dataclass
class Client:
    """The command line in a folder, against the hub at an address.

    - `environment`: of every command (see `environment`); `forks`: a process that has read it, and
      which runs what asks for no other; `bare`: one that has not, for what does.
    """

    folder: Path
    environment: dict[str, str]
    forks: ForkServer
    bare: ForkServer

    def start(self, code: str, *arguments: object, **variables: str) -> subprocess.Popen:
        """Start a process that runs this Python code."""
        return subprocess.Popen(
            [sys.executable, "-c", AT_ONCE + code, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ran(self, code: str, *arguments: object, **variables: str) -> tuple[int, str, str]:
        """Run Python code: exit code, standard output and standard error.

        What the client reads once, at its import, is read by a process that imports it.
        """
        alone = "--offline" in arguments or any(name.startswith("HF_") for name in variables)
        forks = self.bare if alone else self.forks
        return forks.run(self.folder, *arguments, code=AT_ONCE + code, environment=variables)

    def run(self, *arguments: object, **variables: str) -> tuple[int, str, str]:
        """Run `meanings`: exit code, standard output and standard error."""
        return self.ran(COMMAND, *arguments, **variables)

    def cache(self, pattern: str) -> list[Path]:
        """What of the cache matches."""
        return sorted((self.folder / "home" / "hub").glob(pattern))
