"""A second twin, as small as one can be: package, conf group, notebook and stages, copied into a clone by `install`.

What it is copied beside is not changed: the registry finds its package, and config.yaml and dvc.yaml get its entries.
"""

import shutil
from pathlib import Path

from tests.conftest import run_in

HERE = Path(__file__).parent
STUB_VERBS = ("prepare", "simulate", "report", "record")


def install(clone: Path, *overrides: str) -> None:
    """Move the twin into a clone and compose its part of params.yaml."""
    shutil.copytree(HERE / "package", clone / "src/twinloop/twins/stub")
    shutil.copytree(HERE / "conf", clone / "conf/stub")
    shutil.copytree(HERE / "notebooks", clone / "notebooks/stub")
    config, pipeline = clone / "conf/config.yaml", clone / "dvc.yaml"
    config.write_text(config.read_text().replace("  - _self_\n", "  - stub/data: default\n  - _self_\n"))
    pipeline.write_text(pipeline.read_text() + (HERE / "stages.yaml").read_text())
    run_in(clone, "python", "-m", "twinloop", "conf", *overrides)
