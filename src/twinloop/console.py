"""What the terminal, the pipe and the disk may do to a command, told in one line or not at all."""

import contextlib
import errno
import io
import os
import sys

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM)
# What a shell reports of a command whose reader went away (128 + SIGPIPE).
READER_GONE = 141


def encode_anything() -> None:
    """Let stdout and stderr take every character: one that their encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon() -> int:
    """Write no more to a reader that went away (`| head`), also when Python ends; returns the exit status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    return READER_GONE


def disk_fault(error: OSError) -> str | None:
    """The line to show where the disk is full, read-only or closed to this user; None for any other fault."""
    name = error.filename or "an output"
    if error.errno in FULL:
        return f"disk: no space left while writing {name}: free some and run the same command again"
    if error.errno == errno.EROFS:
        return f"disk: {name} lies on a read-only file system: run this in a checkout that can be written to"
    if error.errno in FORBIDDEN and error.filename:
        return f"disk: {name}: permission denied: `chown` or `chmod` it, or run this in a checkout of your own"
    return None
