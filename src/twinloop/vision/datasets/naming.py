"""Classes from names: which folder or label means "no defect", in the languages people name folders in.

`DatasetSettings.good` names them; without it a whole name that is a word for good is one ("Gutteil", "良品"), else a
name that holds such a word and none for bad ("ok_front"): that is a guess, and it is said.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twinloop.errors import InputError
from twinloop.vision.datasets.samples import printable
from twinloop.vision.index import GOOD

# Whole names, in lower case without separators and accents.
GOOD_WORDS = """
good normal ok okay oks pass passed free sound intact perfect accepted undamaged defectfree nodefect nodefects
nondefective faultfree nofault
gut gute gutteil gutteile io iok iteile inordnung fehlerfrei einwandfrei ohnefehler
bon bonne bons bonnes conforme conformes sansdefaut sansdefauts
bueno buena buenos buenas correcto correcta aceptado sindefecto sindefectos
buono buona buoni buone conformi senzadifetti senzadifetto
bom boa bons boas aprovado semdefeito semdefeitos
goed goede dobry dobre dobra bezwad bezvady bra god godkant godkjent hyva iyi saglam
годный годные годен хорошии норма исправныи
良品 合格 合格品 正常 好 好品 無欠陥 无缺陷 양품 정상 합격
"""
BAD_WORDS = """
bad nok ng ko defect defects defective def damaged fail failed faulty reject rejected rejects scrap anomaly
anomalies anomalous abnormal nogood notok notgood
schlecht schlechtteil schlechtteile fehler fehlerhaft nio ausschuss defekt
mauvais defaut defauts nonconforme malo mala malos defecto defectos defectuoso rechazado
difetto difetti difettoso scarto scarti ruim defeito defeitos reprovado slecht zly vada hatali
брак дефект 不良 不良品 不合格 缺陷 異常 异常 次品 불량 불량품
"""
GOOD_NAMES, BAD_NAMES = frozenset(GOOD_WORDS.split()), frozenset(BAD_WORDS.split())
NEGATIONS = frozenset(
    ("no", "not", "non", "nicht", "kein", "keine", "ohne", "pas", "sans", "sin", "senza", "sem", "un")
)
# "un défaut" is one defect, not none.
ARTICLES = frozenset(("un",))


@dataclass(frozen=True)
class Classes:
    """The class of every name, and a sentence where "good" was guessed."""

    labels: dict[str, str]
    notes: tuple[str, ...] = ()


def class_label(name: str, good: Sequence[str] = ()) -> str:
    """The class that a name stands for: letters, digits, blank, dot, dash and underscore, at most 60 of them.

    good: the names that mean good, where they are told.

    >>> class_label("Defect-Free"), class_label("<b>crack</b>"), class_label("0", good=["0"])
    ('good', '_b_crack_b_', 'good')
    """
    plain = unicodedata.normalize("NFC", name).strip()
    if is_named(plain, good) if good else _word(plain) in GOOD_NAMES:
        return GOOD
    label = re.sub(r"[^\w .-]+", "_", plain)[:60].strip(" .")
    if not label:
        raise InputError(f"data: {printable(name)!r}: expected a class name with letters or digits: rename it")
    return label if label != GOOD else f"not {GOOD}"


def classes_of(names: Iterable[str], good: Sequence[str], *, where: str) -> Classes:
    """The class of every name that stands for one. where: what holds them, for the message.

    Raises InputError where two names would become one defect class or a name in `good` is not among them.
    """
    present = list(dict.fromkeys(names))
    absent = [name for name in good if not any(is_named(other, [name]) for other in present)]
    if absent:
        listed = ", ".join(printable(name) for name in present[:6])
        raise InputError(
            f"data: {printable(where)}: DatasetSettings.good names {printable(absent[0])!r}, "
            f"found {listed or 'nothing'}"
        )
    labels = {name: class_label(name, good) for name in present}
    notes: tuple[str, ...] = ()
    if not good and GOOD not in labels.values():
        guessed = [name for name in present if _holds_good(name)]
        if guessed and len(guessed) < len(present):
            labels.update(dict.fromkeys(guessed, GOOD))
            listed = ", ".join(guessed)
            notes = (f"{listed} taken for good by the name; DatasetSettings.good=[…] names others.",)
    taken: dict[str, str] = {}
    for name, label in labels.items():
        other = taken.setdefault(label, name)
        if other != name and label != GOOD:
            raise InputError(
                f"data: folders {printable(other)!r} and {printable(name)!r} both read as class {label!r}: rename one"
            )
    return Classes(labels, notes)


def no_good(labels: Iterable[str]) -> str:
    """What to say where no class is good, or nothing else is."""
    found = sorted(set(labels))
    told = f"expected good parts and at least one defect class, found {', '.join(found[:8]) or 'no image'}"
    if GOOD in found or not found:
        return told
    return f"{told}: name what is good: DatasetSettings.good=[{found[0]}]"


def is_named(name: str, good: Sequence[str]) -> bool:
    """Whether `name` is one of `good`, whatever the case and the Unicode form."""
    return _folded(name) in {_folded(other) for other in good}


def is_bad(name: str) -> bool:
    """Whether a name says that something is wrong without saying what: nok, defects, Ausschuss."""
    return _word(name) in BAD_NAMES


def says_good(name: str) -> bool:
    """Whether a column's name says that its numbers or answers are about being good: is_ok, p_good, good probability.

    >>> says_good("p_good"), says_good("not_ok"), says_good("no_defect"), says_good("score")
    (True, False, True, False)
    """
    return _word(name) in GOOD_NAMES or _holds_good(name)


def _holds_good(name: str) -> bool:
    words = [_word(word) for word in re.split(r"[\W_\d]+", name) if word]
    if len(words) == 2 and words[0] in NEGATIONS - ARTICLES and words[1] in BAD_NAMES:
        return True
    return bool(GOOD_NAMES & set(words)) and not (BAD_NAMES | NEGATIONS) & set(words)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _word(name: str) -> str:
    """Letters and digits alone, without case and accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", re.sub(r"[\W_]", "", bare).casefold())
