"""A folder of images judged in batches: a row for every file, also for those that cannot be read.

A bad file costs nothing but its own row, which says why. Measured time stands in the column inference_ms alone.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.contracts import Decision
from twinloop.errors import InputError
from twinloop.files import atomic, write_text
from twinloop.progress import bar
from twinloop.spreadsheets import as_texts
from twinloop.vision.datasets.samples import IMAGE_SUFFIXES, Refused, printable
from twinloop.vision.inference.large import predict_large
from twinloop.vision.inference.pictures import Pixels, opened_rows, read_picture
from twinloop.vision.inference.predict import DeployedDetector, Prediction

BATCH = 16
SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "image": pl.String,
    "error": pl.String,
    "defect_type": pl.String,
    "confidence": pl.Float64,
    "defect_probability": pl.Float64,
    "score": pl.Float64,
    "decision": pl.String,
    "unlike": pl.Float64,
    "reason": pl.String,
    "boxes": pl.List(pl.List(pl.Int64)),
    "width": pl.Int64,
    "height": pl.Int64,
    "inference_ms": pl.Float64,
}
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found in a folder: `table` has one row per image file in the order of their names (SCHEMA).

    image: path below the folder. error: why a file has no finding. reason: why it is looked at again whatever else is
    said, empty where there is none. boxes: [x, y, width, height] in its pixels.
    """

    table: pl.DataFrame

    @property
    def summary(self) -> dict[str, Any]:
        """Counts of images, unreadable files, decisions, kinds of defect, those unlike anything learnt; median time."""
        read = self.table.filter(pl.col("error").is_null())
        decisions, kinds = Counter(read["decision"].drop_nulls()), Counter(read["defect_type"])
        return {
            "images": len(self.table),
            "unreadable": len(self.table) - len(read),
            "unlike": int((read["reason"] != "").sum()),
            "decisions": {decision.value: decisions[decision.value] for decision in Decision} if decisions else None,
            "defect_types": dict(sorted(kinds.items())),
            "inference_ms_p50": read["inference_ms"].median(),
        }

    def record(self) -> dict[str, Any]:
        """Summary and rows as plain values for JSON."""
        return {"summary": self.summary, "images": self.table.to_dicts()}

    def save(self, path: str | Path) -> None:
        """Write the table as .parquet or .csv (boxes as JSON text), or summary and rows as .json."""
        check_output(path)
        match Path(path).suffix:
            case ".json":
                write_text(path, json.dumps(self.record(), ensure_ascii=False, indent=1, allow_nan=False) + "\n")
            case ".csv":
                boxes = [None if some is None else json.dumps(some) for some in self.table["boxes"].to_list()]
                with atomic(path) as temporary:
                    as_texts(self.table.with_columns(pl.Series("boxes", boxes, pl.String))).write_csv(temporary)
            case _:
                with atomic(path) as temporary:
                    self.table.write_parquet(temporary)


def check_output(path: str | Path) -> None:
    """Raise InputError unless results can be written under that name."""
    if Path(path).suffix not in (".parquet", ".csv", ".json"):
        raise InputError(f"predict: {path}: expected a file name that ends in .parquet, .csv or .json")


def image_files(source: str | Path) -> list[Path]:
    """The image files in a folder and below, by name; a file stands for itself.

    Hidden files are left out. Raises InputError where there is no such place, or no image in it.
    """
    place = Path(source)
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise InputError(f"predict: {printable(str(place))}: expected a folder of images or an image, found neither")
    files = sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    )
    if not files:
        suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
        raise InputError(f"predict: {printable(str(place))}: expected images ({suffixes}), found none")
    return files


def predict_folder(detector: DeployedDetector, source: str | Path, *, tile_px: int | None = None) -> Judged:
    """Judge every image in a folder and below, or one image, `BATCH` at a time.

    tile_px: judge every image at its own scale, in tiles of that side (`predict_large`), instead of resizing it.
    """
    files = image_files(source)
    root = Path(source) if Path(source).is_dir() else Path(source).parent
    rows: list[Row] = []
    unreadable = 0
    with bar("image", len(files)) as shown:
        for start in range(0, len(files), BATCH):
            some = files[start : start + BATCH]
            judged = _judged(detector, some) if tile_px is None else [_tiled(detector, file, tile_px) for file in some]
            names = [printable(str(file.relative_to(root))) for file in some]
            rows += [row | {"image": name} for name, row in zip(names, judged, strict=True)]
            unreadable += sum(row["error"] is not None for row in judged)
            shown.step(len(some), note=f"{unreadable} unreadable" if unreadable else None)
    return Judged(pl.DataFrame(rows, schema=SCHEMA))


def _judged(detector: DeployedDetector, files: Sequence[Path]) -> list[Row]:
    read = [_read(file) for file in files]
    findings: Iterator[Prediction] = iter(
        detector.predict_batch([image for image in read if not isinstance(image, str)])
    )
    return [_refused(image) if isinstance(image, str) else _row(next(findings)) for image in read]


def _tiled(detector: DeployedDetector, file: Path, tile_px: int) -> Row:
    try:
        with opened_rows(file) as rows:
            return _row(predict_large(detector, rows, tile_px=tile_px))
    except Refused as refused:
        return _refused(str(refused))


def _read(file: Path) -> Pixels | str:
    """The pixels, or why there are none."""
    try:
        return read_picture(file)
    except Refused as refused:
        return str(refused)


def _row(finding: Prediction) -> Row:
    return {
        "error": None,
        "defect_type": finding.defect_type,
        "confidence": finding.confidence,
        "defect_probability": finding.defect_probability,
        "score": finding.score,
        "decision": finding.decision.value if finding.decision else None,
        "unlike": finding.unlike,
        "reason": finding.reason,
        "boxes": [list(box) for box in finding.boxes],
        "width": finding.size[1],
        "height": finding.size[0],
        "inference_ms": finding.inference_ms,
    }


def _refused(reason: str) -> Row:
    return {**dict.fromkeys(SCHEMA), "error": reason}
