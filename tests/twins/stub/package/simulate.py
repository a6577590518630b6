"""Bet one on heads at every toss."""

from twinloop.twins.stub.config import StubConfig
from twinloop.twins.stub.results import StubOutputs
from twinloop.twins.stub.twin import TWIN

from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.replication.statistics import interval
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop stub simulate"


def run(stage: Stage[StubConfig]) -> str:
    """Write what betting earns."""
    gains = StubOutputs(stage.root).gains()
    if len(gains) < 2:
        raise InputError(f"simulate: TossSettings.tosses = {len(gains)}: expected 2 or more")
    gain = interval(gains)
    stage.tracker.child("heads", params={"stake": 1}, metrics={"gain": gain.mean})
    write_json(stage.root / TWIN.metrics("simulate"), {"gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high})
    return f"{gain.mean:+.2f} per toss"
