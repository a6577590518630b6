"""From measured turns to a service profile: what each part of a turn took, and what it was measured on and with.

A part waits where another machine works for it. Where none does, time that passed without work was spent in line for a
core of this machine, which is what a simulation adds by itself: it is no part of the profile, so that a busy machine
measures what an idle one does. A part that used several cores at once is told as one that used a single core for as
long as all of them together: right about how much work there is, late where there is little of it.
"""

import os
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from twinloop.contracts import Origin, ServiceProfile
from twinloop.dialogue.conversation.turn import NOTHING, PARTS, Turn
from twinloop.errors import InputError
from twinloop.learning.latency import hardware
from twinloop.twins.person.config import ProvidersSettings, Role

# Whose calls each part of a turn makes, and the provider that asks another machine.
CALLS: dict[str, tuple[Role, ...]] = {
    "hear": ("speech_to_text",),
    "find": ("encoder",),
    "answer": ("encoder", "language_model"),
    "speak": ("text_to_speech",),
}
REMOTE = "http"


def origin(digests: Mapping[str, str], index_digest: str = "") -> Origin:
    """This machine with these providers and this index; its name is its processor and how many cores that has.

    digests: role → digest of who plays it, as of `chain.Chain`. Its cores are those that this process may use.
    """
    here = hardware()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Origin(f"{here['cpu']}, {here['cores']} cores", cores, dict(digests), index_digest)


def remote_parts(providers: ProvidersSettings) -> frozenset[str]:
    """The parts of a turn for which another machine works."""
    return frozenset(
        part for part, roles in CALLS.items() if any(providers.provider(role).name == REMOTE for role in roles)
    )


def profile_of(
    turns: Sequence[Turn],
    origin: Origin,
    *,
    remote: Collection[str] = (),
    memory_gib: float,
    batches: Mapping[str, Mapping[int, float]] | None = None,
    draws: int,
    seed: int,
) -> ServiceProfile:
    """The profile of turns that were held; those in which a part failed are left out: they did less than a turn does.

    remote: parts for which another machine works (`remote_parts`). memory_gib: of one worker. batches: part → number
    of turns worked on together → seconds of all. draws: of the bootstrap. Raises InputError where every turn failed,
    naming what did.
    """
    whole = [turn for turn in turns if not turn.failed]
    if not whole:
        reason = f"all {len(turns)} failed, the first in {turns[0].failed}" if turns else "there are none"
        raise InputError(f"service profile: expected turns that were measured, {reason[:200]}: hold a conversation")
    return ServiceProfile(
        pl.DataFrame([_row(turn, remote) for turn in whole]),
        PARTS,
        origin,
        memory_gib,
        batches or {},
        draws,
        seed,
    )


def _row(turn: Turn, remote: Collection[str]) -> dict[str, object]:
    """audio_s: of what was heard and what was spoken."""
    row: dict[str, object] = {
        "words": len(turn.question.split()),
        "audio_s": float(sum(usage.audio_seconds for usage in turn.usage.values())),
        "cached": turn.cached,
    }
    for part in PARTS:
        usage = turn.usage.get(part, NOTHING)
        row |= {
            f"{part}_cpu_s": float(usage.cpu_seconds),
            f"{part}_waiting_s": max(0.0, float(usage.seconds - usage.cpu_seconds)) if part in remote else 0.0,
        }
    return row
