import dataclasses
import json

import pytest
import yaml

from tests.simulation.fleet.fleets import component, fleet
from twinloop.errors import InputError
from twinloop.simulation.fleet.modes import Mode
from twinloop.simulation.fleet.vehicle import Component, Fleet, Kind, Supplier, Vehicle

PLAIN = json.loads(json.dumps(dataclasses.asdict(fleet(vehicles=2))))


def changed(**values):
    return {**PLAIN, **values}


def test_a_fleet_is_what_its_yaml_says(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text(yaml.safe_dump(PLAIN))
    assert Fleet.from_yaml(path) == fleet(vehicles=2)


def part(**values):
    return [{**PLAIN["components"][0], **values}]


WITHOUT_WEAR = [{name: value for name, value in PLAIN["components"][0].items() if name != "wear"}]


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (changed(components=WITHOUT_WEAR), "yaml: components.0.wear = None: missing"),
        (changed(components=part(skill="welder")), "component pump: skill: unknown name 'welder'; known: mechanic"),
        (changed(components=part(skill="mechanics")), "did you mean 'mechanic'"),
        (changed(components=part(visit=-1.0)), "components.0.visit = -1.0: expected a number ≥ 0"),
        (changed(components=part(failure=float("nan"))), "NaN|finite"),
        (changed(components=part(damage={"pump": 0.5})), "component pump: damage: unknown name 'pump'"),
        (changed(components=part() * 2), "expected different component names, 'pump' comes twice"),
        (changed(vehicles=[{"name": "VEH001", "kind": "van"}] * 2), "'VEH001' comes twice"),
        (changed(vehicles=[{"name": "VEH001", "kind": "vam"}]), "vehicle VEH001: kind: .*did you mean 'van'"),
        (changed(vehicles=[]), "vehicles: expected at least one, got none"),
        (changed(workshop={**PLAIN["workshop"], "bays": 0}), "workshop.bays = 0: expected an integer ≥ 1"),
        (changed(downtime_hour=-5.0), "downtime_hour = -5.0: expected a number ≥ 0"),
        (changed(start="2026-03-01"), "expected midnight with its zone"),
        (changed(start="2026-03-01T06:00:00+01:00"), "expected midnight with its zone"),
        (changed(start="soon"), "expected midnight with its zone"),
        (changed(notice=3), "unknown key; did you mean 'notice_days'|unknown key"),
    ],
)
def test_what_is_no_fleet_is_refused_in_one_line(tmp_path, plain, message):
    path = tmp_path / "fleet.yaml"
    path.write_text(yaml.safe_dump(plain))
    with pytest.raises(InputError, match=message) as refused:
        Fleet.from_yaml(path)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) <= 300


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"fleet: nowhere.yaml: cannot be read"):
        Fleet.from_yaml("nowhere.yaml")


def test_names_are_found_by_place_and_their_neighbours_offered():
    described = fleet(component("pump"), component("belt"), vehicles=200)
    assert (described.vehicle("VEH003"), described.component("belt")) == (2, 1)
    with pytest.raises(InputError, match="did you mean 'VEH0"):
        described.vehicle("VEH03")
    with pytest.raises(InputError, match=r"known: VEH001, .* \(200\)"):
        described.vehicle("lorry")
    with pytest.raises(InputError, match="known: pump, belt"):
        described.component("gearbox")


def test_a_script_tag_is_no_name_of_a_component():
    for refused in (lambda: component("<script>"), lambda: Kind(name="<b>"), lambda: Mode(name="a b")):
        with pytest.raises(InputError, match="pattern"):
            refused()
    assert Vehicle(name="B-XY 12 <script>", kind="van").name.endswith("<script>")


def test_modes_and_suppliers_have_names_of_their_own_and_known_sensors():
    with pytest.raises(InputError, match="did you mean 'vibration'"):
        Mode(name="worn", signs={"vibrations": 1.0})
    twice = (Mode(name="worn"), Mode(name="worn"))
    with pytest.raises(InputError, match="expected different mode names"):
        Component(name="pump", wear=component().wear, modes=twice)
    with pytest.raises(InputError, match="expected different supplier names"):
        Component(name="pump", wear=component().wear, suppliers=(Supplier(), Supplier()))
