"""Columns that give the label away: known only once the failure is, or counted backwards from it."""

import re
from collections.abc import Iterable

# AI4I's failure modes and their like; remaining life and time to failure under their usual names.
LEAKS = re.compile(
    r"(twf|hdf|pwf|osf|rnf|machine[ _]?failure|failure([ _]?(mode|type|within|cause|label))?|failed"
    r"|fault([ _]?(type|code|label))?"
    r"|broken|target|label|class|rul|ttf|time[ _]?to[ _]?failure|cycles[ _]?to[ _]?failure"
    r"|remaining([ _]?useful)?[ _]?(life|cycles|hours)|days[ _]?to[ _]?failure|anomaly|is[ _]?anomaly)",
    re.IGNORECASE,
)


def leaking(names: Iterable[str]) -> tuple[str, ...]:
    """Of the columns' names, those that give the label away, in their order.

    >>> leaking(["torque", "TWF", "RUL", "failure_mode"])
    ('TWF', 'RUL', 'failure_mode')
    """
    return tuple(name for name in names if LEAKS.fullmatch(re.sub(r"[\[(].*", "", name).strip()))
