"""A port of loopback that a server is to answer on."""

import errno
import socket

from twinloop.errors import InputError

HIGHEST = 65535


def require_free(port: int, *, tool: str) -> None:
    """Raise InputError for a number that is no port, and for a port that is taken or not this user's."""
    if not 1 <= port <= HIGHEST:
        raise InputError(f"{tool}: --port {port}: expected 1 … {HIGHEST}")
    with socket.socket() as probe:
        # A port that a server left a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(f"{tool}: port {port} is taken: choose another one with --port") from None
            raise InputError(f"{tool}: port {port}: {error.strerror}: choose another one with --port") from None
