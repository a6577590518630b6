"""Whether a store holds what the pipeline has made: a finished row of the same outputs, and the models it serves.

DVC knows only that the record stage ran once, not into which store. Asked at every `make repro`, so an SQLite file is
read without MLflow, whose import takes longer than all the rest.
"""

import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from twinloop.tracking.local import file_of
from twinloop.tracking.store import address, open_store

# Tag of an execution's row: the digest of all that its stages made.
OUTPUTS = "outputs"
ROWS = """
    SELECT count(*) FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid
    JOIN experiments ON experiments.experiment_id = runs.experiment_id
    WHERE tags.key = ? AND tags.value = ? AND experiments.name = ?
    AND runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'
"""


def is_recorded(uri: str | None, root: Path, *, twin: str, outputs: str, models: Collection[str] = ()) -> bool:
    """Whether the store at `uri` (None: the repository's own) has a finished row of `twin` with these outputs.

    models: names under which models must be registered there. Raises RunError where no server answers.
    """
    place = address(uri, root)
    if place.startswith("sqlite:"):
        return _in_file(file_of(place, root), twin, outputs, models)
    client = open_store(uri, root).client
    experiment = client.get_experiment_by_name(twin)
    if experiment is None or experiment.lifecycle_stage != "active":
        return False
    same = f"tags.{OUTPUTS} = '{outputs}' and attributes.status = 'FINISHED'"
    if not client.search_runs([experiment.experiment_id], filter_string=same, max_results=1):
        return False
    return all(client.search_model_versions(f"name='{model}'", max_results=1) for model in models)


def _in_file(database: Path, twin: str, outputs: str, models: Collection[str]) -> bool:
    if not database.is_file():
        return False
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            (rows,) = connection.execute(ROWS, (OUTPUTS, outputs, twin)).fetchone()
            registered = {name for (name,) in connection.execute("SELECT DISTINCT name FROM model_versions")}
    except sqlite3.DatabaseError:
        # The record stage says what is wrong with it.
        return False
    return rows > 0 and registered.issuperset(models)
