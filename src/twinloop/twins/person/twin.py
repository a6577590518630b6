"""The person's declaration: a digital self that listens, knows, answers and speaks, and how many it can serve."""

from twinloop.tracking.view import Columns
from twinloop.twins.registry import Twin

TWIN = Twin(
    name="person",
    config="PersonConfig",
    title="Person twin",
    columns=Columns(
        labels=("data", "providers"),
        metrics={
            "WER": ("evaluate", "wer"),
            "nDCG": ("evaluate", "ndcg"),
            "answer_hit": ("evaluate", "hit"),
            "answer_hit_spoken": ("evaluate", "hit_recognised"),
            "refusal_recall": ("evaluate", "refusal_recall"),
            "persona_rank": ("evaluate", "persona_rank"),
            "turn_p95_s": ("simulate", "turn_p95_s"),
            "users": ("simulate", "users"),
            "cost_per_user_hour": ("simulate", "cost_per_user_hour"),
            "meetings_missed": ("schedule", "missed"),
        },
    ),
    models=("responder",),
)
