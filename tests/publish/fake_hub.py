"""A fake Hub on a real socket: repositories with commits and files, secrets, variables, builds, logs.

It serves the routes that huggingface_hub's client uses. A test makes a route fail with `hub.fail(route, fault)`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TOKEN = "hf_" + "s" * 34
# What the Hub said in July 2026.
REFUSAL = (
    "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic requires a PRO "
    "subscription. Subscribe at https://huggingface.co/pro"
)
LOG = ["Building\n", "Successfully built gradio\n", "Pushing image\n"]


def blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Commit:
    oid: str
    title: str
    files: dict[str, bytes]


@dataclass
class Space:
    sdk: str
    private: bool = False
    hardware: str = "cpu-basic"
    commits: list[Commit] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    stages: list[str] = field(default_factory=lambda: ["RUNNING"])
    running: str = ""
    sleep: int | None = None
    volumes: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0
    message: str = ""  # what the Hub says about the stage
    modified: str = "2026-01-01T00:00:00.000Z"

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def commit(self, title: str, files: dict[str, bytes]) -> Commit:
        oid = hashlib.sha1(f"{len(self.commits)}{title}{sorted(files)}{time.monotonic_ns()}".encode()).hexdigest()
        self.commits.append(Commit(oid, title, files))
        return self.head


class Hub(ThreadingHTTPServer):
    """Datasets are among the `spaces`, by names that begin with datasets/. `large` are the files that came as LFS.

    `requests` lists the routes in the order of their calls; `builds` are the stages of a new commit,
    `wakes` those of a restart, which a change of variables or secrets is, too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.spaces: dict[str, Space] = {}
        self.requests: list[str] = []
        self.host = ""
        self.builds = ["BUILDING", "APP_STARTING", "RUNNING"]
        self.wakes = ["APP_STARTING", "RUNNING"]
        self.log = list(LOG)
        self.large_bytes = 10_000_000  # larger files of a dataset go to the Hub's large file storage
        self.large: dict[str, bytes] = {}  # by their SHA-256
        self.faults: dict[str, list[Any]] = {}
        self.on_commit: Any = None
        self.refused_metadata = ""  # a title
        self.account: dict[str, Any] = {}  # what it says about the account, besides its name
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fail(self, route: str, fault: str | int, times: int = 1) -> None:
        """Make the next calls of `route` fail.

        A fault is a status, "refused" (the connection is closed), "half" (the response is cut), "after" (status 500
        after the change was made), "silent" (no response) or "silent after" (no response after the change was made).
        """
        self.faults[route] = [fault] * times

    def fault(self, route: str) -> Any:
        faults = self.faults.get(route)
        return faults.pop(0) if faults else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.route("GET")

    def do_POST(self) -> None:
        self.route("POST")

    def do_PUT(self) -> None:
        self.route("PUT")

    def do_DELETE(self) -> None:
        self.route("DELETE")

    def route(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name, arguments = self.resolve(method, path)
        self.server.requests.append(name)
        fault = self.server.fault(name)
        if fault == "refused":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault == "silent":
            self.wait_for_client()
            return
        if isinstance(fault, int):
            self.reply(fault, {"error": f"fault {fault} for {self.headers.get('Authorization')}"})
            return
        try:
            with self.server.lock:
                status, value, headers = getattr(self, f"on_{name}")(*arguments, body)
        except KeyError:
            status, value, headers = 404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        if fault == "silent after":
            self.wait_for_client()
            return
        if fault == "after":
            status, value = 500, {"error": "internal error"}
        self.reply(status, value, headers, half=fault == "half")

    def wait_for_client(self) -> None:
        """Send nothing until the client closes the connection."""
        self.close_connection = True
        self.connection.settimeout(30)
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def resolve(self, method: str, path: str) -> tuple[str, tuple[str, ...]]:
        parts = path.strip("/").split("/")
        if path == "/api/whoami-v2":
            return "whoami", ()
        if path.startswith("/large/"):
            return "large", (parts[1],)
        if path.endswith("/info/lfs/objects/batch"):
            return "batch", ()
        if path == "/api/repos/create":
            return "create", ()
        if path == "/api/repos/delete":
            return "delete", ()
        if path == "/api/validate-yaml":
            return "validate", ()
        if parts[0] == "spaces" and "resolve" in parts:
            return "download", ("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
        if parts[0] == "datasets" and "resolve" in parts:
            return "download", ("/".join(parts[:3]), parts[4], "/".join(parts[5:]))
        if path == "/api/spaces/hardware":
            return "offers", ()
        if path == "/api/spaces":
            return "list", ()
        repo, rest = "/".join(parts[2:4]), parts[4:]
        if parts[1] == "datasets":
            repo = f"datasets/{repo}"
        if not rest:
            return "info", (repo,)
        return {"logs": "logs", "tree": "tree", "commits": "commits"}.get(rest[0], rest[0]), (repo, *rest[1:])

    def on_whoami(self, _: bytes) -> Any:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid username or password."}, {}
        return 200, {"type": "user", "name": "somebody", "orgs": [], **self.server.account}, {}

    def on_offers(self, _: bytes) -> Any:
        common = {"unitLabel": "hour", "ephemeralStorage": "50 GB"}
        gpu = {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB", "manufacturer": "Nvidia"}
        offers = [
            ("cpu-basic", "2 vCPU", "16 GB", None, 0), ("t4-small", "4 vCPU", "15 GB", gpu, 0.4),
            ("a100-large", "12 vCPU", "142 GB", gpu, 2.5),
        ]  # fmt: skip
        return 200, [
            {"name": name, "prettyName": name, "cpu": cpu, "ram": ram, "accelerator": accelerator,
             "unitCostUSD": cost, "unitCostMicroUSD": int(cost * 1e6), **common}
            for name, cpu, ram, accelerator, cost in offers
        ], {}  # fmt: skip

    def on_create(self, body: bytes) -> Any:
        request = json.loads(body)
        repo = f"{request.get('organization') or 'somebody'}/{request['name']}"
        if request.get("type") == "dataset":
            repo = f"datasets/{repo}"
        is_free = request.get("sdk") == "static" or request.get("hardware") == "zero-a10g"
        if self.server.account.get("isPro") is False and request.get("type") == "space" and not is_free:
            return 402, {"error": REFUSAL}, {}
        status = 409 if repo in self.server.spaces else 200
        if status == 200:
            space = Space(
                request.get("sdk", ""), request.get("visibility") == "private", request.get("hardware") or "cpu-basic"
            )
            space.sleep = request.get("sleepTimeSeconds")
            space.commit("initial commit", {".gitattributes": b"*.bin filter=lfs\n", "README.md": b"---\n---\n"})
            self.server.spaces[repo] = space
        return (
            status,
            {"url": f"{self.server.url}/{request.get('type') or 'model'}s/{repo.removeprefix('datasets/')}"},
            {},
        )

    def on_delete(self, body: bytes) -> Any:
        request = json.loads(body)
        del self.server.spaces[f"{request.get('organization') or 'somebody'}/{request['name']}"]
        return 200, {}, {}

    def on_validate(self, body: bytes) -> Any:
        content = json.loads(body)["content"]
        if (title := self.server.refused_metadata) and f"title: {title}" in content:
            return 400, {"errors": [{"message": f'"title" may not be {title}'}], "warnings": []}, {}
        return 200, {"errors": [], "warnings": []}, {}

    def on_info(self, repo: str, _: bytes) -> Any:
        space = self.server.spaces[repo]
        value = {
            "id": repo.removeprefix("datasets/"),
            "sha": space.head.oid,
            "private": space.private,
            "sdk": space.sdk,
            "host": self.server.host or self.server.url,
            "subdomain": repo.replace("/", "-"),
            **({} if repo.startswith("datasets/") else {"runtime": self.state(space)}),
        }
        return 200, value, {}

    def on_revision(self, repo: str, revision: str, _: bytes) -> Any:
        self.at(self.server.spaces[repo], revision)
        return self.on_info(repo, _)

    def on_tree(self, repo: str, revision: str, _: bytes) -> Any:
        files = self.at(self.server.spaces[repo], revision).files
        return 200, [self.entry(path, data) for path, data in files.items()], {}

    def entry(self, path: str, data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        lfs = {"lfs": {"oid": digest, "size": len(data), "pointerSize": 134}} if digest in self.server.large else {}
        return {"type": "file", "oid": blob(data), "size": len(data), "path": path, **lfs}

    def on_batch(self, body: bytes) -> Any:
        objects = [{**each, "actions": {"upload": {"href": f"{self.server.url}/large/{each['oid']}"}}}
                   for each in json.loads(body)["objects"]]  # fmt: skip
        return 200, {"transfer": "basic", "objects": objects}, {}

    def on_large(self, digest: str, body: bytes) -> Any:
        if hashlib.sha256(body).hexdigest() != digest:
            return 400, {"error": "wrong checksum"}, {}
        self.server.large[digest] = body
        return 200, {}, {}

    def on_volumes(self, repo: str, body: bytes) -> Any:
        space = self.server.spaces[repo]
        if self.command == "DELETE" and not space.volumes:
            return 400, {"error": "This Space has no volumes"}, {}
        space.volumes = json.loads(body)["volumes"] if self.command == "PUT" else []
        return 200, {}, {}

    def on_restart(self, repo: str, _: bytes) -> Any:
        space = self.server.spaces[repo]
        space.restarts += 1
        space.stages = list(self.server.wakes)
        return 200, self.state(space), {}

    def on_commits(self, repo: str, revision: str, _: bytes) -> Any:
        date = "2026-01-01T00:00:00.000Z"
        commits = [{"id": each.oid, "title": each.title, "message": "", "authors": [], "date": date}
                   for each in reversed(self.server.spaces[repo].commits)]  # fmt: skip
        return 200, commits, {}

    def on_preupload(self, repo: str, revision: str, body: bytes) -> Any:
        files = self.server.spaces[repo].head.files
        limit = self.server.large_bytes if repo.startswith("datasets/") else float("inf")
        entries = [{"path": each["path"], "shouldIgnore": False,
                    "uploadMode": "lfs" if each["size"] > limit else "regular",
                    "oid": blob(files[each["path"]]) if each["path"] in files else None}
                   for each in json.loads(body)["files"]]  # fmt: skip
        return 200, {"files": entries}, {}

    def on_commit(self, repo: str, revision: str, body: bytes) -> Any:
        space = self.server.spaces[repo]
        if self.server.on_commit:  # another client commits first
            other, self.server.on_commit = self.server.on_commit, None
            other(space)
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, space.head.oid):
            return 412, {"error": "The expected parent commit is not the latest"}, {}
        files = dict(space.head.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.large[value["oid"]]
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        commit = space.commit(header["summary"], files)
        space.stages = list(self.server.builds)
        place = repo if repo.startswith("datasets/") else f"spaces/{repo}"
        return 200, {"commitUrl": f"{self.server.url}/{place}/commit/{commit.oid}", "commitOid": commit.oid}, {}

    def on_runtime(self, repo: str, _: bytes) -> Any:
        space = self.server.spaces[repo]
        value = self.state(space)
        if len(space.stages) > 1:
            space.stages.pop(0)
        return 200, value, {}

    def on_hardware(self, repo: str, body: bytes) -> Any:
        space = self.server.spaces[repo]
        space.hardware = json.loads(body)["flavor"]
        return 200, self.state(space), {}

    def on_sleeptime(self, repo: str, body: bytes) -> Any:
        space = self.server.spaces[repo]
        space.sleep = json.loads(body)["seconds"]
        return 200, self.state(space), {}

    def on_variables(self, repo: str, body: bytes) -> Any:
        return 200, self.values(repo, self.server.spaces[repo].variables, body, with_values=True), {}

    def on_secrets(self, repo: str, body: bytes) -> Any:
        return 200, self.values(repo, self.server.spaces[repo].secrets, body, with_values=False), {}

    def values(self, repo: str, store: dict[str, str], body: bytes, *, with_values: bool) -> Any:
        if self.command != "GET":
            self.server.spaces[repo].stages = list(self.server.wakes)
        if self.command == "POST":
            request = json.loads(body)
            store[request["key"]] = request["value"]
        elif self.command == "DELETE":
            del store[json.loads(body)["key"]]
        return {key: {"key": key, **({"value": value} if with_values else {})} for key, value in store.items()}

    def on_list(self, _: bytes) -> Any:
        query = dict(parse_qsl(urlsplit(self.path).query))
        spaces = [{"id": repo, "lastModified": space.modified, "private": space.private, "sdk": space.sdk}
                 for repo, space in self.server.spaces.items()
                 if repo.startswith(query["author"] + "/") and query["search"] in repo]  # fmt: skip
        return 200, spaces, {}

    def on_logs(self, repo: str, kind: str, _: bytes) -> Any:
        events = "".join(f"data: {json.dumps({'data': line, 'timestamp': ''})}\n\n" for line in self.server.log)
        return 200, events.encode(), {"Content-Type": "text/event-stream"}

    def on_download(self, repo: str, revision: str, path: str, _: bytes) -> Any:
        data = self.at(self.server.spaces[repo], revision).files[path]
        return 200, data, {"X-Repo-Commit": revision, "ETag": f'"{blob(data)}"'}

    def do_HEAD(self) -> None:
        self.route("HEAD")

    def at(self, space: Space, revision: str) -> Commit:
        if revision in ("main", "HEAD"):
            return space.head
        return {each.oid: each for each in space.commits}[revision]

    def state(self, space: Space) -> dict[str, Any]:
        stage = space.stages[0]
        if stage == "RUNNING":
            space.running = space.head.oid
        sha = space.head.oid if stage.endswith("ERROR") else space.running
        return {"stage": stage, "sha": sha, "errorMessage": space.message or None,
                "gcTimeout": space.sleep, "volumes": space.volumes or None,
                "hardware": {"current": space.hardware, "requested": space.hardware}}  # fmt: skip

    def reply(self, status: int, value: Any, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass
