"""How a workshop's book looks in a notebook and on a page: plain HTML without scripts, every text escaped.

The calendar shows who comes on which day, and how full each skill is. The slots of one asset can be selected: a choice
shows what it costs and who else moves; it changes nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from html import escape

import polars as pl

from twinloop.numbers import fixed, percent
from twinloop.palette import BLUE, CLOSED, INK, LINE, PAPER

AGREED_MARK, PROPOSED_MARK = "✓", "?"
# So many visits of a day are seen at once; the others unfold.
SHOWN = 8
# From this share of a skill's minutes on, white text is easier to read on the cell.
DARK = 0.55


def calendar_face(calendar: pl.DataFrame, load: pl.DataFrame, waiting: pl.DataFrame, *, days: Sequence[str]) -> str:
    """Days as columns: the visits (✓ agreed, ? proposed), minutes booked by skill, and the waiting list below.

    calendar, load, waiting: frames of `Bookings`. days: the heading of each day.
    """
    head = "".join(f"<th>{escape(day)}</th>" for day in ("", *days))
    visits = "".join(
        f'<td style="vertical-align:top;text-align:left">{_visits(calendar.filter(pl.col("day") == day))}</td>'
        for day in range(len(days))
    )
    rows = "".join(
        f"<tr><th>{escape(skill)}</th>{''.join(_share(*cell) for cell in cells)}</tr>"
        for skill, cells in _by_skill(load)
    )
    body = f"<tr><th>visits</th>{visits}</tr>{rows}"
    caption = f"{len(calendar)} visits, ✓ agreed, ? proposed; below: minutes booked of bookable"
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return table + _waiting(waiting)


def slots_face(asset: str, slots: Iterable[tuple[str, float, Sequence[str]]]) -> str:
    """Slots of one asset to choose from: (heading, euro more than now, a line for each other asset that moves)."""
    mark = "slots-" + hashlib.sha256(asset.encode()).hexdigest()[:8]
    inputs, labels, panels, rules = "", "", "", ""
    for number, (heading, cost, moves) in enumerate(slots):
        name = f"{mark}-{number}"
        checked = " checked" if number == 0 else ""
        inputs += f'<input type="radio" name="{mark}" id="{name}"{checked} style="position:absolute;opacity:0">'
        labels += f'<label for="{name}" class="{name}">{escape(heading)}<br>{_signed(cost)} €</label>'
        others = "".join(f"<li>{escape(line)}</li>" for line in moves) or "<li>nobody else moves</li>"
        panels += f'<div class="{name}-panel"><b>{escape(heading)}</b>: {_signed(cost)} €<ul>{others}</ul></div>'
        rules += (
            f"#{name}:checked~.{mark}-panels .{name}-panel{{display:block}}"
            f"#{name}:checked~.{mark}-labels .{name}{{background:{BLUE};color:{PAPER}}}"
            f"#{name}:focus~.{mark}-labels .{name}{{outline:2px solid {INK}}}"
        )
    style = (
        f".{mark}-labels label{{display:inline-block;padding:4px 8px;margin:2px;border:1px solid {LINE}}}"
        f".{mark}-panels>div{{display:none;margin-top:6px}}{rules}"
    )
    return (
        f'<div style="position:relative"><style>{style}</style><div>{escape(asset)}</div>{inputs}'
        f'<div class="{mark}-labels">{labels}</div><div class="{mark}-panels">{panels}</div></div>'
    )


def _visits(day: pl.DataFrame) -> str:
    lines = []
    for row in day.iter_rows(named=True):
        mark = AGREED_MARK if row["status"] == "agreed" else PROPOSED_MARK
        lines.append(f"{mark} {row['asset']}: {', '.join(row['components'])} ({row['minutes']} min)")
    shown, folded = ("<br>".join(escape(line) for line in part) for part in (lines[:SHOWN], lines[SHOWN:]))
    return shown + (f"<details><summary>{len(lines) - SHOWN} more</summary>{folded}</details>" if folded else "")


def _by_skill(load: pl.DataFrame) -> list[tuple[str, list[tuple[int, int]]]]:
    rows: dict[str, list[tuple[int, int]]] = {}
    for row in load.sort("skill", "day").iter_rows(named=True):
        rows.setdefault(row["skill"], []).append((row["booked"], row["bookable"]))
    return list(rows.items())


def _share(booked: int, bookable: int) -> str:
    if not bookable and not booked:
        return f'<td style="background:{CLOSED};text-align:center">closed</td>'
    share = booked / bookable if bookable else 1.0
    colour = PAPER if share > DARK else INK
    shade = f"color-mix(in srgb, {BLUE} {100 * min(share, 1.0):.0f}%, {PAPER})"
    style = f"background:{shade};color:{colour};text-align:right"
    return f'<td style="{style}" title="{percent(share)}">{booked} / {bookable}</td>'


def _waiting(waiting: pl.DataFrame) -> str:
    if waiting.is_empty():
        return "<p>Nobody waits.</p>"
    lines = [f"{row['asset']}: {row['reason']} ({fixed(row['saving'], 0)} €)" for row in waiting.iter_rows(named=True)]
    return f"<p>Waiting:</p><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _signed(cost: float) -> str:
    return f"{'+' if cost >= 0 else '−'}{fixed(abs(cost), 0)}"
