"""The store's address, its first creation, and what is said when nothing answers."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from twinloop.errors import InputError, RunError
from twinloop.tracking.store import FILE, FOLDER, Store, address, open_store, ui_command, ui_page


def test_without_an_address_the_store_lies_under_the_repository(tmp_path: Path) -> None:
    assert address(None, tmp_path) == f"sqlite:///{tmp_path}/.twinloop/mlflow/mlflow.db"


def test_a_relative_sqlite_address_starts_at_the_repository(tmp_path: Path) -> None:
    assert address("sqlite:///runs/own.db", tmp_path) == f"sqlite:///{tmp_path}/runs/own.db"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("./mlruns", "no longer records in plain folders"),
        ("file:///tmp/mlruns", "no longer records in plain folders"),
        ("sqlite://", "expected sqlite:///FILE"),
        ("sqlite:///:memory:", "expected sqlite:///FILE"),
    ],
)
def test_an_address_that_cannot_hold_runs_is_refused(uri: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as caught:
        open_store(uri, tmp_path)
    assert "\n" not in str(caught.value)


def test_the_store_is_made_whole_in_wal_mode_with_its_artefacts_beside_it(tmp_path: Path) -> None:
    store = open_store(None, tmp_path)
    with closing(sqlite3.connect(tmp_path / FOLDER / FILE)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    experiment = store.client.get_experiment(store.experiment("factory"))
    assert experiment.artifact_location == (tmp_path / FOLDER / "artifacts" / "factory").as_uri()
    assert not list((tmp_path / FOLDER).glob(".mlflow.db*")), "nothing of the making is left"


def test_an_experiment_in_the_bin_is_taken_back(store: Store) -> None:
    experiment = store.experiment("factory")
    store.client.delete_experiment(experiment)
    assert store.experiment("factory") == experiment
    assert store.client.get_experiment(experiment).lifecycle_stage == "active"


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "notes.db"
    other.write_text("my notes, certainly not a database " * 40)
    with pytest.raises(InputError, match="not an MLflow store"):
        open_store(f"sqlite:///{other}", tmp_path)
    assert other.read_text().startswith("my notes")


def test_a_store_of_an_older_mlflow_is_brought_up_to_date_and_a_copy_kept(tmp_path: Path) -> None:
    database = tmp_path / FOLDER / FILE
    database.parent.mkdir(parents=True)
    older = "5d2d30f0abce"
    script = (
        "import sys; from alembic import command; from sqlalchemy import create_engine;"
        "from mlflow.store.db.utils import _get_alembic_config; from mlflow.store.tracking.dbmodels.initial_models "
        "import Base; uri = sys.argv[1]; engine = create_engine(uri); Base.metadata.create_all(engine);"
        "command.upgrade(_get_alembic_config(uri), sys.argv[2])"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, f"sqlite:///{database}", older], check=True, capture_output=True
    )
    store = open_store(None, tmp_path)
    assert store.client.search_experiments()
    with closing(sqlite3.connect(database.with_suffix(f".{older}.db"))) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (older,)


def test_an_address_that_never_answers_is_given_up_within_five_seconds(tmp_path: Path) -> None:
    begin = time.monotonic()
    # TEST-NET-1 (RFC 5737): packets to it go nowhere, or are refused at once by the network.
    with pytest.raises(RunError, match="no MLflow server answers at http://192.0.2.1:5000"):
        open_store("http://192.0.2.1:5000", tmp_path)
    assert time.monotonic() - begin < 5


def test_a_password_in_the_address_is_not_printed(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/runs", tmp_path)
    assert "secret" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_the_pages_are_served_on_loopback_from_the_store(store: Store, tmp_path: Path) -> None:
    command, environment = ui_command(None, tmp_path, port=5055)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert environment["MLFLOW_BACKEND_STORE_URI"] == address(None, tmp_path)
    # Arguments are seen by every user of the machine, and an address may hold a password.
    assert not [argument for argument in command if address(None, tmp_path) in argument]
    page = ui_page(store, "factory", port=5055)
    assert page.startswith(f"http://127.0.0.1:5055/#/experiments/{store.experiment('factory')}/runs?")


def test_the_pages_of_a_server_are_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="runs are recorded at http://mlflow.example:5000: open that address"):
        ui_command("http://mlflow.example:5000", tmp_path)
