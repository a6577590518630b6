from typing import Any

import pytest

from twinloop.config import Invalid, parse
from twinloop.vision.training.objectives import objectives
from twinloop.vision.training.settings import DetectorStudySettings


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"objectives": ["latency"]}, r"expected \[ap\] or \[ap, latency\]"),
        ({"objectives": ["ap", "ap"]}, r"expected \[ap\] or \[ap, latency\]"),
        ({"objectives": []}, r"expected \[ap\] or \[ap, latency\]"),
        ({"latency_budget_ms": 2.0}, r"needs the objectives \[ap, latency\]"),
    ],
)
def test_objectives_that_do_not_go_together_are_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        parse(DetectorStudySettings, changed)


@pytest.mark.parametrize("changed", [{"share": 0.0}, {"share": 1.5}, {"epochs": 0}])
def test_impossible_studies_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="expected a"):
        parse(DetectorStudySettings, changed)


def test_the_budget_limits_latency() -> None:
    (ap,) = objectives(DetectorStudySettings())
    assert (ap.name, ap.direction) == ("val_ap", "maximize")
    _, latency = objectives(DetectorStudySettings(objectives=("ap", "latency"), latency_budget_ms=2.0))
    assert latency.keeps(2.0)
    assert not latency.keeps(2.1)
