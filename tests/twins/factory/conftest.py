"""Fixtures of the factory's stages."""

from pathlib import Path

import pytest

from tests.conftest import Once


@pytest.fixture(scope="session")
def exported_root(once: Once) -> Path:
    """Inputs and what the export stage made of them (its summary line in `summary`); only to be read."""

    def make(root: Path) -> None:
        from tests.twins.factory.exported import stage, write_inputs
        from twinloop.twins.factory import export

        write_inputs(root)
        (root / "summary").write_text(export.run(stage(root)))

    return once("exported", make)
