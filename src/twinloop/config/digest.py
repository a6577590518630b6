"""The digest of conf/: what ties a composed params.yaml to the files it was composed from."""

import hashlib
from pathlib import Path


def conf_digest(conf: Path) -> str:
    """Hex digest over names and contents of every conf/**.yaml, in name order.

    Line endings do not count, so that a checkout on another system has the same digest.
    """
    total = hashlib.sha256()
    for path in sorted(conf.rglob("*.yaml"), key=lambda path: path.relative_to(conf).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{path.relative_to(conf).as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]
