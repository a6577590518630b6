"""A store of one's own for every test, copied from one made once: making it takes a second."""

import shutil
from pathlib import Path

import pytest

from twinloop.tracking.store import FILE, FOLDER, Store, open_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    open_store(None, root)
    return root / FOLDER / FILE


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Store:
    (tmp_path / FOLDER).mkdir(parents=True)
    for file in (empty_store, empty_store.with_suffix(".mlflow-version")):
        shutil.copy2(file, tmp_path / FOLDER)
    return open_store(None, tmp_path)
