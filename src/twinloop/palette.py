"""One set of colours for every figure: those of Okabe and Ito (2008), which the colour-blind can tell apart, and greys.

Red means late, broken or bad and nothing else; `GROUPS` leaves it out, for things that merely differ.
"""

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW = "#56B4E9", "#CC79A7", "#F0E442"
GROUPS = (BLUE, YELLOW, GREEN, PURPLE, SKY, ORANGE)

# From dark to light: text, lesser text, what is left over, lines, closed times, grids, panels, paper.
INK, SOFT, GREY, LINE = "#1F2933", "#52606D", "#6B7280", "#9AA5B1"
CLOSED, GRID, PANEL, PAPER = "#CBD2D9", "#E4E7EB", "#F5F7FA", "#FFFFFF"
