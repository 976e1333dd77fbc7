"""Asking clamd about a file: sent in pieces (INSTREAM) over TCP or a Unix socket, and written nowhere."""

import socket
from typing import BinaryIO
from urllib.parse import urlsplit

CHUNK = 64 * 1024
#: For each step of the conversation; a large archive takes the scanner a while.
SECONDS = 60.0
LONGEST_ANSWER = 4096


class ScannerAway(Exception):
    """It gave no verdict: not there, too slow, or out of order. Nothing is known about the file."""


def scan(file: BinaryIO, address: str) -> str:
    """The scanner's name for what it found in the file; empty when nothing. Raises ScannerAway."""
    file.seek(0)
    try:
        with _connected(address) as link:
            link.sendall(b"zINSTREAM\0")
            while piece := file.read(CHUNK):
                link.sendall(len(piece).to_bytes(4, "big") + piece)
            link.sendall(bytes(4))
            said = b""
            while not said.endswith(b"\0") and len(said) < LONGEST_ANSWER and (more := link.recv(1024)):
                said += more
    except OSError as error:
        raise ScannerAway(type(error).__name__) from error
    verdict = said.rstrip(b"\0").decode("utf-8", "replace").removeprefix("stream: ")
    if verdict == "OK":
        return ""
    if verdict.endswith(" FOUND"):
        return verdict.removesuffix(" FOUND")[:200]
    raise ScannerAway(verdict[:200] or "no answer")


def _connected(address: str) -> socket.socket:
    """A connection to tcp://host:port or unix:///path."""
    target = urlsplit(address)
    if target.scheme == "tcp":
        return socket.create_connection((target.hostname or "", target.port or 3310), timeout=SECONDS)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(SECONDS)
    try:
        link.connect(target.path)
    except OSError:
        link.close()
        raise
    return link
