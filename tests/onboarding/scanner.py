"""A stand-in for clamd that speaks its INSTREAM over a socket: finds EICAR, or says what it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.onboarding.corpus import EICAR


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """One conversation."""
        self.server.asked += 1  # type: ignore[attr-defined]
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
        self.server.seen.append(content)  # type: ignore[attr-defined]
        said = b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"
        self.wfile.write((self.server.says or said) + b"\0")  # type: ignore[attr-defined]


class Scanner(socketserver.ThreadingTCPServer):
    """`says` is answered to everything while it is set; `seen` is what was sent."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.says = b""
        self.asked = 0
        self.seen: list[bytes] = []

    @property
    def url(self) -> str:
        """What CLAMD_URL is set to."""
        return f"tcp://127.0.0.1:{self.server_address[1]}"


@contextmanager
def scanning(settings: Any) -> Iterator[Scanner]:
    """A scanner that the portal is set to."""
    with Scanner() as scanner:
        thread = threading.Thread(target=scanner.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        settings.CLAMD_URL = scanner.url
        try:
            yield scanner
        finally:
            scanner.shutdown()
            thread.join()
