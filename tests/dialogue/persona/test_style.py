"""Style: what a fictional person was given as habits is found again in their messages."""

import pytest

from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.dialogue.persona.settings import PersonaSettings
from twinloop.dialogue.persona.style import style_of
from twinloop.dialogue.persona.wording import worded
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.settings import PersonSettings
from twinloop.errors import InputError


@pytest.mark.parametrize("number", range(5))
def test_habits_are_found_again(number: int) -> None:
    someone = person(PersonSettings(messages=400), number, seed=13)
    name, truth = someone.profile.name, someone.style
    own = [message.text for message in someone.messages if message.sender == name]
    others = [message.text for message in someone.messages if message.sender != name]
    found = style_of(own, others=others, name=name)
    assert found.greeting.split()[0].rstrip(",!–").lower() == truth.greeting.split()[0].rstrip(",!–").lower()
    assert found.greeted == pytest.approx(truth.greeted, abs=0.08)
    assert found.sign_off.lower() == truth.sign_off.format(me=name.split()[0]).lower()
    assert found.signed == pytest.approx(truth.signed, abs=0.08)
    assert found.exclaimed == pytest.approx(truth.exclaimed, abs=0.08)
    assert found.sentences == pytest.approx(truth.sentences, rel=0.15)
    assert found.emoji_share == pytest.approx(truth.emoji_share, abs=0.08)
    assert found.lower == truth.lower
    if truth.emoji_share:
        assert set(found.emoji) == set(truth.emoji)
    # The other one may be somebody else's favourite too.
    assert found.favourites
    assert set(found.favourites) <= set(truth.favourites)


def test_a_style_frames_an_answer_and_leaves_the_quotation_alone() -> None:
    messages = [f"hey ann! the train is late again, honestly. number {number} 🙂\ncheers, bo" for number in range(9)]
    style = style_of(messages, others=["Dear Bo, it rains."] * 9)
    styled = worded(Extract("When?", (Quote("On 4 May 2026.", "Letter.pdf, page 1"),)), PersonaSettings(), style)
    assert styled.text.startswith("hey!")
    assert "🙂" in styled.text
    assert styled.text.endswith("\ncheers, bo")
    assert "“On 4 May 2026.” [1]" in styled.text
    assert (
        "Letter.pdf"
        in worded(
            Extract("When?", (Quote("On 4 May 2026.", "Letter.pdf, page 1"),)), PersonaSettings(formality=1.0), style
        ).text
    )
    assert any("small letters" in sentence for sentence in style.described())


def test_too_few_messages_are_refused() -> None:
    with pytest.raises(InputError, match="expected 5 or more messages, found 2"):
        style_of(["hi", "  ", "there"])
