"""Configuration and metrics as the flat names and short texts that MLflow's columns take."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twinloop.errors import RunError
from twinloop.files import read_json

LONGEST = 500


def name(text: str) -> str:
    """`text` with what MLflow refuses in a name replaced by an underscore.

    >>> name("recall (pit)")
    'recall _pit_'
    """
    return re.sub(r"[^/\w.\- :]", "_", text)


def params(section: Any) -> dict[str, str]:
    """Nested settings as dotted names and texts; a text over 500 characters is cut and ends with its digest.

    >>> params({"train": {"epochs": 3, "stages": (1, 2)}})
    {'train.epochs': '3', 'train.stages': '[1, 2]'}
    """
    return {name(key): _text(value) for key, value in _leaves(section, "") if key}


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    plain = _plain(value)
    if isinstance(plain, Mapping) and plain:
        for key, inner in plain.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, plain


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= LONGEST:
        return text
    digest = f"… sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return text[: LONGEST - len(digest)] + digest


def stage_metrics(path: Path) -> dict[str, Any]:
    """A stage's metrics JSON: flat, values number, text, boolean or null. Raises RunError where it is not."""
    try:
        values = read_json(path)
    except (OSError, ValueError) as error:
        raise RunError(f"record: {path}: expected a stage's metrics: {error}: run `dvc repro` first") from None
    if not isinstance(values, dict) or any(isinstance(value, dict | list) for value in values.values()):
        raise RunError(f"record: {path}: expected one flat JSON object of numbers and texts")
    return values


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """What MLflow keeps as metrics: numbers, and booleans as 0 and 1."""
    return {name(key): float(value) for key, value in values.items() if isinstance(value, int | float)}


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """What MLflow keeps as tags: the texts."""
    return {name(key): _text(value) for key, value in values.items() if isinstance(value, str)}
