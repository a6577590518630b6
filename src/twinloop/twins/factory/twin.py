"""The factory's declaration: a line with inspection, breakdowns and orders, and what should be changed in it first."""

from twinloop.tracking.view import Columns
from twinloop.twins.registry import Twin

TWIN = Twin(
    name="factory",
    config="FactoryConfig",
    title="Factory twin",
    columns=Columns(
        labels=("data", "model"),
        metrics={
            "AP": ("evaluate", "ap"),
            "ECE": ("evaluate", "ece"),
            "escape_rate": ("evaluate", "escape_rate"),
            "latency_p95_ms": ("latency", "p95_ms"),
            "throughput_per_day": ("simulate", "throughput_per_day"),
            "oee": ("simulate", "oee"),
            "profit_per_day": ("simulate", "profit_per_day"),
            "tardiness": ("schedule", "tardiness"),
        },
    ),
    models=("detector", "scheduler"),
)
