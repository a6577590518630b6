"""Set-up times in a row: what its machine is set up for at a place, and whether all behind it still fit."""

import numpy as np

from twinloop.scheduling.solvers.jit import machine_code
from twinloop.scheduling.solvers.rich.availability import in_open_time
from twinloop.scheduling.solvers.rich.layout import (
    END_SHUT,
    FAMILIES,
    FAMILY,
    FIRST_ROW,
    FIRST_SETUP,
    FIRST_SHUT,
    INITIAL,
    MACHINE,
)


@machine_code
def set_up(layout, family, mode):  # type: ignore[no-untyped-def]
    """Set-up time for a mode on its machine while that is set up for a family (-1: for none)."""
    behind = layout.modes[mode, FAMILY]
    if family < 0 or behind < 0:
        return np.int64(0)
    m = layout.modes[mode, MACHINE]
    return layout.setups[layout.machines[m, FIRST_SETUP] + layout.machines[m, FAMILIES] * family + behind]


@machine_code
def family_at(layout, state, m, place):  # type: ignore[no-untyped-def]
    """The family that a machine is set up for behind the first `place` operations of its row."""
    if layout.machines[m, FAMILIES] == 0:
        return np.int64(-1)
    first = layout.machines[m, FIRST_ROW]
    for k in range(first + place - 1, first - 1, -1):
        family = layout.modes[state.mode[state.row[k]], FAMILY]
        if family >= 0:
            return family
    return layout.machines[m, INITIAL]


@machine_code
def prepared_from(layout, m, time, needed):  # type: ignore[no-untyped-def]
    """When a machine that is free from `time` on can have been set up, as far as open time is concerned."""
    if needed == 0:
        return time
    _, done = in_open_time(
        layout.windows, layout.machines[m, FIRST_SHUT], layout.machines[m, END_SHUT], time, needed, needed
    )
    return done


@machine_code
def leaves_room(layout, state, mode, place, end):  # type: ignore[no-untyped-def]
    """Whether all behind `place` can still be set up in time when `mode` is put there and ends at `end`."""
    m = layout.modes[mode, MACHINE]
    if layout.machines[m, FAMILIES] == 0:
        return True
    first, own = layout.machines[m, FIRST_ROW], layout.modes[mode, FAMILY]
    family = own if own >= 0 else family_at(layout, state, m, place)
    ready = end
    for k in range(first + place, first + state.row_count[m]):
        v = state.row[k]
        needed = set_up(layout, family, state.mode[v])
        if needed > 0 and prepared_from(layout, m, ready, needed) > state.start[v]:
            return False
        if own < 0 or layout.modes[state.mode[v], FAMILY] >= 0:
            return True
        ready = state.end[v]
    return True
