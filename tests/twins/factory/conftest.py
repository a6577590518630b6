"""Fixtures of the factory's stages."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exported_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and what the export stage made of them (its summary line in `summary`); only to be read."""
    from tests.twins.factory.exported import stage, write_inputs
    from twinloop.twins.factory import export

    root = tmp_path_factory.mktemp("exported")
    write_inputs(root)
    (root / "summary").write_text(export.run(stage(root)))
    return root
