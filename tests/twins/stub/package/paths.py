"""Where the stub's stages put what the next one reads."""

from pathlib import Path

TOSSES = Path("data/stub/tosses.csv")
NOTEBOOKS = Path("notebooks/stub")
