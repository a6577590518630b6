"""The registered responder as `serve` runs it on loopback: latency, errors and memory of 10 000 questions, 4 clients.

`python benchmarks/responder.py --json` prints one JSON object. `--self FOLDER` serves the self of an export stage, by
default one that knows a fictional person's documents by their words and hears and speaks nothing; its own questions are
put, or with a person's `questions.json` beside those of that file.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
REQUESTS, WARMUP, CLIENTS = 10_000, 200, 4
QUESTIONS = (
    "When does the warranty on the kettle end?",
    "How much does the insurance cost per year?",
    "Who teaches the course on Monday?",
    "Which hotel is booked for the trip?",
    "What is the number of the meter?",
)


def main() -> None:
    """Serve, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--self", dest="own", type=Path, help="of an export stage (default: a fictional person's)")
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"counted ones, after {WARMUP} for warming up")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        figures = measured(Path(temporary), options.own, requests=options.requests)
    print(json.dumps(figures, indent=None if options.json else 2))


def measured(folder: Path, own: Path | None = None, *, requests: int = REQUESTS) -> dict[str, Any]:
    """requests, errors, p50_ms, p99_ms, requests_per_s, rss_mib after warm-up, rss_growth_mib from then to the end."""
    from benchmarks.serving import load, resident_mib

    bodies = [json.dumps({"input": [{"role": "user", "content": text}]}).encode() for text in QUESTIONS]
    with served(folder, own or fictional(folder)) as (port, server):
        load(port, bodies, requests=WARMUP, clients=CLIENTS, fault=fault)
        before, start = resident_mib(server), time.perf_counter()
        latencies_ms, errors = load(port, bodies, requests=requests, clients=CLIENTS, fault=fault)
        seconds = time.perf_counter() - start
        after = resident_mib(server)
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        "requests": requests,
        "errors": len(errors),
        "first_error": errors[0] if errors else None,
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "requests_per_s": round(requests / seconds, 1),
        "rss_mib": round(before, 1),
        "rss_growth_mib": round(after - before, 1),
    }


def fault(status: int, content: bytes) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status != 200:
        return f"HTTP {status}: {content[:200]!r}"
    told = json.loads(content)["custom_outputs"]
    return str(told["failed"]) or ("" if told["answer"] else f"no answer: {content[:200]!r}")


def fictional(folder: Path) -> Path:
    """A self that knows a fictional person's documents by their words."""
    from twinloop.config import parse
    from twinloop.dialogue.answering.settings import AnswerSettings
    from twinloop.dialogue.conversation.settings import ConversationSettings
    from twinloop.dialogue.knowledge.library import Library
    from twinloop.dialogue.knowledge.settings import IndexSettings
    from twinloop.dialogue.persona.settings import PersonaSettings
    from twinloop.dialogue.synthetic.person import person, write_person
    from twinloop.dialogue.synthetic.settings import PersonSettings
    from twinloop.twins.person.chain import ROLES, Described, save_self
    from twinloop.twins.person.config import ProvidersSettings

    one = person(PersonSettings(), seed=1)
    write_person(one, folder / "person")
    library = Library(folder / "person", index=folder / "index")
    library.refresh()
    described = Described(
        name=one.profile.name,
        profile={"name": one.profile.name},
        index=IndexSettings(),
        answers=AnswerSettings(),
        persona=PersonaSettings(),
        conversation=ConversationSettings(),
        providers=parse(ProvidersSettings, {"name": "none", **{role: {} for role in ROLES}}),
    )
    save_self(folder / "self", described, library.index)
    return folder / "self"


@contextlib.contextmanager
def served(folder: Path, own: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The self registered and served on a free port of loopback; its whole process group ends with the block."""
    from benchmarks.serving import serving
    from twinloop.tracking.execution import find_or_create
    from twinloop.tracking.store import open_store
    from twinloop.twins.person.serving.responder import register_responder

    store = open_store(None, folder)
    version = register_responder(store, find_or_create(store, twin="person", key="b"), folder=own, card="benchmark")
    counters = ("--counters", str(folder / "served.prom"))
    with serving(folder, store, "person-responder", version, *counters) as running:
        yield running


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
