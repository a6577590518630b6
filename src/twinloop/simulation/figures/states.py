"""What machines can be doing: one colour and one meaning per state, the same in every figure.

Colours are Okabe and Ito's (2008), some lighter or darker, so that all pairs stay apart under the three
kinds of colour blindness (a test computes it); figures write the state's name beside its colour as well.
"""

# In the order of legends: from working to standing still.
STATE_COLOURS = {
    "running": "#009E73",
    "warning": "#E69F00",
    "setup": "#B66DA0",
    "maintenance": "#0B3C6F",
    "down": "#D55E00",
    "blocked": "#F0E442",
    "starved": "#8ECDF2",
    "idle": "#E4E7EB",
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
INK, LIGHT_INK = "#1F2933", "#FFFFFF"


def text_colour(state: str) -> str:
    """The colour of text that can be read on the state's own."""
    return LIGHT_INK if state in ("maintenance",) else INK


def in_order(states: set[str]) -> list[str]:
    """States in the order of legends."""
    return [state for state in STATE_COLOURS if state in states]
