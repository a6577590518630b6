"""A real HTTP server on this machine that answers well, late, wrongly, endlessly or only in part."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class LocalServer:
    """address: of its interface. answers: one per request, the last one for all further requests."""

    address: str
    answers: list[Answer] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Any:
        return json.loads(self.bodies[-1])


def says(content: Any, *, status: int = 200, **headers: str) -> Answer:
    """Answers with JSON, or with bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def stops_halfway(content: Any) -> Answer:
    """Promises all of an answer, sends half of it and hangs up."""
    body = json.dumps(content).encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])

    return answer


def hangs_up(request: BaseHTTPRequestHandler) -> None:
    """Says nothing at all."""
    request.close_connection = True


def endless(*, mebibytes: int = 100) -> Answer:
    """Sends so much of an answer whose length it does not say."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(mebibytes):
            request.wfile.write(b" " * (1 << 20))

    return answer


def waits(server: LocalServer) -> Answer:
    """Answers only when the test is over."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        server.released.wait(60)

    return answer


def drips(server: LocalServer) -> Answer:
    """Sends a byte at a time, each before a reader would lose patience."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.released.wait(0.02):
            request.wfile.write(b" ")
            request.wfile.flush()

    return answer


@contextmanager
def local_server() -> Iterator[LocalServer]:
    """A server that lives for the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.paths.append(self.path)
            server.headers.append(dict(self.headers.items()))
            server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = LocalServer(f"http://127.0.0.1:{listening.server_address[1]}/v1")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        listening.shutdown()
        thread.join()
        listening.server_close()
