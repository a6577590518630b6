"""Projects with limited resources as PSPLIB writes them (Kolisch and Sprecher 1997, `.sm`), as far as shops reach.

An activity becomes a job of one operation on a machine of its own, a renewable resource a pool, and who comes before it
`after`. Activities without a duration only hand on who waits for whom and are left out. Several modes and resources
that are used up are refused by name.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from twinloop.errors import InputError
from twinloop.scheduling.files.reading import Reading
from twinloop.scheduling.problem import Job, JobShop, Operation, Pool

SECTIONS = ("PRECEDENCE RELATIONS", "REQUESTS/DURATIONS", "RESOURCEAVAILABILITIES")


def recognised(text: str) -> bool:
    """Whether a text has the sections of PSPLIB."""
    return sum(section in text for section in SECTIONS) >= 2


def read_psplib(text: str, path: Path) -> Reading:
    """The project as a shop. Raises InputError with file:row."""
    sections = _sections(text, path)
    kinds = re.findall(r"-\s*(renewable|nonrenewable|doubly constrained)\s*:\s*(\d+)", text)
    for kind, number in kinds:
        if kind != "renewable" and int(number):
            raise InputError(f"{path}: {number} {kind} resources: expected renewable ones alone (a `.sm` file)")
    followers = _followers(sections[SECTIONS[0]], path)
    names, durations, needs = _requests(sections[SECTIONS[1]], path)
    capacities = _capacities(sections[SECTIONS[2]], names, path)
    if set(followers) != set(durations):
        raise InputError(f"{path}: the same activities are expected under {SECTIONS[0]} and {SECTIONS[1]}")
    stated = re.search(r"jobs\s*\(incl.*?\)\s*:\s*(\d+)", text)
    if stated and int(stated[1]) != len(durations):
        raise InputError(f"{path}: {stated[1]} jobs are announced, {len(durations)} are there")
    before: dict[int, list[int]] = {activity: [] for activity in durations}
    for activity, others in followers.items():
        for other in others:
            if other not in before:
                raise InputError(f"{path}: activity {activity}: unknown successor {other}")
            before[other].append(activity)
    kept = [activity for activity, duration in durations.items() if duration]
    try:
        shop = JobShop(
            tuple(f"activity_{activity}" for activity in kept),
            tuple(
                Job(
                    str(activity),
                    (Operation(f"activity_{activity}", durations[activity], pools=needs[activity]),),
                    after=tuple(str(other) for other in _behind(activity, before, durations, path)),
                )
                for activity in kept
            ),
            pools=tuple(Pool(name, capacity) for name, capacity in capacities.items() if capacity),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    left = len(durations) - len(kept)
    notes = (
        "each activity on a machine of its own, resources as pools",
        f"without a duration and left out: {left}",
    )
    return Reading(shop, "project (PSPLIB)", notes)


def _sections(text: str, path: Path) -> Mapping[str, list[tuple[int, list[str]]]]:
    sections: dict[str, list[tuple[int, list[str]]]] = {}
    rows: list[tuple[int, list[str]]] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        name = next((section for section in SECTIONS if line.strip().startswith(section)), None)
        if name:
            rows = sections.setdefault(name, [])
        elif line.startswith("****"):
            rows = None
        elif rows is not None and line.strip() and not set(line.strip()) <= {"-"}:
            rows.append((number, line.split()))
    for name in SECTIONS:
        if len(sections.get(name, ())) < 2:
            raise InputError(f"{path}: PSPLIB: expected rows under {name}, found none")
    return sections


def _numbers(row: tuple[int, list[str]], path: Path, least: int) -> list[int]:
    line, words = row
    if len(words) < least or not all(re.fullmatch(r"\d{1,9}", word, re.ASCII) for word in words):
        raise InputError(
            f"{path}:{line}: PSPLIB: expected at least {least} whole numbers, got {' '.join(words)[:60]!r}"
        )
    return [int(word) for word in words]


def _followers(rows: list[tuple[int, list[str]]], path: Path) -> dict[int, list[int]]:
    followers = {}
    for row in rows[1:]:
        activity, modes, count, *others = _numbers(row, path, 3)
        if modes != 1:
            raise InputError(f"{path}:{row[0]}: activity {activity} has {modes} modes: expected one (a `.sm` file)")
        if len(others) != count or activity in followers:
            raise InputError(f"{path}:{row[0]}: activity {activity}: expected {count} successors once, got {others}")
        followers[activity] = others
    return followers


def _requests(
    rows: list[tuple[int, list[str]]], path: Path
) -> tuple[list[str], dict[int, int], dict[int, dict[str, int]]]:
    header = " ".join(rows[0][1])
    names = [f"R{number}" for number in re.findall(r"R\s*(\d+)", header)]
    durations: dict[int, int] = {}
    needs: dict[int, dict[str, int]] = {}
    for row in rows[1:]:
        activity, mode, duration, *quantities = _numbers(row, path, 3 + len(names))
        if mode != 1 or len(quantities) != len(names) or activity in durations:
            raise InputError(
                f"{path}:{row[0]}: activity {activity}: expected mode 1, a duration and {len(names)} quantities, once"
            )
        durations[activity] = duration
        needs[activity] = {name: quantity for name, quantity in zip(names, quantities, strict=True) if quantity}
    return names, durations, needs


def _capacities(rows: list[tuple[int, list[str]]], names: list[str], path: Path) -> dict[str, int]:
    capacities = _numbers(rows[1], path, len(names))
    if len(capacities) != len(names):
        raise InputError(f"{path}:{rows[1][0]}: expected a capacity for each of {len(names)} resources")
    return dict(zip(names, capacities, strict=True))


def _behind(activity: int, before: Mapping[int, list[int]], durations: Mapping[int, int], path: Path) -> list[int]:
    """Activities with a duration that must have ended, through those without."""
    waiting, behind, entered = list(before[activity]), dict[int, None](), set[int]()
    while waiting:
        other = waiting.pop()
        if other in entered:
            continue
        entered.add(other)
        if durations[other]:
            behind[other] = None
        else:
            waiting += before[other]
    return sorted(behind)
