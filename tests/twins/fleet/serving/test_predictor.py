"""The predictor as a served model: windows in, diagnoses out, over HTTP; what cannot be read is one line, 400."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.prognostics.models.fleet import HAZARD, Fleet, fleet
from tests.tracking import conftest as stores
from tests.twins.served import post, refusal, serving
from twinloop.errors import InputError
from twinloop.prognostics.inference.graphs import export_hazard, open_hazard
from twinloop.prognostics.inference.risks import Consequence, asked, diagnoses
from twinloop.prognostics.models.hazard import fit_hazard, tree_inputs
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.table import component_age
from twinloop.tracking.execution import find_or_create
from twinloop.tracking.store import Store
from twinloop.twins.fleet.serving.predictor import predictor_digest, register_predictor, save_predictor

empty_store, store = stores.empty_store, stores.store
CONSEQUENCES = {
    "brakes": Consequence(9, 4000.0, "Replace the pads at the next visit."),
    "bulbs": Consequence(2, 30.0, "Carry a spare bulb."),
}


@pytest.fixture(scope="module")
def watched() -> Fleet:
    return fleet()


@pytest.fixture(scope="module")
def exported(watched: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    model = fit_hazard(watched.table, watched.lives, HAZARD, seed=0)
    rows = np.arange(0, len(watched.table), 11)
    age = component_age(watched.table, watched.lives, "brakes")[rows]
    values = tree_inputs(watched.table, model.columns, rows, age)
    windows = Sequences.of(watched.table.selected(model.signals), watched.table.unit).windows(rows, 6)
    export_hazard(model, folder, values, windows)
    return folder


@pytest.fixture(scope="module")
def folder(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "model"
    save_predictor(folder, predictor=exported, consequences=CONSEQUENCES, least=0.0)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


def windows(watched: Fleet, asset: str) -> dict[str, Any]:
    """A request: all windows of an asset, and since when its parts are in it."""
    table = watched.table
    own = np.flatnonzero(table.unit == table.assets.index(asset))
    rows = [
        [float(table.time_min[row]), *(None if math.isnan(value) else float(value) for value in table.values[row])]
        for row in own
    ]
    lives = watched.lives.filter(asset=asset)
    begun = {name: lives.filter(component=name)["begin_min"].to_numpy().max() for name in CONSEQUENCES}
    return {"asset": asset, "columns": ["time_min", *table.columns], "rows": rows, "begun": begun}


def test_windows_are_answered_with_the_diagnoses_that_the_model_gives(url: str, watched: Fleet, exported: Path) -> None:
    sent = [windows(watched, asset) for asset in ("v00", "v05")]
    answers = post(url, "windows", [json.dumps(one) for one in sent])
    assert [answer["asset"] for answer in answers] == ["v00", "v05"]
    expected = {
        (one.asset, one.component): one
        for one in diagnoses(asked(open_hazard(exported), watched.table, watched.lives), CONSEQUENCES)
    }
    for answer in answers:
        assert answer["time_min"] == 90 * 1440
        assert {one["component"] for one in answer["diagnoses"]} == {"brakes", "bulbs"}
        for one in answer["diagnoses"]:
            other = expected[answer["asset"], one["component"]]
            assert one["probability"] == pytest.approx(other.probability, abs=1e-5)
            assert one["action"] == other.action
        brakes = next(one for one in answer["diagnoses"] if one["component"] == "brakes")
        assert brakes["contributions"][0].keys() == {"feature", "contribution"}


def test_every_bad_request_is_one_line_with_status_400(url: str, watched: Fleet) -> None:
    good = windows(watched, "v00")
    short = {**good, "columns": good["columns"][:3], "rows": [row[:3] for row in good["rows"]]}
    bad = {
        "expected the name of an asset": {**good, "asset": ""},
        "windows: v00: expected columns with time_min and features, each once": {**good, "columns": ["x", "x"]},
        "expected from 1 to 100000 rows": {**good, "rows": []},
        "row 1: expected": {**good, "rows": [good["rows"][0], [1.0]]},
        "row 0: time_min: expected a number, got nan": {**good, "rows": [[math.nan, *good["rows"][0][1:]]]},
        "expected a number, got 'hot'": {**good, "rows": [[*good["rows"][0][:-1], "hot"]]},
        "expected features ordered by asset and time_min": {**good, "rows": good["rows"][::-1]},
        "expected the features the model was trained on": short,
        "unknown component 'engine'; known: brakes, bulbs": {**good, "begun": {"engine": 0.0}},
        "begun: brakes: expected a minute up to the last window's 129600, got nan": {
            **good,
            "begun": {"brakes": math.nan},
        },
        "got 129601": {**good, "begun": {"brakes": 129601}},
        "got 1000000": {**good, "begun": {"brakes": 10**400}},
        "expected a number, got 1e+300": {**good, "rows": [[*good["rows"][0][:-1], 1e300]]},
        "the last window has no value": {**good, "rows": [[row[0], *(None for _ in row[1:])] for row in good["rows"]]},
        "two have one": {**good, "rows": [good["rows"][0], *good["rows"]]},
        "expected columns with time_min": {
            **good,
            "columns": [*good["columns"], "asset"],
            "rows": [[*row, 1.0] for row in good["rows"]],
        },
        "printable letters": {**good, "asset": "v\x1b[31m"},
    }
    for told, request in bad.items():
        assert told in refusal(url, "windows", [json.dumps(request)]), told
    for text, told in (
        ("", "expected a text"),
        ("{", "expected JSON"),
        ("[1]", "expected an object"),
        ("1" * 5000, "digits"),
    ):
        assert told in refusal(url, "windows", [text])
    assert refusal(url, "windows", [json.dumps(good), "{"]).startswith("row 2: windows: expected JSON")


def test_the_saved_model_is_source_and_data_with_a_signature(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pt", ".pyc")]
    described = yaml.safe_load((folder / "MLmodel").read_text())
    assert "python_model" not in described["flavors"]["python_function"], "that would be a pickle"
    assert '"windows"' in described["signature"]["inputs"]
    assert '"diagnoses"' in described["signature"]["outputs"]
    requirements = (folder / "requirements.txt").read_text()
    assert "onnxruntime==" in requirements
    assert "torch" not in requirements


def test_what_is_served_imports_no_torch() -> None:
    code = (
        "import sys, twinloop.prognostics.inference.graphs, twinloop.prognostics.inference.risks; "
        "assert not {'torch', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def test_the_same_predictor_is_registered_once_and_another_one_anew(store: Store, exported: Path) -> None:
    execution = find_or_create(store, twin="fleet", key="k")

    def registered(**changes: Any) -> str:
        given = {"consequences": CONSEQUENCES, "least": 0.1, "card": "# The predictor", **changes}
        return register_predictor(store, execution, predictor=exported, **given)

    assert [registered(), registered()] == ["1", "1"]
    assert registered(least=0.2) == "2", "another threshold of telling is another predictor"
    assert store.client.get_model_version("fleet-predictor", "1").description == "# The predictor"


def test_without_a_predictor_the_stage_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a predictor, found none: run the train stage first"):
        predictor_digest(tmp_path, CONSEQUENCES, least=0.1)
