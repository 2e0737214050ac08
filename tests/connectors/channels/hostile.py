"""A server on this machine that takes webhooks and behaves as badly as asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser


@dataclass
class Hostile:
    """What it listens on, what it was sent, and how many times somebody connected."""

    port: int
    connections: int = 0
    requests: list[tuple[Message, bytes]] = field(default_factory=list)
    sent_bytes: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


Behave = Callable[[socket.socket, Hostile], None]


def answering(raw: bytes) -> Behave:
    """Answer every request with these bytes."""

    def behave(one: socket.socket, _: Hostile) -> None:
        one.sendall(raw)

    return behave


def status(code: int, *headers: str, body: str = "") -> Behave:
    """Answer with a status."""
    lines = [f"HTTP/1.1 {code} Said", f"content-length: {len(body)}", *headers]
    return answering(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


@contextmanager
def listening(behave: Behave) -> Iterator[Hostile]:
    """A server until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    server, stop = Hostile(listener.getsockname()[1]), threading.Event()
    threads: list[threading.Thread] = []

    def one_of(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                server.requests.append(_read(connection))
                behave(connection, server)
            except OSError:
                pass

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            server.connections += 1
            threads.append(threading.Thread(target=one_of, args=(connection,), daemon=True))
            threads[-1].start()

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    try:
        yield server
    finally:
        stop.set()
        serving.join()
        listener.close()


def _read(connection: socket.socket) -> tuple[Message, bytes]:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(connection)
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = Parser().parsestr(head.decode().split("\r\n", 1)[1])
    while len(body) < int(headers["content-length"]):
        body += _more(connection)
    return headers, body


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError
    return part
