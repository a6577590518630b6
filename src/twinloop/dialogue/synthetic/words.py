"""Names and places of nobody and nowhere, and random streams to draw them: one per person and purpose."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from numpy.random import Generator, SeedSequence, default_rng

T = TypeVar("T")

IDENTITY, DOCUMENTS, QUESTIONS, MESSAGES, CALENDAR, MEETINGS, SPEAKING = range(7)

FIRST_NAMES = (
    "Mara", "Ines", "Tomas", "Leila", "Oskar", "Priya", "Henrik", "Noor", "Silvia", "Kofi", "Anneke", "Rafael",
    "Yuki", "Greta", "Dario", "Amina", "Jonas", "Freya", "Mateo", "Zofia", "Emil", "Carmen", "Björn", "Hana",
)  # fmt: skip
SURNAMES = (
    "Lindqvist", "Okafor", "Marten", "Haddad", "Brandt", "Raman", "Solberg", "Castell", "Nakata", "Weiss", "Duarte",
    "Kowal", "Mensah", "Ferrand", "Jansen", "Petrov", "Quist", "Abel", "Thorne", "Vidal", "Rössler", "Eklund",
)  # fmt: skip
TOWNS = (
    "Tarnby", "Aldermoor", "Kessel", "Vintra", "Ostmark", "Lowick", "Brenna", "Santarim", "Hallen", "Corvey", "Dunmere",
    "Fjelby", "Maresol", "Pinehurst", "Quarton", "Rosvik",
)  # fmt: skip
COMPANIES = (
    "Nordwall", "Heliant", "Brightfield", "Casterline", "Ostra", "Fennimore", "Kvant", "Lumena", "Perrin and Sons",
    "Tallis", "Verdane", "Wexley", "Arbor House", "Quillon", "Stenmark", "Maple Row",
)  # fmt: skip
JOBS = ("bridge engineer", "pharmacist", "teacher", "baker", "architect", "nurse", "surveyor", "librarian")
ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "Europe/Helsinki", "America/Denver", "Australia/Sydney")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def stream(seed: int, *key: int) -> Generator:
    """The random stream of one purpose (`IDENTITY` …) and person."""
    return default_rng(SeedSequence(seed, spawn_key=key))


def pick(rng: Generator, options: Sequence[T]) -> T:
    """One of them, each as likely."""
    return options[int(rng.integers(len(options)))]


def some(rng: Generator, options: Sequence[T], count: int) -> list[T]:
    """That many different ones, in random order."""
    return [options[int(place)] for place in rng.permutation(len(options))[:count]]


def full_names(rng: Generator, count: int) -> list[str]:
    """Names that share neither first name nor surname; at most 22."""
    first, last = some(rng, FIRST_NAMES, count), some(rng, SURNAMES, count)
    return [f"{one} {other}" for one, other in zip(first, last, strict=True)]


def day_in(rng: Generator, year: int) -> date:
    """A day of that year."""
    return date(year, 1, 1) + timedelta(days=int(rng.integers(365)))


def written(day: date) -> str:
    """A day as letters have it.

    >>> written(date(2026, 5, 4))
    '4 May 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
