"""Whatever is in a file or an override is read or refused in one line: 500 of each kind, the same ones every time."""

import pytest

from tests.fuzz.count import count
from tests.fuzz.kinds import KINDS

NUMBER = 500


@pytest.mark.parametrize("kind", KINDS)
def test_spoilt_input_is_read_or_refused_in_one_line(kind: str) -> None:
    counts = count(kind, range(NUMBER))
    assert counts.faults == {}
    assert counts.read + counts.refused == NUMBER
    assert counts.refused > NUMBER / 5
