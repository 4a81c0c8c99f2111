"""The hub's interface on the loopback device, as far as pushing a folder asks for it.

with serving() as hub:
    hub.url, hub.repositories["owner/name"]     # {"private": True, "files": {name: bytes}}
    hub.refuses = 403                           # what it answers to whoever writes
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HubServer(ThreadingHTTPServer):
    """What serves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hub)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, dict[str, Any]] = {}
        self.tokens: set[str | None] = set()
        self.refuses: int | None = None


@contextmanager
def serving() -> Iterator[HubServer]:
    """A hub without repositories."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Hub(BaseHTTPRequestHandler):
    server: HubServer

    def log_message(self, *given: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._reply(200, {})

    def do_GET(self) -> None:
        name = "/".join(self.path.split("/")[3:5]).partition("?")[0]
        found = self.server.repositories.get(name)
        if found is None:
            self._reply(404, {"error": "no such repository"}, {"X-Error-Code": "RepoNotFound"})
            return
        files = [{"rfilename": file} for file in found["files"]]
        self._reply(200, {"id": name, "private": found["private"], "sha": "a" * 40, "siblings": files})

    def do_POST(self) -> None:
        server, body = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.tokens.add(self.headers.get("Authorization"))
        if self.path == "/api/validate-yaml":
            self._reply(200, {"errors": [], "warnings": []})
        elif server.refuses is not None:
            self._reply(server.refuses, {"error": f"not you, {self.headers.get('Authorization')}"})
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            # Earlier clients say whether it is private, later ones how visible it is.
            private = asked.get("visibility", "private" if asked.get("private") else "public") == "private"
            server.repositories[name] = {"private": private, "files": {}}
            self._reply(200, {"url": f"{server.url}/{name}"})
        elif "/preupload/" in self.path:
            files = [{"path": one["path"], "uploadMode": "regular"} for one in json.loads(body)["files"]]
            self._reply(200, {"files": [{**one, "shouldIgnore": False} for one in files]})
        elif "/commit/" in self.path:
            name = "/".join(self.path.split("/")[3:5])
            files = server.repositories[name]["files"]
            for entry in map(json.loads, body.splitlines()):
                if entry["key"] == "file":
                    files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            self._reply(
                200, {"success": True, "commitOid": "a" * 40, "commitUrl": f"{server.url}/{name}/commit/{'a' * 40}"}
            )
        else:
            self._reply(500, {"error": f"unknown: {self.path}"})

    def _reply(self, status: int, body: Any, more: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
