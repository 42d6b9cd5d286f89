"""A network line that can be cut: a browser's own offline mode keeps the connections that are open."""

from __future__ import annotations

import contextlib
import socket
import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer


class Line(ThreadingTCPServer):
    """Carries connections to a local port. `cut` breaks them, and refuses new ones until `mend`."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _End)
        self.target = ("127.0.0.1", port)
        self.is_cut = False
        self.ends: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self.ends):
            with contextlib.suppress(OSError):  # it has been closed meanwhile
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut = False


class _End(BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        if self.server.is_cut:
            return
        with socket.create_connection(self.server.target) as page:
            ends = {self.request, page}
            self.server.ends |= ends
            back = threading.Thread(target=_copy, args=(page, self.request), daemon=True)
            back.start()
            _copy(self.request, page)
            back.join()
            self.server.ends -= ends


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until either end is closed, and then close both directions."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
