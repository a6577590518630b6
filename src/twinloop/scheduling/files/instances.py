"""Which text format a file of numbers is, by all that is in it; what fits two is refused, not guessed.

A flexible shop with an odd row must not pass for a plain one, nor machines counted from 1 for machines counted from 0:
every kind is tried with both, and only a single one that fits is taken. The user may say kind and first machine.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from twinloop.errors import InputError
from twinloop.scheduling.files import psplib, taillard, text
from twinloop.scheduling.files.numeric import Document, counts, document
from twinloop.scheduling.files.reading import How, Reading
from twinloop.scheduling.files.text import Routing
from twinloop.scheduling.problem import JobShop

JOB_SHOP, FLEXIBLE, TAILLARD = "job shop", "flexible job shop", "Taillard job shop"
FLOW_SHOP, UNRELATED = "flow shop", "unrelated machines"
KINDS = (JOB_SHOP, FLEXIBLE, TAILLARD, FLOW_SHOP, UNRELATED)
FLEXIBLE_ENDINGS = (".fjs", ".fjsp")
NOUNS = {
    JOB_SHOP: "a job shop",
    FLEXIBLE: "a flexible job shop",
    TAILLARD: "a job shop of Taillard's",
    FLOW_SHOP: "a flow shop",
    UNRELATED: "unrelated machines",
}
FORMS = {
    JOB_SHOP: "job shop (OR-Library)",
    FLEXIBLE: "flexible job shop (Brandimarte)",
    TAILLARD: "job shop (Taillard)",
    FLOW_SHOP: "flow shop",
    UNRELATED: "unrelated machines",
}


class Fit(NamedTuple):
    """One way to read a file; base: number of its first machine, None where the format knows only one."""

    kind: str
    base: int | None
    shop: Callable[[], JobShop]


def read_instance(content: str, path: Path, how: How) -> Reading:
    """The only shop that a text can be. Raises InputError with file:row, or naming what it may be."""
    if psplib.recognised(content):
        return psplib.read_psplib(content, path)
    doc = document(content, path)
    fits: list[Fit] = []
    reasons: dict[str, InputError] = {}
    for kind in _possible(doc, how.kind):
        try:
            fits += _fits(kind, doc, how.first_machine)
        except InputError as error:
            reasons[kind] = error
    if not fits:
        raise _likely(doc, reasons)
    _refuse_doubt(doc, fits, reasons, how)
    (fit,) = fits
    try:
        shop = fit.shop()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    notes = () if fit.base is None else (f"machines counted from {fit.base}",)
    return Reading(shop, FORMS[fit.kind], notes)


def _possible(doc: Document, kind: str | None) -> Sequence[str]:
    """Kinds that titles, the first line and the file's ending leave."""
    titles = taillard.titled(doc)
    if kind is not None:
        return (kind,)
    if taillard.TIMES in titles or taillard.MACHINES in titles:
        return (TAILLARD,)
    if taillard.PROCESSING in titles:
        return (FLOW_SHOP,)
    if titles:
        line = doc.rows[min(doc.titles[0][0], len(doc.rows) - 1)].line if doc.rows else doc.line
        raise InputError(f"{doc.at(line)}: expected whole numbers, got {doc.titles[0][1][:60]!r} before this line")
    if len(doc.sizes) == 3 or doc.path.suffix.lower() in FLEXIBLE_ENDINGS:
        return (FLEXIBLE,)
    if len(doc.sizes) != 2:
        shown = " ".join(doc.sizes)[:60]
        raise InputError(f"{doc.at(doc.line)}: expected two numbers ≥ 1, 'jobs machines', got {shown!r}")
    return KINDS


def _fits(kind: str, doc: Document, first: int | None) -> list[Fit]:
    """The ways in which a file is of this kind. Raises InputError where there is none."""
    if kind in (FLOW_SHOP, UNRELATED):
        times = taillard.times_by_job(doc)
        make = taillard.flow_shop if kind == FLOW_SHOP else taillard.unrelated_machines
        return [Fit(kind, None, lambda: make(times))]
    routings = _routings(kind, doc)
    bases = (0, 1) if first is None else (first,)
    misfits = {base: text.misfit(doc, routings, base) for base in bases}
    machines = counts(doc)[1]

    def fit(base: int) -> Fit:
        return Fit(kind, base, lambda: text.shop_of(routings, machines, base))

    if not all(misfits.values()):
        return [fit(base) for base, reason in misfits.items() if not reason]
    # A file that uses no machine 0 is counted from 1, as far as anybody can tell.
    lowest = min((m[0] for r in routings for modes in r.operations for m in modes if m), default=0)
    raise InputError(misfits[lowest if lowest in misfits else bases[0]])


def _routings(kind: str, doc: Document) -> list[Routing]:
    match kind:
        case "job shop":
            return text.pairs(doc)
        case "flexible job shop":
            return text.flexible(doc)
        case _:
            return taillard.two_matrices(doc)


def _likely(doc: Document, reasons: dict[str, InputError]) -> InputError:
    """The reason of the kind that the file comes nearest to."""
    if len(reasons) == 1:
        return next(iter(reasons.values()))
    size = counts(doc)[0] * counts(doc)[1]
    if FLEXIBLE in reasons and _like_flexible(doc):
        return reasons[FLEXIBLE]
    if doc.numbers == 2 * size and "two matrices" not in str(reasons[TAILLARD]) and len(doc.rows) != counts(doc)[0]:
        return reasons[TAILLARD]
    if doc.numbers == size and "expected a matrix" not in str(reasons[FLOW_SHOP]):
        return reasons[FLOW_SHOP]
    return reasons[JOB_SHOP]


def _like_flexible(doc: Document) -> bool:
    read = sum(text.reads_flexible(row) for row in doc.rows)
    return read > 0 and 2 * read >= len(doc.rows)


def _refuse_doubt(doc: Document, fits: Sequence[Fit], reasons: dict[str, InputError], how: How) -> None:
    kinds = list(dict.fromkeys(fit.kind for fit in fits))
    if len(kinds) > 1:
        choice = " or ".join(f"{kind!r}" for kind in kinds)
        raise InputError(
            f"{doc.path}: may be {' or '.join(NOUNS[kind] for kind in kinds)}: say which, as kind ({choice})"
        )
    if how.kind is None and kinds == [JOB_SHOP]:
        routings = text.pairs(doc)
        if FLEXIBLE in reasons and _fits_flexible_in_form(doc):
            raise InputError(f"{reasons[FLEXIBLE]} (or say that it is a {JOB_SHOP!r}, as kind)")
        if row := text.unlike_plain(doc, routings):
            raise InputError(
                f"{doc.at(row.line)}: this row is no job of a flexible shop, others are; correct it, or say that the "
                f"file is a {JOB_SHOP!r}, as kind"
            )
    if len(fits) > 1:
        machines = counts(doc)[1]
        raise InputError(
            f"{doc.path}: are machines counted from 0 or from 1? neither 0 nor {machines} is used: say it as "
            "first_machine (0 or 1)"
        )


def _fits_flexible_in_form(doc: Document) -> bool:
    try:
        text.flexible(doc)
    except InputError:
        return False
    return True
