"""The fleet's declaration: vehicles whose failures are foreseen, and a workshop that is booked by what they cost."""

from twinloop.tracking.view import Columns
from twinloop.twins.registry import Twin

TWIN = Twin(
    name="fleet",
    config="FleetConfig",
    title="Fleet twin",
    columns=Columns(
        labels=("data", "model"),
        metrics={
            "PR_AUC": ("evaluate", "pr_auc"),
            "Brier": ("evaluate", "brier"),
            "recall": ("evaluate", "recall"),
            "lead_hours": ("evaluate", "lead_hours"),
            "false_alarms": ("evaluate", "false_alarms"),
            "cost_per_vehicle_day": ("simulate", "cost_per_vehicle_day"),
            "availability": ("simulate", "availability"),
            "roadside_failures": ("simulate", "failures"),
        },
    ),
    models=("predictor", "booking"),
)
