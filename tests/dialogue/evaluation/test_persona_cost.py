"""What a persona costs is measured question by question: nothing where quotations stay, all of what it drops."""

import itertools

import pytest

from twinloop.dialogue.evaluation.persona_cost import persona_hit_loss
from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.dialogue.persona.wording import worded
from twinloop.errors import InputError

GRID = [dict(zip(SLIDERS, values, strict=True)) for values in itertools.product((0.0, 1.0), repeat=4)]
COLOURS = ["red", "blue", "green", "grey"] * 25
GROUPS = [str(number // 4) for number in range(100)]


@pytest.mark.parametrize("sliders", GRID)
def test_persona_costs_no_answer_that_is_quoted(sliders: dict[str, float]) -> None:
    plain = [f"The door of number {number} is {colour}." for number, colour in enumerate(COLOURS)]
    extracts = [Extract(f"Which colour has {number}?", (Quote(text, "a"),)) for number, text in enumerate(plain)]
    texts = [worded(extract, PersonaSettings(**sliders)).text for extract in extracts]
    loss = persona_hit_loss(plain, texts, COLOURS, GROUPS, seed=1)
    assert loss.plain.mean == 1.0
    assert (loss.loss.low, loss.loss.mean, loss.loss.high) == (0.0, 0.0, 0.0)


def test_a_persona_that_drops_answers_is_measured_paired() -> None:
    plain = [f"It is {answer}." for answer in COLOURS]
    worse = [text if number % 4 else "I would rather not say." for number, text in enumerate(plain)]
    loss = persona_hit_loss(plain, worse, COLOURS, GROUPS, seed=1)
    assert loss.loss.mean == pytest.approx(0.25)
    assert loss.loss.low == pytest.approx(0.25), "each group loses the same: paired, nothing varies"
    with pytest.raises(InputError, match="as many plain answers"):
        persona_hit_loss(plain, worse[1:], COLOURS, GROUPS, seed=1)
