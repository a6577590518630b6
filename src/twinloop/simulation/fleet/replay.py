"""A fleet's days again: a moving picture of who drives, stands failed or is in the workshop, with the risk as shade.

One SVG that needs no script and asks nobody. A lane per vehicle: what it does, its risk at that moment, and behind the
moving edge what has been. Everything in it is taken from tables: it replays a simulated fleet and a real one alike.
"""

import math
from collections.abc import Iterator, Mapping
from html import escape

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.numbers import counted, percent
from twinloop.palette import GREEN, GRID, INK, LINE, ORANGE, PANEL, PAPER, RED, SOFT, YELLOW
from twinloop.simulation.figures.flow import shortened
from twinloop.simulation.figures.moving import Clock, Steps, jumping, word
from twinloop.simulation.figures.view import MovingView
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY
from twinloop.simulation.fleet.gantt import COLOURS as STAY_COLOURS
from twinloop.simulation.fleet.gantt import SERVED

IN_SERVICE, FAILED, WAITS, WORKSHOP = "in service", "failed", "waits", "workshop"
# State → colour, sign, colour of the text on it.
STATES = {
    IN_SERVICE: (GREEN, "●", INK),
    FAILED: (RED, "✖", INK),
    WAITS: (YELLOW, "…", INK),
    WORKSHOP: (STAY_COLOURS[SERVED], "⚒", PAPER),
}
STAYS = {"asset": pl.String, "begin_min": pl.Float64, "end_min": pl.Float64, "state": pl.String}
RISKS = {"asset": pl.String, "time_min": pl.Float64, "probability": pl.Float64}
FONT = 'font-family="system-ui, DejaVu Sans, sans-serif"'
SHADES = 6  # steps of the shade: equal ones in a row are one piece
MOST_VEHICLES, SECONDS_PER_DAY = 25, 0.25
WIDTH, NAME, STATE, RISK, LANE, TOP, FOOT, MARGIN = 780, 86, 96, 52, 26, 34, 62, 10
LEFT = MARGIN + NAME + STATE + RISK + 8


def fleet_replay(risks: pl.DataFrame, stays: pl.DataFrame, *, days: float, title: str) -> MovingView:
    """The first `days` days, a day in a quarter of a second; its still shows all of them.

    risks: `RISKS`, a row per asset and time from which it holds. stays: `STAYS`, when an asset was not in service, and
    why (failed, waits, workshop). Assets are those of `risks`; beyond 25 the rest is counted. Raises InputError for no
    asset, an unknown state, and days that are no positive number.
    """
    if not (math.isfinite(days) and days > 0):
        raise InputError(f"replay: days = {days}: expected a number above 0")
    unknown = sorted(set(stays["state"]) - {FAILED, WAITS, WORKSHOP})
    if unknown:
        raise InputError(f"replay: unknown state {unknown[0]!r}; known: {FAILED}, {WAITS}, {WORKSHOP}")
    assets = sorted(set(risks["asset"]))
    if not assets:
        raise InputError("replay: expected the risks of at least one asset, got none")
    painter = _Painter(assets[:MOST_VEHICLES], len(assets), risks, stays, days, title)
    return MovingView(
        painter.svg(None), painter.svg(days), painter.spoken, WIDTH, pace=f"a day takes {SECONDS_PER_DAY:g} seconds"
    )


class _Painter:
    """Draws all lanes, moving or at the end of a day."""

    def __init__(
        self, assets: list[str], all_: int, risks: pl.DataFrame, stays: pl.DataFrame, days: float, title: str
    ) -> None:
        self._assets, self._left, self._days, self._title = assets, all_ - len(assets), days, title
        day = (pl.col("time_min") / MINUTES_PER_DAY).alias("day")
        known = risks.filter(pl.col("probability").is_finite()).with_columns(day).sort("asset", "day")
        self._risks = _by_asset(known.filter(pl.col("day") < days))
        spans = stays.with_columns(
            begin=(pl.col("begin_min") / MINUTES_PER_DAY).clip(0.0, days),
            end=(pl.col("end_min").fill_null(days * MINUTES_PER_DAY) / MINUTES_PER_DAY).clip(0.0, days),
        )
        self._stays = _by_asset(spans.filter(pl.col("end") > pl.col("begin")).sort("asset", "begin"))
        self._scale = (WIDTH - MARGIN - LEFT) / days

    @property
    def spoken(self) -> str:
        failures = sum(len(part.filter(pl.col("state") == FAILED)) for part in self._stays.values())
        highest, asset = max(
            ((part["probability"].to_numpy().max(), asset) for asset, part in self._risks.items()),
            default=(0.0, "none"),
        )
        return (
            f"{self._title}: {counted(len(self._assets), 'vehicle')} over {counted(round(self._days), 'day')}, "
            f"{counted(failures, 'time')} failed; the highest risk is {percent(float(highest), digits=0)} of "
            f"{asset}"
        )

    def svg(self, at: float | None) -> str:
        clock = Clock(0.0, self._days, self._days * SECONDS_PER_DAY, at)
        height = TOP + LANE * len(self._assets) + FOOT
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT} font-size="12.5" '
            f'fill="{INK}"><rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>'
            f'<text x="{MARGIN}" y="20" font-size="14" font-weight="600">{escape(shortened(self._title, 60))}</text>'
        ]
        texts = Steps("day 0", [(float(day), f"day {day}") for day in range(1, math.ceil(self._days))])
        parts.append(word(clock, texts, x=WIDTH - 60, y=15, width=100, size=13, style=f'{FONT} font-weight="600"'))
        for lane, asset in enumerate(self._assets):
            parts.append(self._lane(clock, asset, TOP + LANE * lane))
        parts += [self._edge(clock), *self._foot(TOP + LANE * len(self._assets))]
        return "".join(parts) + "</svg>"

    def _lane(self, clock: Clock, asset: str, y: float) -> str:
        states, risk = self._states(asset), self._risk(asset)
        box = {state: colour for state, (colour, _, _) in STATES.items()}
        fill, changes = jumping(clock, "fill", states.mapped(box))
        x, middle = MARGIN + NAME, y + LANE / 2 - 1
        named = {
            state: f'<tspan fill="{text}">{sign} {state}</tspan>' if text != INK else f"{sign} {state}"
            for state, (_, sign, text) in STATES.items()
        }
        strip = f'<rect x="{LEFT}" y="{y}" width="{self._x(self._days) - LEFT:g}" height="{LANE - 4}" fill="{PANEL}"/>'
        return (
            f'<text x="{MARGIN}" y="{middle + 4.5:g}">{escape(shortened(asset, 12))}</text>'
            f'<rect x="{x}" y="{y}" width="{STATE}" height="{LANE - 4}" rx="3" fill="{fill}">{changes}</rect>'
            + word(clock, states.mapped(named), x=x + STATE / 2, y=middle, width=STATE, size=12, style=FONT)
            + word(clock, risk, x=x + STATE + RISK / 2 + 4, y=middle, width=RISK, size=12, style=FONT)
            + strip
            + "".join(self._shades(asset, y))
            + "".join(self._spans(asset, y))
        )

    def _x(self, day: float) -> float:
        return LEFT + self._scale * day

    def _states(self, asset: str) -> Steps[str]:
        changes: list[tuple[float, str]] = []
        for begin, end, state in self._stays.get(asset, _NONE).select("begin", "end", "state").iter_rows():
            # What lasts until the end is still so there.
            changes += [(begin, state), *([(end, IN_SERVICE)] if end < self._days else [])]
        return Steps(IN_SERVICE, changes)

    def _risk(self, asset: str) -> Steps[str]:
        rows = self._risks[asset].select("day", "probability").iter_rows() if asset in self._risks else ()
        return Steps("–", [(day, percent(round(20 * p) / 20, digits=0)) for day, p in rows])

    def _shades(self, asset: str, y: float) -> Iterator[str]:
        """Pieces of equal shade, each until the next; the probability is read from the shade in steps."""
        own = self._risks.get(asset)
        if own is None:
            return
        level = np.ceil(SHADES * own["probability"].to_numpy()).astype(int)
        day = np.append(own["day"].to_numpy(), self._days)
        starts = [k for k in range(len(level)) if k == 0 or level[k] != level[k - 1]]
        for first, after in zip(starts, [*starts[1:], len(level)], strict=True):
            if level[first]:
                x, width = self._x(day[first]), self._scale * (day[after] - day[first])
                yield (
                    f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LANE - 4}" fill="{ORANGE}" '
                    f'fill-opacity="{level[first] / SHADES:.2f}"/>'
                )

    def _spans(self, asset: str, y: float) -> Iterator[str]:
        for begin, end, state in self._stays.get(asset, _NONE).select("begin", "end", "state").iter_rows():
            x, width = self._x(begin), max(self._scale * (end - begin), 2.0)
            yield f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{LANE - 4}" fill="{STATES[state][0]}"/>'
            if state == FAILED:
                yield f'<text x="{x - 1:.1f}" y="{y + 15:g}" text-anchor="end" font-size="12" fill="{RED}">✖</text>'

    def _edge(self, clock: Clock) -> str:
        """What has not come yet is covered; the cover's edge is now."""
        if clock.at is not None:
            return ""
        width, height = self._x(self._days) - LEFT, LANE * len(self._assets)
        grow = f'dur="{clock.seconds:g}s" repeatCount="indefinite"'
        return (
            f'<rect x="{LEFT}" y="{TOP - 2}" width="{width:g}" height="{height}" fill="{PAPER}">'
            f'<animate attributeName="x" from="{LEFT}" to="{LEFT + width:g}" {grow}/>'
            f'<animate attributeName="width" from="{width:g}" to="0" {grow}/></rect>'
            f'<rect x="{LEFT}" y="{TOP - 2}" width="1.6" height="{height}" fill="{SOFT}">'
            f'<animate attributeName="x" from="{LEFT}" to="{LEFT + width:g}" {grow}/></rect>'
        )

    def _foot(self, y: float) -> Iterator[str]:
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if self._days <= 10 * s)
        for day in range(0, int(self._days) + 1, step):
            at, anchor = self._x(day), "middle" if day < self._days else "end"
            yield f'<path d="M{at:.1f} {TOP}V{y}" stroke="{GRID}" stroke-width="0.8"/>'
            yield f'<text x="{at:.1f}" y="{y + 13}" text-anchor="{anchor}" font-size="12" fill="{SOFT}">{day}</text>'
        yield f'<text x="{MARGIN}" y="{y + 13}" font-size="12" fill="{SOFT}">state, risk (within 14 days); day</text>'
        x, y = float(MARGIN), y + 28
        for state, (colour, sign, _) in STATES.items():
            yield f'<rect x="{x:g}" y="{y}" width="14" height="14" rx="3" fill="{colour}"/>'
            yield f'<text x="{x + 19:g}" y="{y + 12}">{sign} {state}</text>'
            x += 38 + 7.4 * len(state)
        x += 12
        for level in range(1, SHADES + 1):
            shade = f'fill="{ORANGE}" fill-opacity="{level / SHADES:.2f}" stroke="{LINE}" stroke-width="0.5"'
            yield f'<rect x="{x:g}" y="{y}" width="18" height="14" {shade}/>'
            x += 18
        more = f"; {self._left} more vehicles" if self._left else ""
        yield f'<text x="{x + 6:g}" y="{y + 12}">risk from 0 to 100 %{more}</text>'


_NONE = pl.DataFrame(schema={"begin": pl.Float64, "end": pl.Float64, "state": pl.String})


def _by_asset(frame: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    return {str(asset): part for (asset,), part in frame.group_by("asset", maintain_order=True)}
