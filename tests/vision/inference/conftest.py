from pathlib import Path

import pytest

from tests.vision.synthetic_graph import write_detector
from twinloop.vision.inference.predict import DeployedDetector


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported detector that calls bright regions defects."""
    return write_detector(tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="session")
def detector(exported: Path) -> DeployedDetector:
    """The same, opened, without an operating point."""
    return DeployedDetector(exported)
