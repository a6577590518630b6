"""The store's SQLite file: made once, whole, under a lock; in WAL mode, so that readers and a writer get along.

MLflow migrates an empty file in place, and processes that do so at once break each other's schema. Here the file is
made under another name and renamed, so that a killed first run leaves nothing half made.
"""

import contextlib
import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError, RunError
from twinloop.files import write_text
from twinloop.tracking.client import connect
from twinloop.tracking.relocation import DEFAULT, artifacts, follow

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

PREFIX = "sqlite:///"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; other processes wait. The kernel frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def uri_of(database: Path) -> str:
    """The SQLite address of a file."""
    return f"{PREFIX}{database}"


def file_of(uri: str, root: Path) -> Path:
    """The file of an SQLite address; a relative one starts at `root`. Raises InputError for a store in memory."""
    name = uri.removeprefix(PREFIX)
    if not uri.startswith(PREFIX) or name in ("", ":memory:") or "?" in name:
        raise InputError(f"tracking: {uri}: expected sqlite:///FILE (a store in memory ends with its stage)")
    return (root / name).resolve()


def open_database(database: Path) -> "MlflowClient":
    """A client for the SQLite file, which is made where missing and brought up to date where another MLflow made it.

    Raises InputError for a file that is no store, RunError where it cannot be written or brought up to date.
    """
    _check_sound(database)
    installed = version("mlflow")
    marker = database.with_suffix(".mlflow-version")
    try:
        with locked(database.parent / "lock"):
            if not database.exists():
                _create(database)
                write_text(marker, installed)
            elif not marker.exists() or marker.read_text(encoding="utf-8") != installed:
                _bring_up_to_date(database)
                write_text(marker, installed)
            follow(database)
    except OSError as error:
        raise RunError(f"tracking: {database} cannot be written: {error.strerror}") from None
    _commit_without_waiting()
    return connect(uri_of(database))


def _commit_without_waiting() -> None:
    """Let commits in WAL mode not wait for the disk: a power cut may lose the last ones, and breaks nothing."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    if not event.contains(Engine, "connect", _relax):
        event.listen(Engine, "connect", _relax)


def _relax(connection: Any, _record: Any) -> None:
    # Other SQLite files of the process (a study's) keep their own mode.
    if isinstance(connection, sqlite3.Connection):
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            connection.execute("PRAGMA synchronous=NORMAL")


def _create(database: Path) -> None:
    fresh = database.with_name(f".{database.name}.{os.getpid()}")
    try:
        connect(uri_of(fresh))
        with contextlib.closing(sqlite3.connect(fresh)) as connection:
            # MLflow's own experiment would lie below the current directory.
            place = (artifacts(database, DEFAULT), DEFAULT)
            connection.execute("UPDATE experiments SET artifact_location = ? WHERE name = ?", place)
            connection.commit()
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # A journal that a store of the same name left would be taken for this one's.
        for journal in ("-wal", "-shm"):
            database.with_name(f"{database.name}{journal}").unlink(missing_ok=True)
        fresh.replace(database)
    finally:
        for leftover in database.parent.glob(f"{fresh.name}*"):
            leftover.unlink()


def _bring_up_to_date(database: Path) -> None:
    revision = _revision(database)
    copy = database.with_suffix(f".{revision}.db")
    with contextlib.closing(sqlite3.connect(database)) as old, contextlib.closing(sqlite3.connect(copy)) as kept:
        old.backup(kept)
    command = [sys.executable, "-W", "ignore", "-m", "mlflow", "db", "upgrade", uri_of(database)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RunError(f"tracking: {database} could not be brought up to date: {reason} ({copy.name} is as it was)")
    if _revision(database) == revision:
        copy.unlink()


def _check_sound(database: Path) -> None:
    """Raise InputError for a file that is no store or cannot be read whole: MLflow would try for minutes, silent."""
    if not database.is_file():
        return
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state == "ok" and connection.execute("SELECT version_num FROM alembic_version").fetchone():
                return
    except sqlite3.DatabaseError as error:
        state = str(error)
    if "locked" in state:
        raise RunError(
            f"tracking: {database} is locked by another program: close that, then run the same command again"
        )
    raise InputError(
        f"tracking: {database} is not an MLflow store, or a damaged one ({' '.join(state.split())[:80]}): move it away "
        "and `make repro` records in a new one, or name another file"
    )


def _revision(database: Path) -> str:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(revision)
