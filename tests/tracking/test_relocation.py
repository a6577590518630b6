"""A store moves with its checkout: what it holds is found, what comes is kept beside it, the old place stays gone."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.tracking.tiny import export
from twinloop.tracking.execution import Execution, find_or_create
from twinloop.tracking.record import Outcome, record
from twinloop.tracking.store import FOLDER, Store, open_store
from twinloop.tracking.view import Columns
from twinloop.twins.factory.serving.detector import register_detector

NAME = "factory-detector"
LATER = f"""
import sys
from pathlib import Path
from mlflow.artifacts import download_artifacts
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.record import Outcome, record
from twinloop.tracking.store import open_store
from twinloop.tracking.view import Columns

root, served, picture = map(Path, sys.argv[1:])
store = open_store(None, root)
source = store.client.get_model_version_download_uri({NAME!r}, "1")
served.mkdir()
download_artifacts(source, tracking_uri=store.uri, dst_path=str(served))
execution = find_or_create(store, twin="factory", key="k")
record(store, execution, Outcome("row", Columns((), {{}}), {{}}, {{}}, {{}}, pictures=(picture,)))
print(*(file.path for file in store.client.list_artifacts(execution.run_id, "figures")))
"""


def recorded(store: Store, folder: Path) -> Execution:
    """A row with a picture and a registered model."""
    execution = find_or_create(store, twin="factory", key="k")
    picture = folder / "roc.png"
    picture.write_bytes(b"before")
    record(store, execution, Outcome("row", Columns((), {}), {}, {}, {}, pictures=(picture,)))
    exported, point = export(folder / "export")
    register_detector(store, execution, exported=exported, operating_point=point, card="")
    return execution


def test_a_moved_store_serves_its_model_takes_pictures_and_leaves_the_old_place_alone(
    tmp_path: Path, store: Store
) -> None:
    recorded(store, tmp_path)
    old, new = tmp_path / ".twinloop", tmp_path / "my plant" / "twin loop" / ".twinloop"
    new.parent.mkdir(parents=True)
    old.rename(new)

    picture = tmp_path / "f1.png"
    picture.write_bytes(b"after")
    # MLflow remembers in its process where the artefacts of a run lay.
    command = [sys.executable, "-c", LATER, str(new.parent), str(tmp_path / "served"), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["figures/f1.png", "figures/roc.png"]
    assert list((tmp_path / "served").rglob("MLmodel"))
    assert list(new.rglob("f1.png"))
    assert not old.exists(), "the old path is not made again"


def test_a_copy_keeps_apart_from_the_store_it_was_copied_from(tmp_path: Path, store: Store) -> None:
    recorded(store, tmp_path)
    shutil.copytree(tmp_path / FOLDER, tmp_path / "copy" / FOLDER)
    copy = open_store(None, tmp_path / "copy")
    picture = tmp_path / "f1.png"
    picture.write_bytes(b"in the copy")
    copy.client.log_artifact(find_or_create(copy, twin="factory", key="k2").run_id, str(picture))
    assert list((tmp_path / "copy" / FOLDER).rglob("f1.png"))
    assert not list((tmp_path / FOLDER).rglob("f1.png"))


def test_an_experiment_of_somebody_else_keeps_its_place(tmp_path: Path, store: Store) -> None:
    (tmp_path / "elsewhere").mkdir()
    theirs = (tmp_path / "elsewhere" / "artifacts" / "theirs").as_uri()
    experiment = store.client.create_experiment("theirs", artifact_location=theirs)
    opened = open_store(None, tmp_path)
    assert opened.client.get_experiment(experiment).artifact_location == theirs
