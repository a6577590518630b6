"""Where executions are recorded: an SQLite file under the repository, or the team's server that an address names.

A server is asked for its health before MLflow is: MLflow's own retries would hide a dead one for minutes.
"""

import contextlib
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twinloop.databases import one_at_a_time
from twinloop.errors import InputError, RunError
from twinloop.tracking import view
from twinloop.tracking.client import connect, prepare_environment
from twinloop.tracking.local import file_of, locked, open_database, uri_of
from twinloop.tracking.relocation import artifacts

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

FOLDER = Path(".twinloop/mlflow")
FILE = "mlflow.db"
ANSWER_WITHIN_S = 3.0
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
REMEDY = "start it, or unset MLFLOW_TRACKING_URI to record under .twinloop/mlflow"


@dataclass(frozen=True)
class Store:
    """An open store. `folder` holds the locks and, of a local store, the artefacts."""

    uri: str
    client: "MlflowClient"
    folder: Path
    local: bool

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes of this repository from doing the same thing at once."""
        with locked(self.folder / f"{name}.lock"):
            yield

    def experiment(self, name: str) -> str:
        """Id of the experiment of that name, made or taken back from the bin where needed."""
        with self.lock("experiment"):
            found = self.client.get_experiment_by_name(name)
            if found is None:
                place = artifacts(file_of(self.uri, self.folder), name) if self.local else None
                return str(self.client.create_experiment(name, artifact_location=place))
            if found.lifecycle_stage == "deleted":
                self.client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)


def address(uri: str | None, root: Path) -> str:
    """The store's address: `uri`, or the repository's own file under `root`. Raises InputError for a folder."""
    if not uri:
        return uri_of(root.resolve() / FOLDER / FILE)
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise InputError(
            f"tracking: MLFLOW_TRACKING_URI: expected http://HOST:PORT or sqlite:///FILE: {error}"
        ) from None
    scheme = parts.scheme
    if scheme in ("", "file"):
        raise InputError(
            f"tracking: MLFLOW_TRACKING_URI = {uri}: expected sqlite:///FILE or http://HOST:PORT "
            "(MLflow no longer records in plain folders)"
        )
    return uri_of(file_of(uri, root.resolve())) if scheme == "sqlite" else uri.rstrip("/")


def open_store(uri: str | None, root: Path) -> Store:
    """Open the store at `uri` (None: the repository's own under `root`), making the local one where it is missing.

    root: the main repository, not the copy that `dvc exp run --temp` works in.
    Raises InputError for an address that cannot be one, RunError where nothing answers within five seconds.
    """
    place = address(uri, root)
    if place.startswith("sqlite:"):
        database = file_of(place, root)
        return Store(place, open_database(database), database.parent, local=True)
    _check_answers(place)
    return Store(place, _connect(place), root.resolve() / FOLDER, local=False)


def _connect(place: str) -> "MlflowClient":
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with one_at_a_time(place):
            return connect(place)
    except (SQLAlchemyError, ImportError) as error:
        why = " ".join(str(getattr(error, "orig", None) or error).split())[:160]
        raise RunError(f"tracking: {_public(place)} cannot be opened ({why}): {REMEDY}") from None


def _check_answers(uri: str) -> None:
    # A thread, because a name that does not resolve cannot be given a time limit.
    failure: list[str] = ["no answer"]
    asked = threading.Thread(target=lambda: failure.__setitem__(0, _failure(uri)), daemon=True)
    asked.start()
    asked.join(ANSWER_WITHIN_S + 0.5)
    if failure[0]:
        raise RunError(f"tracking: no MLflow server answers at {_public(uri)} ({failure[0]}): {REMEDY}")


def _failure(uri: str) -> str:
    """Why the server cannot be used; empty where it answers."""
    parts = urlsplit(uri)
    try:
        if parts.scheme in ("http", "https"):
            bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
            with urllib.request.urlopen(f"{bare}/health", timeout=ANSWER_WITHIN_S):
                return ""
        port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
        if parts.hostname and port:
            socket.create_connection((parts.hostname, port), timeout=ANSWER_WITHIN_S).close()
    except urllib.error.HTTPError as error:
        # A gateway may ask for the credentials that MLflow's client sends and this question does not.
        return "" if error.code in (401, 403) else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return str(getattr(reason, "strerror", None) or reason)
    return ""


def _public(uri: str) -> str:
    """The address without a password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def ui_command(uri: str | None, root: Path, *, port: int = 5000) -> tuple[list[str], dict[str, str]]:
    """Command that serves MLflow's pages for the repository's store on loopback, for `make ui`, and its environment.

    The store's address is in the environment, since arguments, and passwords in them, are seen by every user.
    Raises InputError where the store is a server: it serves its own pages.
    """
    place = address(uri, root)
    if place.startswith(("http://", "https://")):
        raise InputError(f"ui: runs are recorded at {_public(place)}: open that address in a browser")
    prepare_environment()
    if place.startswith("sqlite:"):
        open_database(file_of(place, root))
    command = [sys.executable, "-W", "ignore", "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--workers", "1"], os.environ | {"MLFLOW_BACKEND_STORE_URI": place}


def ui_page(store: Store, twin: str, *, port: int = 5000) -> str:
    """Address of the page that compares the executions of `twin`, with the columns that matter."""
    server = f"http://127.0.0.1:{port}" if store.local else _public(store.uri)
    return f"{server}/#/experiments/{store.experiment(twin)}/runs?{view.QUERY}"
