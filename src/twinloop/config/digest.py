"""The digests that tie a composed params.yaml to what it was composed from."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

VALUES = "values_digest"


def conf_digest(conf: Path) -> str:
    """Hex digest over names and contents of every conf/**.yaml, in name order.

    Line endings do not count, so that a checkout on another system has the same digest.
    """
    total = hashlib.sha256()
    for path in sorted(conf.rglob("*.yaml"), key=lambda path: path.relative_to(conf).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{path.relative_to(conf).as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def values_digest(values: Mapping[str, Any]) -> str:
    """Hex digest of composed values, the digest itself left out; key order does not count."""
    rest = {key: value for key, value in values.items() if key != VALUES}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]


def edited_by_hand(params: Path) -> bool:
    """Whether a params.yaml holds other values than the composition that wrote it; an unreadable one does."""
    if not params.is_file():
        return False
    try:
        values = yaml.safe_load(params.read_text(encoding="utf-8"))
        return not isinstance(values, dict) or values.get(VALUES) != values_digest(values)
    except (ValueError, TypeError, RecursionError, yaml.YAMLError):
        return True
