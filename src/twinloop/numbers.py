"""Numbers as people read them: sensible rounding, thin-space thousands, units, intervals.

Rounding follows the number's size: three significant figures are enough to act on.
"""

import math
from dataclasses import dataclass

# Narrow and, unlike U+2009, never broken at the end of a line.
THIN = "\u202f"
MINUS = "\u2212"
MISSING = "–"
MINUTES_PER_HOUR = 60


@dataclass(frozen=True)
class Interval:
    """A mean, or another estimate, with its two-sided confidence limits; equal limits mean that none are known."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def relative_half_width(self) -> float:
        """Half-width as a share of the mean; infinite around a mean of zero, 0 where nothing varies."""
        if self.half_width == 0:
            return 0.0
        return self.half_width / abs(self.mean) if self.mean else float("inf")

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign of the mean is sure at the interval's confidence."""
        return self.low > 0 or self.high < 0

    def within(self, least: float, most: float = math.inf) -> "Interval":
        """The part of it that can be: a count is never below 0, a share never outside 0 and 1."""
        return Interval(*(min(max(end, least), most) for end in (self.mean, self.low, self.high)))

    @property
    def known(self) -> bool:
        """Whether the interval is finite and not a point."""
        return math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high

    @property
    def settled(self) -> bool:
        """Whether the interval is known and lies on one side of zero."""
        return self.known and self.excludes_zero


def coarse(value: float, *, digits: int = 4) -> float:
    """`value` to so few significant digits that the last bits of floating point do not matter: choices use it.

    Another processor adds up in another order; what is chosen must not follow. NaN and infinity stay.

    >>> coarse(0.94999999999), coarse(0.95000000001), coarse(-12345.6)
    (0.95, 0.95, -12350.0)
    """
    return float(f"{value:.{digits}g}")


def number(value: float | None, *, digits: int = 3, sign: bool = False) -> str:
    """Round to `digits` significant figures, never losing digits before the point.

    >>> number(12345.6), number(0.01234), number(None), number(-2.5, sign=True)
    ('12\u202f346', '0.0123', '–', '−2.50')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0) if value else 0
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{decimals}f}".replace(",", THIN)
    if rounded < 0:
        return MINUS + text
    return ("+" + text) if sign and rounded > 0 else text


def count(value: float) -> str:
    """A whole number with thin-space thousands.

    >>> count(1600)
    '1\u202f600'
    """
    return f"{value:,.0f}".replace(",", THIN)


def counted(number: int, noun: str) -> str:
    """A number of things, one or more.

    >>> counted(1, "job"), counted(1600, "job")
    ('1 job', '1\u202f600 jobs')
    """
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def percent(share: float | None, *, digits: int = 1, sign: bool = False) -> str:
    """A share in [0, 1] as a percentage.

    >>> percent(0.9345), percent(0.041, sign=True)
    ('93.5\u202f%', '+4.1\u202f%')
    """
    if share is None or not math.isfinite(share):
        return MISSING
    rounded = round(100 * share, digits)
    prefix = MINUS if rounded < 0 else "+" if sign and rounded > 0 else ""
    return f"{prefix}{abs(rounded):.{digits}f}{THIN}%"


def probability(value: float) -> str:
    """A threshold as people quote it: two decimals where they tell something, else two digits.

    >>> probability(0.5), probability(0.0213), probability(0.996)
    ('0.50', '0.021', '0.996')
    """
    if 0.1 <= value <= 0.99:
        return f"{value:.2f}"
    return f"{value:.2g}" if value < 0.5 else f"{value:.3g}"


def quantity(value: float | None, unit: str, *, digits: int = 3, sign: bool = False) -> str:
    """A number with its unit.

    >>> quantity(9412.3, "€/day")
    '9\u202f412\u202f€/day'
    """
    text = number(value, digits=digits, sign=sign)
    return text if text == MISSING or not unit else f"{text}{THIN}{unit}"


def interval(low: float | None, high: float | None, unit: str = "", *, digits: int = 3, sign: bool = False) -> str:
    """Two ends of an interval with one unit, rounded to the same place; once where they are shown alike.

    >>> interval(2.81, 5.3, "%")
    '2.81 … 5.30\u202f%'
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    largest = max(abs(low), abs(high))
    decimals = max(digits - 1 - math.floor(math.log10(largest)), 0) if largest else 0
    ends = dict.fromkeys((fixed(low, decimals, sign=sign), fixed(high, decimals, sign=sign)))
    return " … ".join(ends) + (f"{THIN}{unit}" if unit else "")


def fixed(value: float, decimals: int, *, sign: bool = False) -> str:
    """A number with a given count of decimals, a true minus and thin-space thousands; zero has no sign.

    >>> fixed(-1234.56, 1), fixed(-0.01, 1)
    ('−1\u202f234.6', '0.0')
    """
    rounded = round(value, decimals)
    prefix = MINUS if rounded < 0 else "+" if sign and rounded > 0 else ""
    return prefix + f"{abs(rounded):,.{decimals}f}".replace(",", THIN)
