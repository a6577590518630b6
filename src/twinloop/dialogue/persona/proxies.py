"""What a reader can tell of formality, enthusiasm, verbosity and humour, from the text alone.

Closed lists of words, no model and no look at the sliders. Quotations are somebody else's style and count for the
length only. Formality follows the F-score of Heylighen and Dewaele (2002), which sets words that point (pronouns,
verbs, adverbs, interjections) against words that name; open classes would need a tagger, so closed ones alone count.
"""

import re
from typing import NamedTuple


def _closed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# A numbered quotation, as persona.answer writes it.
QUOTATION = re.compile(r"“.*?” \[\d+\]", re.DOTALL)
WORD = re.compile(r"[^\W\d_]+|['’][^\W\d_]+")
SAID, NUMBERED = re.compile(r"\w"), re.compile(r"\[\d+\]")
ARTICLES = _closed("a an the")
PREPOSITIONS = _closed(
    """
    about above across after against along amid among around at before behind below beneath beside between
    beyond by concerning despite during for from in inside into of on onto out outside over past per regarding
    since through throughout to toward towards under until upon via with within without
    """
)
PRONOUNS = _closed(
    """
    i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us our
    ours ourselves they them their theirs themselves this that these those who whom whose what which somebody
    someone something anybody anyone anything nobody nothing everybody everyone everything
    """
)
VERBS = _closed(
    """
    am is are was were be been being 's 're 'm have has had 've 'd do does did can could will would 'll may
    might must shall should let get got go goes know see look say says think hope
    """
)
ADVERBS = _closed(
    """
    so just really very too now here there then well right only quite pretty actually basically honestly totally
    maybe perhaps again always never not n't even still anyway super
    """
)
INTERJECTIONS = _closed("ah oh ok okay yeah yep yes hey hi hello wow sure hmm oops haha ha hooray yay")
INTENSIFIERS = _closed(
    """
    absolutely amazing brilliant delight delighted excellent exciting fantastic glad gladly great happy keen
    love lovely pleased pleasure really splendid super superb terrific thrilled truly very wonderful
    """
)
LIGHT_WORDS = _closed(
    """
    amusing banter comedian comic funny grin haha humour jest joke jokes joking kidding laugh laughter pun smile
    smiling tease wink wit
    """
)
EMOTICONS = re.compile(
    "[:;]-?[)DPp]|[\U0001f600-\U0001f606\U0001f609\U0001f61c\U0001f61d\U0001f642\U0001f643\U0001f923\U0001f92d\U0001f60f]"
)
APOSTROPHES = str.maketrans({"’": "'"})


class Proxies(NamedTuple):
    """formality: 0 to 100, 50 where nothing speaks for either; enthusiasm, humour: marks; verbosity: words."""

    formality: float
    enthusiasm: float
    verbosity: float
    humour: float


def proxies(text: str) -> Proxies:
    """All four of a text."""
    return Proxies(formality(text), enthusiasm(text), verbosity(text), humour(text))


def own_words(text: str) -> str:
    """The text without its quotations."""
    return QUOTATION.sub(" ", text)


def formality(text: str) -> float:
    """Half of 100 plus the share of articles and prepositions less that of pronouns, verbs, adverbs, interjections.

    >>> formality("Yeah, you got it"), formality("the entry in the file of the insurer")
    (0.0, 81.25)
    """
    words = _words(own_words(text))
    if not words:
        return 50.0
    naming = sum(word in ARTICLES or word in PREPOSITIONS for word in words)
    pointing = sum(word in kind for word in words for kind in (PRONOUNS, VERBS, ADVERBS, INTERJECTIONS))
    return max(50.0 + 50.0 * (naming - pointing) / len(words), 0.0)


def enthusiasm(text: str) -> float:
    """Exclamation marks and words of delight.

    >>> enthusiasm("Great, I am so glad!")
    3.0
    """
    own = own_words(text)
    return float(own.count("!") + sum(word in INTENSIFIERS for word in _words(own)))


def verbosity(text: str) -> float:
    """Words, quoted ones too.

    >>> verbosity("It is “here.” [1]")
    3.0
    """
    return float(sum(NUMBERED.fullmatch(word) is None and SAID.search(word) is not None for word in text.split()))


def humour(text: str) -> float:
    """Smileys and words that announce a joke.

    >>> humour("No joke ;)")
    2.0
    """
    own = own_words(text)
    return float(len(EMOTICONS.findall(own)) + sum(word in LIGHT_WORDS for word in _words(own)))


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower().translate(APOSTROPHES).replace("n't", " n't"))
