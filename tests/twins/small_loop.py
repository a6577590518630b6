"""What the small loops of twins share: where the configuration lies, a tracker, and a process of its own."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

CONF = ROOT / "conf"


class SilentTracker:
    """Takes live figures and keeps none."""

    def log(self, metrics: Mapping[str, float], *, step: int) -> None: ...

    def child(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str] | None = None,
    ) -> None: ...

    def artifact(self, path: Path) -> None: ...


def run_apart(twin: str, root: Path) -> None:
    """Run a twin's module `small_loop` in a process of its own; its lines go to `printed` in `root`."""
    command = [sys.executable, "-m", f"tests.twins.{twin}.small_loop", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (root / "printed").write_text(done.stdout, encoding="utf-8")
