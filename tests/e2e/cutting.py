"""A connection that breaks: a proxy before the live server that can be cut in the middle of a request and mended."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Wire:
    """Passes bytes on to a port. `cut_at` many bytes towards the server, everything breaks until `mend`."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.cut_at = 0
        self.sent = 0
        self.is_cut = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def mend(self) -> None:
        """Let connections through again."""
        self.cut_at = 0
        self.is_cut.clear()

    def close(self) -> None:
        """The end."""
        self._listener.close()
        self._drop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self._open |= {client, server}
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, come: socket.socket, go: socket.socket, is_up: bool) -> None:
        try:
            while found := come.recv(16 * 1024):
                if is_up and self._counted(len(found)):
                    self._drop()
                    return
                go.sendall(found)
        except OSError:
            pass
        for end in (come, go):
            self._open.discard(end)
            end.close()

    def _counted(self, number: int) -> bool:
        """Count bytes towards the server; whether this is where the wire is cut."""
        with self._lock:
            self.sent += number
            if not self.cut_at or self.sent < self.cut_at:
                return False
            self.is_cut.set()
            return True

    def _drop(self) -> None:
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A wire to the port, taken away at the end."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
