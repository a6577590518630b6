"""Where each factory stage puts what the next one reads, relative to the repository's root; dvc.yaml names the same."""

from pathlib import Path

from twinloop.twins.factory.twin import TWIN

# Those that measure; what they measured is recorded and shown.
STAGES = ("prepare", "tune", "train", "export", "evaluate", "simulate", "schedule")
DATASET = Path("data/factory/dataset")
TUNED = Path("models/factory/tune/best.json")
TRIALS = Path("models/factory/tune/trials.parquet")
DETECTOR = Path("models/factory/detector")
EPOCHS = Path("models/factory/epochs.csv")
ONNX = Path("models/factory/onnx")
LATENCY = Path("models/factory/latency.json")
EVALUATION = Path("data/factory/evaluation")
OPERATING_POINT = EVALUATION / "operating_point.json"
SIMULATION = Path("data/factory/simulation")
MACHINES = Path("data/factory/machines")
ANSWER = SIMULATION / "answer.json"
SCHEDULE = Path("data/factory/schedule")
INCUMBENTS = Path("data/factory/incumbents.parquet")
NOTEBOOKS = Path("notebooks/factory")
REPORTS = TWIN.reports
FIGURES = REPORTS / "figures"
MODEL_CARD = REPORTS / "model_card.md"
metrics = TWIN.metrics
