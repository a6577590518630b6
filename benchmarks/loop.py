"""The factory loop's figures: detection quality on default and real data, spread over seeds, time, memory, throughput.

`python benchmarks/loop.py --json` prints one JSON object. Everything runs in temporary clones of the committed state.
A figure that could not be measured is null, with its reason under "reasons".
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
METRICS = Path("data/factory/metrics")
DATASET = Path("data/factory/dataset")
PARTS = ["synthetic", "smoke", "seeds", "magnetic_tile", "throughput"]
SEEDS = (1, 2, 3, 4, 5)
PHOTOGRAPHS = [
    "factory/data=magnetic_tile",
    "factory/model=photographs",
    "factory/train=small_data",
    "factory/augmentation=small_data",
    "factory.tune.trials=0",
]
SAMPLE_S = 0.5


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with magnetic_tile/ (else $TWINLOOP_DATA)")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="some parts only")
    parser.add_argument("--keep", type=Path, help="make the clones in this folder and keep them, to look at")
    options = parser.parse_args()
    parts = options.only or PARTS
    figures: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        folder = options.keep or Path(temporary)
        if "synthetic" in parts:
            figures |= synthetic(folder / "synthetic")
        if "smoke" in parts:
            figures |= {"smoke_s": smoke(folder / "smoke")}
        if "seeds" in parts:
            figures |= seeds(folder)
        if "magnetic_tile" in parts:
            given = options.data or os.environ.get("TWINLOOP_DATA")
            figures |= magnetic_tile(folder / "tile", Path(given) if given else None, reasons)
        if "throughput" in parts:
            figures |= {"train_throughput_ratio": throughput(folder)}
    print(json.dumps(figures | {"reasons": reasons}, indent=None if options.json else 2))


def synthetic(clone: Path) -> dict[str, float]:
    """`make repro` on the default data in a fresh clone: quality, seconds, and the memory of all its processes."""
    cloned(clone)
    command = ["python", "-m", "twinloop", "repro", "factory", "--profile", "default"]
    seconds, peak_gib = watched(clone, command)
    noop_s, _ = watched(clone, command[:-2])
    measured = json.loads((clone / METRICS / "evaluate.json").read_text(encoding="utf-8"))
    return {
        "synthetic_auroc": measured["auroc"],
        "synthetic_iou": measured["iou"],
        "repro_s": round(seconds, 1),
        "noop_s": round(noop_s, 1),
        "peak_gib": round(peak_gib, 2),
    }


def smoke(clone: Path) -> float:
    """Seconds of the loop with profile smoke in a fresh clone that is set up, machine code included."""
    cloned(clone)
    watched(clone, ["python", "-m", "twinloop", "compile"])
    seconds, _ = watched(clone, ["python", "-m", "twinloop", "repro", "--profile", "smoke"])
    return round(seconds, 1)


def seeds(folder: Path) -> dict[str, dict[str, float]]:
    """What another seed (other data, split, weights and luck) gives: mean over seeds and half its 95 % interval."""
    from twinloop.replication.statistics import interval

    values: dict[str, list[float]] = {"seeds_auroc": [], "seeds_gain": []}
    for seed in SEEDS:
        clone = folder / f"seed_{seed}"
        cloned(clone)
        watched(clone, ["python", "-m", "twinloop", "conf", f"seed={seed}"])
        watched(clone, ["dvc", "repro", "factory-simulate"])
        for name, stage, value in (("seeds_auroc", "evaluate", "auroc"), ("seeds_gain", "simulate", "relative_gain")):
            values[name].append(json.loads((clone / METRICS / f"{stage}.json").read_text(encoding="utf-8"))[value])
    means = {name: interval(of_seeds) for name, of_seeds in values.items()}
    return {name: {"mean": mean.mean, "half_width": mean.half_width} for name, mean in means.items()}


def magnetic_tile(clone: Path, data: Path | None, reasons: dict[str, str]) -> dict[str, Any]:
    """The small detector on real photographs: test parts never seen in training, and beside it the leaky split."""
    names = ["auroc", "ap"]
    keys = [f"magnetic_tile_{name}{end}" for name in names for end in ("", "_low", "_high", "_leaky")]
    if data is None or not (data / "magnetic_tile").is_dir():
        reasons["magnetic_tile"] = "no folder magnetic_tile: give --data DIR or TWINLOOP_DATA"
        return dict.fromkeys(keys)
    cloned(clone)
    source = f"factory.data.source={(data / 'magnetic_tile').resolve()}"
    watched(clone, ["python", "-m", "twinloop", "conf", source, *PHOTOGRAPHS])
    watched(clone, ["dvc", "repro", "factory-evaluate"])
    honest = json.loads((clone / METRICS / "evaluate.json").read_text(encoding="utf-8"))
    split_at_random(clone / DATASET / "index.parquet")
    for stage in ("train", "export", "evaluate"):
        watched(clone, ["python", "-m", "twinloop", "factory", stage])
    leaky = json.loads((clone / METRICS / "evaluate.json").read_text(encoding="utf-8"))
    by_part = {f"magnetic_tile_{name}{end}": honest[f"{name}{end}"] for name in names for end in ("", "_low", "_high")}
    return by_part | {f"magnetic_tile_{name}_leaky": leaky[name] for name in names}


def split_at_random(index: Path) -> None:
    """Deal the images out regardless of their part, as a careless split would: for comparison only."""
    from twinloop.vision.datasets.splits import random_split

    table = pl.read_parquet(index)
    shares = {f"{split}_share": float((table["split"] == split).mean() or 0) for split in ("val", "test")}
    dealt = random_split(len(table), seed=1, **shares)
    index.unlink()
    table.with_columns(pl.Series("split", dealt)).write_parquet(index)


def throughput(folder: Path) -> float:
    """Images per second of the training stage's fit over those of a bare loop, median of interleaved pairs."""
    from benchmarks.throughput import ratio

    return ratio(folder)


def twin_loop(folder: Path, twin: str) -> dict[str, float]:
    """A twin's loop in fresh clones that are set up, with profiles smoke and default: seconds, and the peak of memory.

    noop: the last one once more, nothing changed; its peak is the one that is told.
    """
    repro = ["python", "-m", "twinloop", "repro", twin]
    figures: dict[str, float] = {}
    for profile in ("smoke", "default"):
        clone = folder / profile
        cloned(clone)
        watched(clone, ["python", "-m", "twinloop", "compile"])
        seconds, peak_gib = watched(clone, [*repro, "--profile", profile])
        name = "smoke" if profile == "smoke" else "repro"
        figures |= {f"{twin}_{name}_s": round(seconds, 1), f"{twin}_peak_gib": round(peak_gib, 2)}
    figures[f"{twin}_noop_s"] = round(watched(clone, repro)[0], 1)
    return figures


def cloned(clone: Path) -> None:
    """A fresh clone of the committed state."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)


def watched(clone: Path, command: list[str]) -> tuple[float, float]:
    """Run a command in a clone; gives its seconds and the peak resident memory of its process tree in GiB."""
    from benchmarks.memory import finished

    outer = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "MLFLOW_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{outer['PATH']}"
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=clone, env=outer | {"PATH": path, "PYTHONPATH": str(clone / "src")}, stdout=sys.stderr
    )
    status, peak_gib = finished(process, every_s=SAMPLE_S)
    seconds = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {status}")
    return seconds, peak_gib


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
