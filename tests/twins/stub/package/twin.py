"""The stub's declaration."""

from twinloop.tracking.view import Columns
from twinloop.twins.registry import Twin

TWIN = Twin(
    name="stub",
    config="StubConfig",
    title="Stub twin",
    columns=Columns(labels=("coin",), metrics={"heads": ("prepare", "heads"), "gain_per_toss": ("simulate", "gain")}),
)
