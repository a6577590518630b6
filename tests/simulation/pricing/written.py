"""Scores as people have them: a table from scikit-learn, anomalib's predictions, a camera vendor's export."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from twinloop.simulation import AssumedRates, Distribution, Economy, Inspection, Line, Rework, Station
from twinloop.simulation.pricing.scores import Scores, read_scores


def drawn(*, good: int = 60, defective: int = 40, apart: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth [N] and log odds [N] of a model whose classes lie `apart`, in random order."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(["good", "crack", "pit"], [good, defective - defective // 4, defective // 4]))
    return truth, rng.normal(np.where(truth == "good", -apart / 2, apart / 2), 1.0)


def plain(path: Path, **how: float) -> Path:
    """A part, its true class, a probability."""
    truth, odds = drawn(**how)  # type: ignore[arg-type]
    parts = [f"p{place:04d}" for place in range(len(truth))]
    pl.DataFrame({"part": parts, "true_class": truth, "probability": expit(odds)}).write_csv(path)
    return path


def scores_of(path: Path, **how: float) -> Scores:
    """What is read of `plain`."""
    return read_scores(plain(path, **how))


def scikit_learn(path: Path) -> Path:
    """`predict_proba` of a classifier beside the truth, as a notebook saves it."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    y_true = rng.integers(0, 2, 200)
    features = rng.normal(y_true[:, None], 0.8, (200, 3))
    y_proba = LogisticRegression().fit(features[:100], y_true[:100]).predict_proba(features[100:])[:, 1]
    pl.DataFrame({"y_true": y_true[100:], "y_proba": y_proba}).write_csv(path)
    return path


def anomalib(path: Path) -> Path:
    """Fields of anomalib's predictions (`image_path`, `gt_label`, `pred_label`, `pred_score`), a row per image."""
    truth, odds = drawn(seed=2)
    labels = truth != "good"
    images = [f"datasets/tiles/test/{kind}/{place:03d}.png" for place, kind in enumerate(truth)]
    table = {"image_path": images, "gt_label": labels, "pred_label": odds > 0, "pred_score": 0.5 + odds / 20}
    pl.DataFrame(table).write_csv(path)
    return path


def vendor(path: Path) -> Path:
    """Semicolons, decimal commas, German capitals, Latin-1, a unit in brackets and a second look at some parts."""
    truth, odds = drawn(seed=3)
    again = np.random.default_rng(4).normal(odds, 0.3)
    names = {"good": "Gutteil", "crack": "Riß", "pit": "Lunker"}
    lines = ["Seriennummer;Klasse;BEWERTUNG;Zweiter Blick;Latenz [s]"]
    for place, (kind, first, second) in enumerate(zip(truth, odds, again, strict=True)):
        seen = f"{second:.4f}" if place % 3 == 0 else ""
        lines.append(f"SN{place:05d};{names[kind]};{first:.4f};{seen};0,0250".replace(".", ","))
    path.write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    return path


def line(*, rework: bool = True, looks: int = 2, defect_rate: float = 0.05) -> Line:
    """A press and a camera."""
    press = Station(name="press", cycle=Distribution(kind="exponential", mean=2.0))
    camera = Station(name="camera", cycle=Distribution(kind="deterministic", mean=1.0), inspects=True)
    return Line(
        name="small",
        stations=(press, camera),
        buffers=(4,),
        inspection=Inspection(max_looks=looks, assumed=AssumedRates(defect_rate=defect_rate)),
        rework=Rework(cycle=Distribution(kind="exponential", mean=5.0)) if rework else None,
    )


PRICES = Economy(fixed_day=0.0)
