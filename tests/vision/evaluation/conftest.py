"""Fixtures of the evaluation's tests."""

import pytest

from tests.vision.evaluation.judged import SIZE, judged
from tests.vision.synthetic_graph import write_detector
from twinloop.vision.evaluation.judgement import Judgement
from twinloop.vision.inference.predict import DeployedDetector


@pytest.fixture(scope="session")
def detector(tmp_path_factory: pytest.TempPathFactory) -> DeployedDetector:
    """A detector of bright spots."""
    return DeployedDetector(write_detector(tmp_path_factory.mktemp("onnx"), size=SIZE))


@pytest.fixture(scope="session")
def judgement(detector: DeployedDetector) -> Judgement:
    """The same, judged."""
    return judged(detector)
