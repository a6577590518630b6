import json
import math
from pathlib import Path
from typing import Any

import pytest

from twinloop.contracts import Diagnosis, Plan
from twinloop.contracts.diagnosis import load_diagnoses, save_diagnoses
from twinloop.errors import InputError


def diagnosis(**changes: Any) -> Diagnosis:
    fields = {
        "asset": "VEH003",
        "component": "water pump",
        "time_min": 1440.0,
        "horizon_hours": 72.0,
        "probability": 0.4,
        "confidence": 0.9,
        "severity": 7,
        "contributions": (("coolant level", 1.2), ("age", -0.3)),
        "action": "replace the water pump within three days",
    }
    return Diagnosis(**{**fields, **changes})


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    for diagnoses in ((diagnosis(), diagnosis(contributions=())), ()):
        save_diagnoses(diagnoses, tmp_path / "diagnoses.parquet")
        assert load_diagnoses(tmp_path / "diagnoses.parquet") == diagnoses


def test_a_record_is_json_with_its_reasons_by_name() -> None:
    record = json.loads(json.dumps(diagnosis().record()))
    assert record["contributions"][0] == {"feature": "coolant level", "contribution": 1.2}
    assert record["probability"] == 0.4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"probability": 1.01}, r"probability in \[0, 1\]"),
        ({"probability": math.nan}, r"probability in \[0, 1\]"),
        ({"confidence": -0.1}, r"confidence in \[0, 1\]"),
        ({"severity": 0}, "severity from 1 to 10"),
        ({"severity": 11}, "severity from 1 to 10"),
        ({"horizon_hours": 0.0}, "horizon_hours > 0"),
        ({"time_min": math.inf}, "time_min to be finite"),
        ({"asset": ""}, "asset and component with a name"),
        ({"contributions": (("age", math.nan),)}, "finite contributions"),
    ],
)
def test_a_diagnosis_that_cannot_be_is_refused_in_one_line(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match=f"diagnosis: .*: expected {expected}, got ") as caught:
        diagnosis(**changes)
    assert "\n" not in str(caught.value)


def test_another_contract_is_refused(tmp_path: Path) -> None:
    Plan.of([]).save(tmp_path / "plan.parquet")
    with pytest.raises(InputError, match="expected diagnoses version 1, found None: diagnose again"):
        load_diagnoses(tmp_path / "plan.parquet")
