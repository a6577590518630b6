"""Where each fleet stage puts what the next one reads, relative to the repository's root; dvc.yaml names the same."""

from pathlib import Path

from twinloop.twins.fleet.twin import TWIN

# Those that measure; what they measured is recorded and shown.
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
DATASET = Path("data/fleet/dataset")
TUNED = Path("models/fleet/tune/best.json")
TRIALS = Path("models/fleet/tune/trials.parquet")
PREDICTOR = Path("models/fleet/predictor")
ANOMALY = Path("models/fleet/anomaly")
REFERENCE = Path("models/fleet/reference.npz")
LATENCY = Path("models/fleet/latency.json")
EVALUATION = Path("data/fleet/evaluation")
ALERTS = EVALUATION / "alerts"
LEADS = EVALUATION / "leads"
RISKS = EVALUATION / "risks.parquet"
DIAGNOSES = EVALUATION / "all_diagnoses.parquet"
REMAINING = EVALUATION / "remaining.parquet"
DEMAND = EVALUATION / "demand.parquet"
SIMULATION = Path("data/fleet/simulation")
ANSWER = SIMULATION / "answer.json"
SCHEDULE = Path("data/fleet/schedule")
NOTEBOOKS = Path("notebooks/fleet")
REPORTS = TWIN.reports
FIGURES = REPORTS / "figures"
MODEL_CARD = REPORTS / "model_card.md"
metrics = TWIN.metrics
