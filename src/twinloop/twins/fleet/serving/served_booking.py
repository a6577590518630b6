"""The workshop's book as it is served: MLflow executes this file, so nothing is pickled.

A request holds texts of JSON in a column `request` (see `scheduling.booking.desk`), taken in order; the next request
finds the book as they left it. All rows of a request are done or none: one that cannot be done is refused with status
400 and one line. The book is kept in memory; where the environment variable TWINLOOP_BOOK names a file, every step is
added to it before it is answered, and a server that starts again, or another one beside it, goes on from there.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import mlflow.models
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from twinloop.errors import InputError
from twinloop.scheduling.booking.desk import Desk, request_of
from twinloop.scheduling.booking.records import book_of
from twinloop.tracking.refused import Refused

MOST_ROWS = 100
KEPT = "TWINLOOP_BOOK"


class ServedBooking(PythonModel):
    """Answers posted requests; the artefact is the book to begin with."""

    def load_context(self, context: Any) -> None:
        record = json.loads(Path(context.artifacts["book"]).read_text(encoding="utf-8"))
        self._desk = Desk(book_of(record["book"], "artefact"), tuple(record["assets"]))
        self._lock, self._read = threading.Lock(), 0

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """One answer per row of the column `request`."""
        rows = list(model_input["request"])
        if len(rows) > MOST_ROWS:
            raise Refused(f"booking: expected at most {MOST_ROWS} rows, got {len(rows)}")
        with self._lock, self._journal() as journal:
            desk, answers, asked = self._desk, [], []
            for row, text in enumerate(rows):
                try:
                    request = request_of(text)
                    desk, answer = desk.ask(request)
                except InputError as error:
                    raise Refused(f"row {row + 1}: {error}" if len(rows) > 1 else str(error)) from None
                answers.append(answer)
                asked.append(request)
            if journal is not None:
                steps = [request for request in asked if request["action"] != "availability"]
                journal.write("".join(f"{json.dumps(step, ensure_ascii=False)}\n" for step in steps))
                journal.flush()
                os.fsync(journal.fileno())
                self._read = journal.tell()
            self._desk = desk
            return answers

    @contextmanager
    def _journal(self) -> Iterator[TextIO | None]:
        """The kept steps, locked, when those that others have added were taken."""
        if not os.environ.get(KEPT):
            yield None
            return
        path = Path(os.environ[KEPT])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8", errors="replace") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            journal.seek(self._read)
            text = journal.read()
            whole = text.rpartition("\n")[0]
            if not text.endswith("\n") and text:  # a step cut off when a server ended, which never was answered
                journal.truncate(self._read + len(f"{whole}\n".encode() if whole else b""))
                journal.seek(0, os.SEEK_END)
            for line in whole.splitlines():
                try:
                    self._desk, _ = self._desk.ask(json.loads(line))
                except (InputError, ValueError) as error:
                    raise Refused(
                        f"booking: {path}: a step of another book ({error}): name a new file in {KEPT}"
                    ) from None
            self._read = journal.tell()
            yield journal


mlflow.models.set_model(ServedBooking())
