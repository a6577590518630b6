"""Where each person stage puts what the next one reads, relative to the repository's root; dvc.yaml names the same."""

from pathlib import Path

from twinloop.twins.person.twin import TWIN

# Those that measure; what they measured is recorded and shown.
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
DATASET = Path("data/person/dataset")
TUNED = Path("models/person/tune/best.json")
TRIALS = Path("models/person/tune/trials.parquet")
LEARNT = Path("models/person/learnt")
SELF = Path("models/person/self")
LATENCY = Path("models/person/latency.json")
EVALUATION = Path("data/person/evaluation")
# Measured time, as the latency: an input of the simulation that is pinned.
PROFILE = Path("data/person/profile.parquet")
SIMULATION = Path("data/person/simulation")
ANSWER = SIMULATION / "answer.json"
SCHEDULE = Path("data/person/schedule")
NOTEBOOKS = Path("notebooks/person")
REPORTS = TWIN.reports
FIGURES = REPORTS / "figures"
MODEL_CARD = REPORTS / "model_card.md"
metrics = TWIN.metrics
