"""Five kinds of input that people bring, each with a way to spoil it and the loader that must answer in one line."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
import yaml
from PIL import Image
from pydantic import Field

from tests.fuzz.values import Draw, odd, spoilt, spoilt_bytes, written
from twinloop.config import Invalid, parse, settings
from twinloop.config.compose import choose
from twinloop.config.reading import read_yaml
from twinloop.config.sections import describe
from twinloop.errors import InputError
from twinloop.scheduling.files.problem import read_problem
from twinloop.simulation.events.reading import read_log
from twinloop.twins import registry
from twinloop.vision.inference.pictures import read_picture

ROOT = Path(__file__).resolve().parents[2]


def nowhere(keys: object) -> str:
    """An origin for messages."""
    return f"{keys}"[:20]


@cache
def _params() -> Any:
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def params(draw: Draw, folder: Path) -> None:
    """A spoilt params.yaml: its values as YAML gives them, every fourth one as text (of a part, for speed)."""
    values = _params()
    if draw.random() < 0.25:
        values = {
            "factory": {name: values["factory"][name] for name in ("line", "tune")},
            "seed": 1,
            "profile": "smoke",
        }
        path = folder / "params.yaml"
        try:
            text = yaml.dump(spoilt(values, draw), allow_unicode=True)
        except (RecursionError, ValueError):
            text = "a: " + "[" * 3000
        path.write_bytes(spoilt_bytes(text.encode("utf-8", "surrogatepass"), draw))
        values = read_yaml(path, "params.yaml")
        if not isinstance(values, dict):
            raise InputError("conf: params.yaml: expected a mapping")
    else:
        values = spoilt(values, draw)
    try:
        registry.check(values)
    except Invalid as invalid:
        raise InputError(describe(invalid.faults, nowhere)) from None


@settings
class Train:
    """A small section."""

    epochs: Annotated[int, Field(ge=1)]
    rate: Annotated[float, Field(gt=0)]
    sizes: tuple[int, ...]
    table: dict[str, float]


@settings
class Plant:
    """A small twin."""

    train: Train


@settings
class Config:
    """A small configuration."""

    profile: Literal["default", "smoke"]
    seed: Annotated[int, Field(ge=0)]
    plant: Plant


CONF = {
    "config.yaml": "defaults:\n  - plant/train: quick\n  - _self_\n  - profile: default\n  - choices\n"
    "conf_digest: ${conf_digest:}\nvalues_digest: ${values_digest:}\nseed: 1\n",
    "choices.yaml": "# @package _global_\n",
    "plant/train/quick.yaml": "epochs: 3\nrate: 0.1\nsizes: [1, 2]\ntable: {a: 1.0}\n",
    "plant/train/slow.yaml": "epochs: 30\nrate: 0.01\nsizes: []\ntable: {}\n",
    "profile/default.yaml": "# @package _global_\nprofile: default\n",
    "profile/smoke.yaml": "# @package _global_\nprofile: smoke\n",
}
KEYS = (
    *("plant.train.epochs", "plant.train.sizes", "plant.train.sizes.0", "plant.train.sizes.x", "plant.train.table.b"),
    *("plant/train", "profile", "seed", "plant", "", "a b", "plant.train.table.K-x", "hydra.job", "conf_digest", "é"),
    *("plant.train.rate.deeper", "plant/nothing", "values_digest", "plant.train@seed", "hydra/launcher", "choices"),
)
TEXTS = (
    *("3", "0.5", "slow", "smoke", "[1,2]", "{a: 1}", "1,2", "'", '"', "[", "}", "9" * 5000, "[" * 400 + "]" * 400),
    *("${seed}", "${oc.env:HOME}", "${plant}", "${", "\\", "\n", "\x00", "null", "nan", "-inf", "true", "???", ""),
    *("2026-13-45", "0x" + "f" * 900, "range(1,9)", "glob(*)", "choice(a,b)", "int(x)", "shuffle(1)", "extend_list(1)"),
)


def overrides(draw: Draw, folder: Path) -> None:
    """One to three overrides of a small conf/."""
    conf = folder / "conf"
    if not conf.is_dir():
        for name, text in CONF.items():
            (conf / name).parent.mkdir(parents=True, exist_ok=True)
            (conf / name).write_text(text, encoding="utf-8")
    given = []
    for _ in range(int(draw.integers(1, 4))):
        value = str(draw.choice(TEXTS)) if draw.random() < 0.8 else written(odd(draw)) if draw.random() < 0.5 else "1"
        given.append(
            f"{draw.choice(['', '', '', '+', '++', '~'])}{draw.choice(KEYS)}{draw.choice(['=', '=', '='])}{value}"
        )
    chosen = choose(conf, given)
    values = {key: value for key, value in chosen.composition.values.items() if not key.endswith("_digest")}
    try:
        parse(Config, values)
    except Invalid as invalid:
        raise InputError(describe(invalid.faults, chosen.composition.origin)) from None


SHOP: dict[str, Any] = {
    "version": 2,
    "machines": ["saw", "mill", "oven"],
    "jobs": [
        {
            "name": "frame",
            "release": 0,
            "due": 40,
            "weight": 2,
            "operations": [
                {"machine": "saw", "duration": 3, "family": "steel"},
                {"machine": "mill", "duration": 4, "alternatives": [{"machine": "oven", "duration": 5}]},
            ],
        },
        {"name": "lid", "operations": [{"machine": "oven", "duration": 7}]},
    ],
    "closed": {"saw": [{"start": 10, "end": 12}]},
    "setups": [{"machine": "saw", "before": "steel", "after": "wood", "time": 2}],
    "transport": [{"start": "saw", "end": "mill", "time": 1}],
    "power": {"saw": 3},
}
TABLE = "job,operation,machine,duration,release,due,weight\na,0,saw,3,0,40,2\na,1,mill,4,,,\nb,0,mill,2,0,30,1\n"
TEXT = "2 2\n0 3 1 4\n1 2 0 5\n"
FLEXIBLE = "2 2 1.5\n2 2 0 3 1 4 1 1 5\n1 1 0 7\n"


def shops(draw: Draw, folder: Path) -> None:
    """A spoilt shop: JSON, CSV, JSP or FJSP."""
    match int(draw.integers(5)):
        case 0 | 1:
            path = folder / "shop.json"
            try:
                text = json.dumps(spoilt(SHOP, draw), default=str, skipkeys=True)
            except (ValueError, RecursionError):
                text = "[" * 100_000
            content = text.encode("utf-8", "surrogatepass")
            path.write_bytes(content if draw.random() < 0.7 else spoilt_bytes(content, draw))
        case 2:
            path = folder / "shop.csv"
            path.write_bytes(_spoilt_table(TABLE, draw))
        case kind:
            path = folder / "shop.txt"
            path.write_bytes(_spoilt_table(TEXT if kind == 3 else FLEXIBLE, draw, separator=" "))
    read_problem(path)


def _spoilt_table(text: str, draw: Draw, *, separator: str = ",") -> bytes:
    rows = [line.split(separator) for line in text.splitlines()]
    cells = [
        "",
        "-1",
        "1e3",
        "nan",
        "9" * 30,
        "9" * 5000,
        "10000000000",
        "x",
        '"',
        "\x00",
        "é",
        "²",
        "٣",
        "-inf",
        "'=1'",
    ]
    for _ in range(int(draw.integers(1, 4))):
        row = rows[int(draw.integers(len(rows)))]
        if row:
            row[int(draw.integers(len(row)))] = str(draw.choice(cells))
    content = "\n".join(separator.join(row) for row in rows).encode()
    return content if draw.random() < 0.6 else spoilt_bytes(content, draw)


EVENTS = {
    "time_min": [0.0, 0.0, 1.5, 2.0, 4.0, 5.5],
    "event": ["enter", "idle", "running", "queue", "accept", "ship"],
    "entity": ["source", "saw", "saw", "saw", "saw", "source"],
    "part": [0, None, 0, 0, 0, 0],
    "condition": [None, None, None, None, "good", None],
    "value": [0.0, None, None, None, None, None],
}
COLUMNS: tuple[Callable[[pl.Series], pl.Series], ...] = (
    lambda column: column.cast(pl.String),
    lambda column: column.cast(pl.String).cast(pl.Binary),
    lambda column: pl.Series(column.name, [[1]] * len(column)),
    lambda column: pl.Series(column.name, [{"a": 1}] * len(column)),
    lambda column: pl.Series(column.name, [None] * len(column)),
    lambda column: pl.Series(column.name, [float("-inf")] * len(column)),
    lambda column: pl.Series(column.name, [float("nan"), *[1e308] * (len(column) - 1)]),
    lambda column: pl.Series(column.name, [2**63 - 1] * len(column)),
    lambda column: pl.Series(column.name, [2**64 - 1] * len(column), dtype=pl.UInt64),
    lambda column: pl.Series(column.name, ["2026-01-01T00:00:00+01:00"] * len(column)),
    lambda column: pl.Series(column.name, ["2026-01-01"] * len(column)).str.to_date(),
    lambda column: pl.Series(column.name, [True] * len(column)),
    lambda column: pl.Series(column.name, ["\x1b[31m\n" * 100] * len(column)),
    lambda column: pl.Series(column.name, ["a", *["b"] * (len(column) - 1)], dtype=pl.Categorical),
    lambda column: pl.Series(column.name, [b"\xff"] * len(column)),
    lambda column: pl.Series(column.name, [object()] * len(column), dtype=pl.Object).is_null(),
    lambda column: column.reverse(),
)


def events(draw: Draw, folder: Path) -> None:
    """A spoilt event log: Parquet or CSV."""
    frame = pl.DataFrame(EVENTS)
    for _ in range(int(draw.integers(0, 3))):
        name = str(draw.choice(list(EVENTS)))
        match int(draw.integers(4)):
            case 0 if name in frame.columns:
                frame = frame.drop(name)
            case 1 if name in frame.columns:
                new = str(draw.choice(["timestamp", "Part", "x\ny", "", "é"]))
                frame = frame if new in frame.columns else frame.rename({name: new})
            case _ if name in frame.columns:
                change = COLUMNS[int(draw.integers(len(COLUMNS)))]
                frame = frame.with_columns(change(frame[name]).alias(name))
            case _:
                pass
    if draw.random() < 0.5:
        path = folder / "log.csv"
        content = b""
        try:
            content = frame.write_csv().encode()
        except pl.exceptions.PolarsError:
            content = pl.DataFrame(EVENTS).write_csv().encode()
        path.write_bytes(_spoilt_table(content.decode(), draw) if draw.random() < 0.5 else content)
    else:
        path = folder / "log.parquet"
        about = draw.choice(
            ['{"horizon": 1e400}', "[", '{"classes": 3}', '{"entities": ["source", "saw"]}', "[1]", '"a"']
        )
        metadata = {"twinloop.events": str(draw.choice(["1", "2", ""])), "twinloop.events.log": str(about)}
        buffer = BytesIO()
        frame.write_parquet(buffer, metadata=metadata if draw.random() < 0.4 else None)
        content = buffer.getvalue()
        path.write_bytes(content if draw.random() < 0.7 else spoilt_bytes(content, draw))
    read_log(path, line=None, horizon=None if draw.random() < 0.9 else float(draw.choice([-1.0, np.nan, np.inf, 99.0])))


@cache
def _pictures() -> tuple[bytes, ...]:
    """One small picture of every format and mode that a camera or an editor writes."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    written = []
    for kind, mode in (("PNG", "RGB"), ("PNG", "L"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "CMYK")):
        picture = Image.fromarray(pixels)
        picture = picture.convert("L").convert("I").convert("I;16") if mode == "I;16" else picture.convert(mode)
        buffer = BytesIO()
        picture.save(buffer, kind)
        written.append(buffer.getvalue())
    for kind in ("BMP", "TIFF", "WEBP", "GIF"):
        buffer = BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        written.append(buffer.getvalue())
    return tuple(written)


def images(draw: Draw, folder: Path) -> None:
    """A spoilt picture."""
    pictures = _pictures()
    content = spoilt_bytes(pictures[int(draw.integers(len(pictures)))], draw)
    if draw.random() < 0.5:
        (folder / "picture").write_bytes(content)
        read_picture(folder / "picture")
    else:
        read_picture(content)


KINDS: Mapping[str, Callable[[Draw, Path], None]] = {
    "params": params,
    "overrides": overrides,
    "shops": shops,
    "events": events,
    "images": images,
}
