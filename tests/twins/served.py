"""A saved model behind the server that `serve` starts, in a thread of this process: another one takes seconds."""

import json
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def serving(folder: Path, *, patience_s: int = 30, counters: Any = None) -> Iterator[str]:
    """The address of a server that answers for the model in `folder`; it waits `patience_s` for a request."""
    import uvicorn
    from mlflow.pyfunc import load_model

    from twinloop.tracking.server import Punctual, application

    before = list(sys.path)
    model = load_model(str(folder))
    sys.path[:] = before  # MLflow puts the model's copy of the code first
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = application(model, patience_s=patience_s, counters=counters)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", http=Punctual, timeout_keep_alive=patience_s
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        for _ in range(200):
            if server.started:
                break
            threading.Event().wait(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
    assert not thread.is_alive()


def post(url: str, column: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """The answers to a column's values. Raises urllib.error.HTTPError where they are refused."""
    body = json.dumps({"dataframe_split": {"columns": [column], "data": [[value] for value in values]}})
    request = urllib.request.Request(f"{url}/invocations", body.encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answers: list[dict[str, Any]] = json.load(answer)["predictions"]
    return answers


def refusal(url: str, column: str, values: Sequence[Any]) -> str:
    """The one line with which the values are refused, with status 400."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(url, column, values)
    assert caught.value.code == 400
    said = str(json.load(caught.value)["message"])
    assert "\n" not in said
    assert len(said) <= 310
    return said
