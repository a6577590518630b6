import json
from pathlib import Path

import numpy as np
import pytest

from tests.prognostics.models.fleet import HAZARD, Fleet
from twinloop.errors import InputError
from twinloop.prognostics.inference.graphs import export_hazard, open_hazard
from twinloop.prognostics.inference.risks import Consequence, asked, diagnoses, risk_table
from twinloop.prognostics.models.hazard import HazardModel, tree_inputs
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.table import component_age

CONSEQUENCES = {
    "brakes": Consequence(9, 4000.0, "Replace the pads at the next visit."),
    "bulbs": Consequence(2, 30.0, "Carry a spare bulb."),
}


def test_a_risk_table_has_a_row_per_component_and_day(model: HazardModel, trained: Fleet) -> None:
    risks = risk_table(asked(model, trained.table, trained.lives), CONSEQUENCES, clock="calendar")
    assert len(risks) == 24 * 2 * HAZARD.days
    assert risks.clock == "calendar"
    assert risks.issued_min == 90 * 1440
    count, cost = risks.failures("v00", hours=24.0)
    brakes, bulbs = (risks.components("v00")[name].until(24.0) for name in ("brakes", "bulbs"))
    assert count == pytest.approx(brakes + bulbs)
    assert cost == pytest.approx(4000 * brakes + 30 * bulbs)


def test_the_hottest_brakes_are_at_the_greatest_risk(model: HazardModel, trained: Fleet) -> None:
    said = {
        one.asset: one
        for one in diagnoses(asked(model, trained.table, trained.lives), CONSEQUENCES)
        if one.component == "brakes"
    }
    place = trained.table.columns.index("brake_temperature.level_2")
    heat = dict(zip(trained.table.assets, trained.table.values[trained.table.last, place], strict=True))
    hot, cool = max(heat, key=heat.get), min(heat, key=heat.get)
    assert said[hot].probability > 0.5 > 0.1 > said[cool].probability
    assert any(name.startswith("brake_temperature") for name, _ in said[hot].contributions[:3])
    assert said[hot].action == "Replace the pads at the next visit."
    assert all(0 <= one.confidence <= 1 for one in said.values())


def test_only_what_is_likely_enough_is_told(model: HazardModel, trained: Fleet) -> None:
    told = diagnoses(asked(model, trained.table, trained.lives), CONSEQUENCES, least=0.3, top=2)
    assert told
    assert all(one.probability >= 0.3 and len(one.contributions) <= 3 for one in told)
    assert all(one.contributions[-1][0] == "all others" for one in told)
    assert [one.probability for one in told] == sorted((one.probability for one in told), reverse=True)


def test_a_component_needs_its_consequence(model: HazardModel, trained: Fleet) -> None:
    with pytest.raises(InputError, match="unknown name 'bulbs'"):
        risk_table(asked(model, trained.table, trained.lives), {"brakes": CONSEQUENCES["brakes"]}, clock="work")


def test_exported_graphs_say_the_same_and_hold_no_code(model: HazardModel, trained: Fleet, tmp_path: Path) -> None:
    table, rows = trained.table, np.arange(0, len(trained.table), 20)
    values = tree_inputs(table, model.columns, rows, component_age(table, trained.lives, "brakes")[rows], rows % 7)
    windows = Sequences.of(table.selected(model.signals), table.unit).windows(rows, HAZARD.network.length)
    differences = export_hazard(model, tmp_path, values, windows)
    assert set(differences) == {"brakes forest", "brakes forest explained", "brakes boosted", "network"}
    assert max(differences.values()) <= 1e-5
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".json"}
    back = open_hazard(tmp_path)
    for component in ("brakes", "bulbs"):
        ours, theirs = (one.hazards(table, trained.lives, component, rows) for one in (model, back))
        assert np.abs(ours - theirs).max() <= 1e-5
    told = [diagnoses(asked(one, table, trained.lives), CONSEQUENCES) for one in (model, back)]
    for ours, theirs in zip(*told, strict=True):
        assert [name for name, _ in ours.contributions] == [name for name, _ in theirs.contributions]
        assert [value for _, value in ours.contributions] == pytest.approx(
            [value for _, value in theirs.contributions], abs=1e-4
        )


def test_a_folder_of_something_else_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        open_hazard(tmp_path)
    (tmp_path / "hazard.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="expected format 2: export it again"):
        open_hazard(tmp_path)
    good = {"format": 2, "settings": {}, "columns": [], "signals": [], "components": {}, "network": False}
    for name in list(good)[1:]:
        (tmp_path / "hazard.json").write_text(json.dumps({key: good[key] for key in good if key != name}))
        with pytest.raises(InputError, match=f"hazard.json: {name} is missing or of another kind: export it again"):
            open_hazard(tmp_path)
    whole = {"failures": 3, "age": [2.0, 500.0], "pooled": [0.0, 1.0], "calibration": {}}
    for name in whole:
        cut = {key: value for key, value in whole.items() if key != name}
        (tmp_path / "hazard.json").write_text(json.dumps(good | {"components": {"pump": cut}}))
        with pytest.raises(InputError, match=f"hazard.json: pump: cannot be read .*{name}.*export it again"):
            open_hazard(tmp_path)
    (tmp_path / "hazard.json").write_text(json.dumps(good | {"components": {"pump": whole | {"age": [2.0]}}}))
    with pytest.raises(InputError, match="hazard.json: pump: cannot be read"):
        open_hazard(tmp_path)
