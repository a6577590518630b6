import dataclasses

import pytest

from tests.simulation.compiled.test_equality import LINES
from tests.simulation.lines import serial_line
from twinloop.errors import InputError
from twinloop.simulation import (
    Crew,
    Initial,
    Joint,
    Line,
    Material,
    Operators,
    Order,
    Rework,
    Source,
    Span,
    Station,
    Variant,
)
from twinloop.simulation.compiled import run as compiled
from twinloop.simulation.compiled.features import REASONS, refused
from twinloop.simulation.engine.inspection import Gate

TRIP = {"kind": "deterministic", "mean": 1.0}
WEAR = {"stations.m1.wear": {"kind": "wiener", "mean_life_min": 50.0}, "stations.m1.repair": TRIP}
REFUSED = {
    "transport": {"transport": {"fleet": 1, "trip": TRIP}},
    "batches": {"stations.m1.batch": 4},
    "assembly": {
        "source.variants": [{"name": "frame"}, {"name": "screw"}],
        "stations.m1.assembles": {"frame": 1, "screw": 4},
    },
    "wear": WEAR,
    "wear, maintenance": WEAR | {"stations.m1.maintenance": {"policy": "failure", "duration": TRIP}},
    "admission": {"spans": [{"name": "all", "start": "m2", "end": "m2", "limit": 2}]},
    "patience": {"source.interarrival": TRIP, "stations.m2.queue": None, "stations.m1.patience": TRIP},
}
# What the compiled engine follows or refuses: a field that comes new must be put on one of the two sides.
FOLLOWED = {
    Line: "name minutes_per_day source stations buffers inspection rework crew materials operators initial spans joint",
    Source: "interarrival variants lot_size plan window orders when_full population",
    Variant: "name share cycle_factor route priority",
    Order: "name variant quantity release_min due_min priority",
    Station: "name cycle servers setup failure failure_clock repair repair_priority inspects queue next materials "
    "speeds cycles setups unlimited",
    Rework: "name cycle servers buffer success success_by_class max_times when_full returns_to",
    Operators: "name count skills shifts",
    Crew: "size shifts",
    Material: "name initial reorder_at order_quantity lead_time",
    Initial: "station variant quantity",
    Span: "name start end variant target_min",
    Joint: "stations renewed_at resampled",
}
NOT_FOLLOWED = {
    Line: "transport",
    Span: "limit when_full",
    Station: "batch batch_wait_min batch_cycles assembles wear maintenance patience",
}


@pytest.mark.parametrize(("features", "changes"), REFUSED.items(), ids=REFUSED)
def test_features_that_are_not_known_are_refused_by_name(features, changes):
    line = serial_line(2, buffer=3).with_(changes)
    assert refused(line) == features.split(", ")
    with pytest.raises(InputError, match="which the compiled engine does not know: use engine=") as caught:
        compiled.simulate(line, Gate.of(line.inspection.assumed.curve()), seed=1, replication=0, minutes=10.0)
    assert all(f"{name} ({REASONS[name]})" in str(caught.value) for name in features.split(", "))
    assert len(str(caught.value)) <= 300


def test_lines_of_known_features_are_not_refused():
    assert [name for name, line in LINES.items() if refused(line)] == []


@pytest.mark.parametrize("part", FOLLOWED, ids=lambda part: part.__name__)
def test_every_field_of_a_line_is_followed_or_refused(part):
    known = f"{FOLLOWED[part]} {NOT_FOLLOWED.get(part, '')}".split()
    assert {field.name for field in dataclasses.fields(part)} == set(known)
