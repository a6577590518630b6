"""A project of its own: the repository's configuration, and a small self where the loop would have left one."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.tracking import conftest as stores
from tests.twins.person.selves import small_self
from twinloop.twins.person import paths

empty_store = stores.empty_store


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Found by words alone, so that no weights are needed."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "dvc.yaml", root)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    for role in ("encoder", "text_to_speech", "speech_to_text"):
        params["person"]["providers"][role]["name"] = "none"
    params["person"]["answers"]["refusal"] |= {"meaning": 0.0, "offset": -1.5}
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.chdir(root)
    for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def own(project: Path) -> Path:
    """The folder of a self that the loop has made."""
    return small_self(project / paths.SELF)
