"""A store that was moved or copied with its checkout keeps its artefacts beside it.

MLflow writes where artefacts lie as absolute addresses; each is pointed at the folder the store lies in when it is
opened. Only experiments that this project made are touched: theirs lie at artifacts/NAME beside the file.
"""

import contextlib
import sqlite3
from pathlib import Path

from twinloop.tracking import view

DEFAULT = "Default"
HOLDERS = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("experiments", "artifact_location"),
)
OURS = f"""
    SELECT name, artifact_location FROM experiments WHERE name = '{DEFAULT}' OR experiment_id IN
    (SELECT experiment_id FROM experiment_tags WHERE key = '{view.STATE}')
"""


def artifacts(database: Path, experiment: str) -> str:
    """Address of the folder beside the SQLite file in which an experiment's artefacts lie."""
    return (database.parent / "artifacts" / experiment).as_uri()


def follow(database: Path) -> None:
    """Point every address of an artefact at the folder `database` lies in now."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        locations = connection.execute(OURS).fetchall()
        moved = [(old, new) for name, old in locations if old != (new := artifacts(database, name))]
        with connection:
            for old, new in moved:
                for table, column in HOLDERS:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) IN (?, ?)",
                        (new, len(old) + 1, len(old) + 1, old, f"{old}/"),
                    )
