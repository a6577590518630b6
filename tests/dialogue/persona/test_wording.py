"""Wording: quotations stay verbatim whatever the persona, and each slider shows in the text."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.config.schema import Unfit
from twinloop.dialogue.evaluation.answers import hit
from twinloop.dialogue.persona.adherence import persona_rank, spearman
from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.dialogue.persona.instructions import FACTS, STEPS, instructions
from twinloop.dialogue.persona.proxies import enthusiasm, formality, humour, proxies, verbosity
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.dialogue.persona.style import style_of
from twinloop.dialogue.persona.wording import worded
from twinloop.dialogue.synthetic.person import Person
from twinloop.errors import InputError

Answered = list[tuple[Extract, str, str]]
GRID = [dict(zip(SLIDERS, values, strict=True)) for values in itertools.product((0.0, 0.5, 1.0), repeat=4)]


def test_quoted_sentences_stay_verbatim_and_are_where_they_are_said_to_be(answered: Answered, someone: Person) -> None:
    own = [message.text for message in someone.messages if message.sender == someone.profile.name]
    style = style_of(own)
    for sliders in GRID:
        extract = answered[len(sliders)][0]
        styled = worded(extract, PersonaSettings(**sliders), style)
        quoted = [styled.text[one.start : one.end] for one in styled.cited]
        assert quoted[: len(extract.answer)] == [quote.text for quote in extract.answer]
        assert set(quoted) <= {quote.text for quote in (*extract.answer, *extract.more)}
        assert all(one.citation == extract.answer[0].citation for one in styled.cited)


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=3),
    st.lists(st.text(min_size=1), max_size=3),
    st.fixed_dictionaries({slider: st.floats(0, 1) for slider in SLIDERS}),
)
def test_any_text_is_quoted_as_it_is(said: list[str], more: list[str], sliders: dict[str, float]) -> None:
    extract = Extract("Who?", tuple(Quote(text, "a") for text in said), tuple(Quote(text, "b") for text in more))
    styled = worded(extract, PersonaSettings(**sliders))
    quoted = [styled.text[one.start : one.end] for one in styled.cited]
    assert quoted == [*said, *more][: len(quoted)]
    assert len(quoted) >= len(said)


def test_own_words_hold_no_fact(answered: Answered) -> None:
    for extract, answer, document in answered[:20]:
        for sliders in GRID[::5]:
            styled = worded(extract, PersonaSettings(**sliders))
            own = styled.text
            for one in reversed(styled.cited):
                own = own[: one.start] + own[one.end :]
            assert not hit(own.replace(document, ""), answer)


def test_verbosity_decides_how_much_is_said_and_never_drops_the_answer(answered: Answered) -> None:
    extract = next(one for one, _, _ in answered if len(one.more) == 4)
    counts = [len(worded(extract, PersonaSettings(verbosity=value)).cited) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert counts == [1, 2, 3, 4, 5]


def test_the_same_question_gets_the_same_words_and_questions_differ(answered: Answered) -> None:
    persona = PersonaSettings()
    texts = [worded(extract, persona).text for extract, _, _ in answered[:20]]
    assert texts == [worded(extract, persona).text for extract, _, _ in answered[:20]]
    assert len({text.partition("“")[0].replace(one[2], "") for text, one in zip(texts, answered, strict=False)}) > 1


def test_nothing_to_quote_is_said_in_the_same_manner() -> None:
    texts = [worded(Extract("Who?", ()), PersonaSettings(formality=value)) for value in (0.0, 1.0)]
    assert formality(texts[0].text) < formality(texts[1].text)
    assert not texts[0].cited


def test_each_slider_shows_in_its_proxy_whatever_the_others_are(answered: Answered) -> None:
    ranks = persona_rank([one for one, _, _ in answered[:60]], lambda one, persona: worded(one, persona).text, seed=4)
    assert {name: round(getattr(ranks, name).mean, 2) for name in SLIDERS if getattr(ranks, name).mean < 0.8} == {}
    assert ranks.least.mean == min(interval.mean for interval in ranks)
    assert all(interval.low <= interval.mean <= interval.high for interval in ranks)


def test_a_persona_that_ignores_its_sliders_does_not_show(answered: Answered) -> None:
    fixed = PersonaSettings()
    ranks = persona_rank([one for one, _, _ in answered[:30]], lambda one, _: worded(one, fixed).text, seed=4)
    assert all(abs(interval.mean) < 0.3 for interval in ranks)


@pytest.mark.parametrize(
    ("measure", "less", "more"),
    [
        (formality, "Yeah, I think you've got it right here.", "The payment of the fee for the course in the autumn."),
        (enthusiasm, "It is on page two.", "Great, I am really glad you asked!"),
        (verbosity, "Page two.", "It stands on the second page of the letter."),
        (humour, "It is on page two.", "It is on page two, no joke ;)"),
    ],
)
def test_proxies_tell_plain_examples_apart(measure, less: str, more: str) -> None:
    assert measure(less) < measure(more)


def test_quotations_are_nobodys_manner() -> None:
    quoted = proxies("The text: “Wow, that's a great joke! ;)” [1]")
    assert (quoted.enthusiasm, quoted.humour) == (0, 0)
    assert quoted.verbosity == 7


@pytest.mark.parametrize("slider", SLIDERS)
@pytest.mark.parametrize("value", [1.2, -0.1, float("nan")])
def test_a_slider_beyond_its_range_is_refused_in_one_line(slider: str, value: float) -> None:
    with pytest.raises(Unfit, match=rf"PersonaSettings.{slider} = .*: expected a"):
        PersonaSettings(**{slider: value})


def test_instructions_follow_every_slider_and_hold_the_facts() -> None:
    texts = {tuple(sliders.values()): instructions(PersonaSettings(**sliders)) for sliders in GRID}
    assert len(set(texts.values())) == len(GRID)
    for text in texts.values():
        assert text.startswith(FACTS)
    for slider, steps in STEPS.items():
        assert steps[-1] in instructions(PersonaSettings(**{slider: 1.0}))


def test_a_rank_correlation_of_a_constant_is_none() -> None:
    assert spearman(np.ones(5), np.arange(5.0)) == 0
    assert spearman(np.arange(5.0), np.arange(5.0) ** 3) == pytest.approx(1)
    with pytest.raises(InputError, match="expected 2 or more answers"):
        persona_rank([Extract("Who?", (Quote("Ann.", "a"),))], lambda one, persona: "", seed=1)
