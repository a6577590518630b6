"""What machines can be doing: one colour and one meaning per state, the same in every figure.

Colours are those of `palette`, some lighter or darker, so that all pairs stay apart under the three
kinds of colour blindness (a test computes it); figures write the state's name beside its colour as well.
"""

from twinloop.palette import GREEN, GRID, INK, ORANGE, PAPER, RED, YELLOW

# In the order of legends: from working to standing still.
STATE_COLOURS = {
    "running": GREEN,
    "warning": ORANGE,
    "setup": "#B66DA0",
    "maintenance": "#0B3C6F",
    "down": RED,
    "blocked": YELLOW,
    "starved": "#8ECDF2",
    "idle": GRID,
}
STATE_MEANINGS = {
    "running": "works",
    "warning": "works, worn",
    "setup": "changes the variant",
    "maintenance": "is maintained",
    "down": "broken, or waits for the crew",
    "blocked": "waits for room behind it",
    "starved": "waits for parts or material",
    "idle": "nobody there, or nothing to do",
}


def text_colour(state: str) -> str:
    """The colour of text that can be read on the state's own."""
    return PAPER if state in ("maintenance",) else INK


def in_order(states: set[str]) -> list[str]:
    """States in the order of legends."""
    return [state for state in STATE_COLOURS if state in states]
