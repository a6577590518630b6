"""Texts of the same speech are equal once normalised, and none that differ become so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.speech.normaliser import cardinal, normalised, ordinal


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("10 of clubs", "ten of clubs"),
        ("Eight of spades, four of clubs; seven of hearts.", "eight of spades four of clubs seven of hearts"),
        ("55", "fifty five"),
        ("1,250 people", "one thousand two hundred fifty people"),
        ("21305", "twenty one thousand three hundred five"),
        ("1984", "nineteen eighty four"),
        ("1,984", "one thousand nine hundred eighty four"),
        ("1900", "nineteen hundred"),
        ("1905", "nineteen oh five"),
        ("2024", "two thousand twenty four"),
        ("007", "zero zero seven"),
        ("0", "zero"),
        ("3.5", "three point five"),
        ("3.14.", "three point one four"),
        ("version 1.2.3", "version one two three"),
        ("2nd", "second"),
        ("the 21st, 12th and 40th", "the twenty first twelfth and fortieth"),
        ("20%", "twenty percent"),
        ("20 %", "twenty percent"),
        ("$5", "five dollars"),
        ("$1", "one dollar"),
        ("€1,200.50", "one thousand two hundred euros fifty"),
        ("at 14:30", "at fourteen thirty"),
        ("at 10:00", "at ten o'clock"),
        ("at 9:05", "at nine oh five"),
        ("Mr. Dashwood", "mister dashwood"),
        ("mr dashwood", "mister dashwood"),
        ("Dr. Smith & Mrs Jones", "doctor smith and missus jones"),
        ("DON'T", "don't"),
        ("don’t", "don't"),
        ("the dogs' 'best' friend", "the dogs best friend"),
        ("ill-disposed", "ill disposed"),
        ("café naïve Straße", "cafe naive strasse"),
        ("[laughter] yes (coughs) <unk> no", "yes no"),
        ("a_b", "a b"),
        ("  many \n blanks\t", "many blanks"),
        ("Привет, мир!", "привет мир"),
        ("…", ""),
        ("", ""),
    ],
)
def test_a_text_is_compared_as_it_is_spoken(written: str, spoken: str) -> None:
    assert normalised(written) == spoken


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(max_size=60))
def test_no_digit_capital_or_double_blank_is_left(text: str) -> None:
    result = normalised(text)
    assert result == " ".join(result.split())
    assert result == result.casefold()
    assert not any(sign in "0123456789" for sign in result)


@pytest.mark.parametrize("digits", ["9" * 15, "1" + "0" * 15, "9" * 400, "9" * 5000])
def test_a_number_of_any_length_is_read(digits: str) -> None:
    assert normalised(digits).startswith(("nine", "one"))
    assert normalised(f"${digits}")
    assert normalised(f"{digits}th")


def test_numbers_in_words_are_all_different() -> None:
    words = {cardinal(number) for number in range(20_000)}
    assert len(words) == 20_000
    assert len({ordinal(number) for number in range(2_000)} | words) == 22_000
