"""A provider on a real socket that says what a test tells it to: answers, silence, nonsense, broken lines."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Heard:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    port: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[["_Handler"], None]


def answer(status: int = 200, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Behaviour:
    """Answer with the JSON of `body`, or with `raw`; headers are written with underscores."""
    content = raw if raw is not None else json.dumps(body).encode()

    def act(handler: "_Handler") -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return act


def reset(handler: "_Handler") -> None:
    """Break the connection with a TCP reset, after the request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def silent(seconds: float) -> Behaviour:
    """Say nothing for a while."""

    def act(handler: "_Handler") -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return act


def drip(seconds: float) -> Behaviour:
    """Send the body byte by byte, never pausing long enough for a read time-out."""

    def act(handler: "_Handler") -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                handler.wfile.write(b" ")
            except OSError:
                break
            time.sleep(0.05)
        handler.close_connection = True

    return act


def cut_off(handler: "_Handler") -> None:
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b'{"token": ')
    handler.close_connection = True


def nonsense(handler: "_Handler") -> None:
    """Something that is no HTTP at all."""
    handler.wfile.write(b"\x00\x01 not http\r\n\r\n")
    handler.close_connection = True


@dataclass
class Talker:
    """Say `then(path, behaviour, ...)`: behaviours of a path are used up in order, the last one stays."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    script: dict[str, list[Behaviour]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def then(self, path: str, *behaviours: Behaviour) -> None:
        with self.lock:
            self.script[path] = list(behaviours)

    def times(self, path: str) -> int:
        with self.lock:
            return sum(1 for one in self.heard if one.path == path)

    def last(self, path: str) -> Heard:
        with self.lock:
            return [one for one in self.heard if one.path == path][-1]

    def behaviour(self, heard: Heard) -> Behaviour:
        with self.lock:
            self.heard.append(heard)
            waiting = self.script.get(heard.path) or [answer(404, {"code": 404, "message": "not scripted"})]
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    talker: Talker

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.talker.behaviour(Heard(self.command, self.path, headers, body, self.client_address[1]))(self)

    do_GET = _serve  # noqa: N815  (names the standard library looks for)
    do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are the point."""


def start() -> tuple[Talker, ThreadingHTTPServer]:
    """A talker on a free port; shut the server down when done."""
    talker = Talker()
    handler = type("Handler", (_Handler,), {"talker": talker})
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    talker.url = f"http://127.0.0.1:{server.server_address[1]}"
    return talker, server


def dead_url() -> str:
    """An address nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"
