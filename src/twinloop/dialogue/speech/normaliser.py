"""The one form in which two texts of the same speech are compared.

In order:

1. Unicode compatibility forms (NFKC), accents removed, letters in lower case (casefold).
2. What brackets hold, [laughter] or (coughs), goes: recognisers mark sounds so.
3. Titles become words: mr → mister, mrs → missus, dr → doctor, vs → versus; & → and.
4. Numbers become words as they are read aloud: 10 → ten, 1,250 → one thousand two hundred fifty, 3.5 → three point
   five, 2nd → second, 20% → twenty percent, $5 → five dollars, 14:30 → fourteen thirty. Whole numbers from 1100 to
   1999 without a comma are read as years: 1984 → nineteen eighty four. From 10^15, and behind a leading zero, digit by
   digit.
5. Hyphens and every other sign but an apostrophe within a word part words; contractions stay: don't is one word.
6. Blanks are one.

British and American spellings, abbreviations and names stay as they are: none of them is sure.
"""

import re
import unicodedata

TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "vs": "versus"}
SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
ORDINALS = {
    **{"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"},
    **{"twelve": "twelfth"},
}
CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound"}
# A longer number is read digit by digit.
READ_DIGITS = 15

BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>")
APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
AMOUNT = re.compile(r"([$€£])\s?(\d[\d,]*)(?:\.(\d{2}))?(?!\d)")
TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
GROUPED = re.compile(r"\b\d{1,3}(?:,\d{3})+\b")
ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?!\.?\d)")
PERCENT = re.compile(r"(?<=\d)\s?%")
DIGITS = re.compile(r"\d+")
TITLE = re.compile(rf"\b({'|'.join(TITLES)})\b\.?")
PARTING = re.compile(r"[^\w' ]|_|(?<!\w)'|'(?!\w)")


def normalised(text: str) -> str:
    """The text as it is compared: lower-case words with single blanks between.

    >>> normalised("Mr. Dashwood's 2nd ill-disposed nephew, [coughs] born 1984, doesn't owe $5.")
    "mister dashwood's second ill disposed nephew born nineteen eighty four doesn't owe five dollars"
    """
    text = unicodedata.normalize("NFKC", text).translate(APOSTROPHES).casefold()
    text = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    text = BRACKETS.sub(" ", text)
    text = TITLE.sub(lambda found: TITLES[found[1]], text).replace("&", " and ")
    text = AMOUNT.sub(_amount, text)
    text = TIME.sub(_time, text)
    text = GROUPED.sub(lambda found: f" {_grouped(found[0])} ", text)
    text = ORDINAL.sub(lambda found: f" {_ordinal(found[1])} ", text)
    text = PERCENT.sub(" percent", text)
    text = DECIMAL.sub(lambda found: f" {_whole(found[1])} point {_digit_by_digit(found[2])} ", text)
    text = DIGITS.sub(lambda found: f" {_whole(found[0])} ", text)
    return " ".join(PARTING.sub(" ", text).split())


def cardinal(number: int) -> str:
    """A whole number from 0 below 10^15 in words, without "and".

    >>> cardinal(21_305)
    'twenty one thousand three hundred five'
    """
    if number < 20:
        return SMALL[number]
    if number < 100:
        return f"{TENS[number // 10]} {SMALL[number % 10]}" if number % 10 else TENS[number // 10]
    size, name = next((size, name) for size, name in SCALES if number >= size)
    head = f"{cardinal(number // size)} {name}"
    return f"{head} {cardinal(number % size)}" if number % size else head


def ordinal(number: int) -> str:
    """A place from 0 below 10^15 in words.

    >>> ordinal(22), ordinal(40)
    ('twenty second', 'fortieth')
    """
    *front, last = cardinal(number).split()
    if last not in ORDINALS:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join((*front, ORDINALS.get(last, last)))


def _grouped(text: str) -> str:
    digits = text.replace(",", "")
    return cardinal(int(digits)) if len(digits) <= READ_DIGITS else _digit_by_digit(digits)


def _ordinal(digits: str) -> str:
    return ordinal(int(digits)) if len(digits) <= READ_DIGITS else _digit_by_digit(digits)


def _whole(digits: str) -> str:
    if len(digits) > READ_DIGITS or (len(digits) > 1 and int(digits[0]) == 0):
        return _digit_by_digit(digits)
    number = int(digits)
    if len(digits) == 4 and 1100 <= number <= 1999:
        return _year(number)
    return cardinal(number)


def _year(number: int) -> str:
    century, year = divmod(number, 100)
    if year == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if year < 10 else ''}{cardinal(year)}"


def _digit_by_digit(digits: str) -> str:
    return " ".join(SMALL[int(digit)] for digit in digits)


def _amount(found: re.Match[str]) -> str:
    currency, words = CURRENCIES[found[1]], _grouped(found[2])
    spoken = f"{words} {currency}{'' if words == 'one' else 's'}"
    cents = int(found[3] or 0)
    return f" {spoken} {cardinal(cents)} " if cents else f" {spoken} "


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if minute == 0:
        return f" {cardinal(hour)} o'clock " if 1 <= hour <= 12 else f" {cardinal(hour)} hundred "
    return f" {cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)} "
