"""A store that was moved or copied with its checkout keeps its artefacts beside it.

MLflow writes where artefacts lie as absolute addresses; each is pointed at the folder the store lies in when it is
opened. Experiments that somebody put elsewhere on purpose stay there: ours lie at artifacts/NAME beside the file.
"""

import contextlib
import sqlite3
from pathlib import Path

from twinloop.files import path_of

DEFAULT = "Default"
HOLDERS = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("experiments", "artifact_location"),
)


def artifacts(database: Path, experiment: str) -> str:
    """Address of the folder beside the SQLite file in which an experiment's artefacts lie."""
    return (database.parent / "artifacts" / experiment).as_uri()


def follow(database: Path) -> None:
    """Point every address of an artefact at the folder `database` lies in now."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        locations = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
        moved = [(old, artifacts(database, name)) for name, old in locations if _left_behind(database, name, old)]
        with connection:
            for old, new in moved:
                for table, column in HOLDERS:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                    )


def _left_behind(database: Path, experiment: str, location: str) -> bool:
    """Whether artefacts are looked for where this store lay once: nothing is there now, or what it was copied from."""
    path = path_of(location)
    if path is None or path.parts[-2:] != ("artifacts", experiment) or location == artifacts(database, experiment):
        return False
    home = path.parents[1]
    return not home.exists() or (home / database.name).exists()
