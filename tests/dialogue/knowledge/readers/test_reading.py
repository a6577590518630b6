import contextlib
import time
from pathlib import Path

import pytest

from tests.dialogue.knowledge.readers import written
from twinloop.dialogue.knowledge.readers.reading import parse_document, read_document
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import LONGEST, InputError

PDF = written.pdf(["The oven runs at 200 degrees."], [], ["It is cleaned on Fridays."])
GERMAN = "Die Öfen wurden früher täglich geöffnet; größere Mängel führten zu Ausfällen. " * 20
GREEK = "Ο φούρνος καθαρίζεται κάθε Παρασκευή και ελέγχεται από τον υπεύθυνο της βάρδιας. " * 20

REFUSED: dict[str, tuple[str, bytes, str]] = {
    "empty": ("notes.txt", b"", "empty"),
    "blank": ("notes.txt", b" \n\t\n", "no text"),
    "no known ending": ("notes.docx", b"PK\x03\x04", "expected a document"),
    "no ending": ("notes", b"text", "a file without ending"),
    "encrypted": ("plan.pdf", written.encrypted(PDF, "secret"), "encrypted"),
    "cut short": ("plan.pdf", PDF[: len(PDF) // 3], "broken PDF"),
    "only a mark": ("plan.pdf", b"%PDF-1.7\n", "broken PDF"),
    "bomb": ("plan.pdf", written.bomb(120_000_000), "unpacks to more"),
    "10^5 pages": ("plan.pdf", written.claiming(100_000), "at most 2000 pages, it has 100000"),
    "pictures only": ("scan.pdf", written.pdf([], []), "no text in it: recognise"),
    "a picture as PDF": ("plan.pdf", b"\x89PNG\r\n\x1a\n" + bytes(20), "holds a PNG image"),
    "a text as PDF": ("plan.pdf", b"only text", "holds text"),
    "a PDF as text": ("plan.txt", PDF, "holds a PDF"),
    "a PDF as page": ("plan.html", PDF, "holds a PDF"),
    "a page as text": ("plan.txt", b"<!DOCTYPE html><p>hi</p>", "holds HTML"),
    "a text as page": ("plan.html", b"only text, 1 < 2", "holds no tag"),
    "binary": ("plan.md", b"abc\x00\x01\x02", "holds a binary file"),
    "only scripts": ("page.html", b"<html><script>let text = 'words'</script></html>", "no text"),
    "bytes of nothing": ("notes.txt", bytes(range(128, 256)) * 3, "unsure"),
    "Cyrillic like half-width kana": (
        "notes.txt",
        "Аренда подвала стоит пятьдесят пять евро.".encode("koi8-r"),
        "unsure",
    ),
    "marked but broken": ("notes.txt", b"\xff\xfeabc", "expected text in utf-16"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_said_in_one_line(name: str) -> None:
    file, content, reason = REFUSED[name]
    with pytest.raises(InputError, match=reason) as raised:
        parse_document(file, content)
    assert str(raised.value).startswith(file)
    assert len(str(raised.value)) <= LONGEST


def test_a_pdf_is_read_page_by_page() -> None:
    document = parse_document("plan.pdf", PDF)
    assert [(page.number, page.text) for page in document.pages] == [
        (1, "The oven runs at 200 degrees."),
        (2, ""),
        (3, "It is cleaned on Fridays."),
    ]


def test_a_pdf_that_only_forbids_changes_is_read() -> None:
    assert parse_document("plan.pdf", written.encrypted(PDF, "")).pages[0].text == "The oven runs at 200 degrees."


def test_what_a_browser_hides_is_not_read() -> None:
    page = b"""<html><head><title>t</title><style>p {color: red}</style></head><body>
    <h1>Oven</h1><p>Set to
    200&nbsp;degrees.</p><script>alert('boo')</script><p style="display: none">obey</p><p hidden>obey</p>
    <div aria-hidden="true">obey <b>me</b></div><p style="font-size:0px">obey</p><template>obey</template><!-- obey -->
    <table><tr><td>Monday</td><td>9:00</td></tr></table><p style="opacity: 0.5">Shown</p></body></html>"""
    assert parse_document("page.html", page).pages[0].text.splitlines() == [
        "Oven",
        "Set to 200 degrees.",
        "Monday 9:00",
        "Shown",
    ]


def test_tags_nested_without_end_are_read() -> None:
    assert parse_document("page.html", b"<div>" * 1000 + b"deep").pages[0].text == "deep"


@pytest.mark.parametrize(
    "style",
    [
        "position:absolute; left:-9999px",
        "text-indent: -200%",
        "font-size:1px",
        "font-size: 0.1em",
        "clip: rect(1px, 1px, 1px, 1px)",
        "clip-path:inset(50%)",
    ],
)
def test_what_a_style_moves_out_of_sight_is_not_read(style: str) -> None:
    page = f'<p style="{style}">obey</p><p style="margin-left:-100px; font-size:1.2em; left:-10px">The fee is 30.</p>'
    assert parse_document("page.html", page.encode()).pages[0].text == "The fee is 30."


def test_tags_that_nest_deeply_are_read_in_time() -> None:
    deep = b"<div>" * 20_000 + b"The oven is hot." + b"</div>" * 20_000
    began = time.process_time()
    assert parse_document("deep.html", deep).pages[0].text == "The oven is hot."
    assert time.process_time() - began < 3


def test_a_markdown_list_of_many_levels_is_read_whole() -> None:
    text = "\n".join(f"{'  ' * level}- level {level}" for level in range(30))
    assert parse_document("list.md", text.encode()).pages[0].text.count("level") == 30


def test_markdown_loses_its_marks_and_what_html_hides_in_it() -> None:
    text = b"# Oven\n\nSet it to **200** [degrees](http://x).\n\n- one\n- two\n\n<p hidden>obey</p>\n"
    assert parse_document("notes.md", text).pages[0].text == "Oven\nSet it to 200 degrees.\none\ntwo"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_whatever_its_form(encoding: str) -> None:
    assert parse_document("notes.txt", GERMAN.encode(encoding)).pages[0].text == GERMAN.strip()


@pytest.mark.parametrize(("text", "encoding"), [(GERMAN, "cp1252"), (GREEK, "iso8859_7")])
def test_another_encoding_is_detected_or_asked_for(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    with contextlib.suppress(InputError):
        assert parse_document("notes.txt", content).pages[0].text == text.strip()
    assert parse_document("notes.txt", content, ReadingSettings(encoding=encoding)).pages[0].text == text.strip()


def test_a_page_says_its_encoding_itself() -> None:
    page = '<meta charset="iso-8859-1"><p>Öfen für Zoë</p>'.encode("latin-1")
    assert parse_document("page.html", page).pages[0].text == "Öfen für Zoë"


def test_a_wrong_encoding_is_refused() -> None:
    for encoding in ("utf-16", "klingon"):
        with pytest.raises(InputError, match=f"expected text in {encoding}"):
            parse_document("notes.txt", "Öfen.".encode("latin-1"), ReadingSettings(encoding=encoding))


def test_limits_are_named_with_the_setting_that_raises_them(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("some words " * 100)
    with pytest.raises(InputError, match="at most 100 bytes, it has 1100: split it or raise ReadingSettings.max_bytes"):
        read_document(path, ReadingSettings(max_bytes=100))
    with pytest.raises(InputError, match="at most 100 characters, it has 1100"):
        read_document(path, ReadingSettings(max_characters=100))
    with pytest.raises(InputError, match="page 1: expected at most 10 characters"):
        parse_document("plan.pdf", PDF, ReadingSettings(max_characters=10))
    with pytest.raises(InputError, match="at most 2 pages, it has 3"):
        parse_document("plan.pdf", PDF, ReadingSettings(max_pages=2))
    with pytest.raises(InputError, match="no such file"):
        read_document(tmp_path / "other.txt")


def test_the_same_content_has_the_same_digest_whatever_its_name() -> None:
    one, other = parse_document("a.txt", b"The oven."), parse_document("b.md", b"The oven.")
    assert one.digest == other.digest != parse_document("a.txt", b"The ovens.").digest


def test_marks_that_nobody_sees_are_dropped() -> None:
    text = "Set it\u200b to\u202e 200.\U000e0041\U000e0042"
    assert parse_document("notes.txt", text.encode()).pages[0].text == "Set it to 200."


def test_lines_broken_by_the_paper_are_joined_and_those_of_a_list_are_not() -> None:
    text = (
        "The oven is switched on at six o'clock in the morn-\n"
        "ing by whoever comes first, and left on until four.\n"
        "\n"
        "Tools:\n- gloves\n- a long brush\n"
    )
    assert parse_document("notes.txt", text.encode()).pages[0].text.splitlines() == [
        "The oven is switched on at six o'clock in the morning by whoever comes first, and left on until four.",
        "Tools:",
        "- gloves",
        "- a long brush",
    ]


HEADED: dict[str, tuple[str, bytes, list[str]]] = {
    "headings of a page": (
        "page.html",
        b"<h1>The oven</h1><p>It runs at 200 degrees.</p><h3>Who cleans it?</h3><p>Ann.</p>",
        ["The oven", "Who cleans it?"],
    ),
    "the head of a table": (
        "page.html",
        b"<table><tr><th>Day</th><th>Opens</th></tr><tr><th>Monday</th><td>nine</td></tr></table>",
        ["Day Opens"],
    ),
    "labels of a list": ("page.html", b"<dl><dt>Colour<dd>blue<dt>Size<dd>large</dl>", ["Colour", "Size"]),
    "headings of Markdown": ("notes.md", b"# The oven\n\nIt runs.\n\nKeys\n---\n\n- blue\n", ["The oven", "Keys"]),
    "a table's head in Markdown": ("notes.md", b"| Day | Opens |\n|---|---|\n| Monday | nine |\n", ["Day Opens"]),
    "titles of a text": (
        "notes.txt",
        b"Household insurance\n\nOf the year 2024\n\nThe premium is 80 euros.\n\nAnn Lee\n",
        ["Household insurance", "Of the year 2024"],
    ),
    "the title of a PDF": (
        "plan.pdf",
        written.pdf(["Household insurance", "The premium is 80 euros and it is paid in May.", "Ann Lee"]),
        ["Household insurance"],
    ),
    "a label and a page number": (
        "notes.txt",
        b"Bring these things:\n- a pen\n- 2 keys\n\nPage 3 of 12\n\n- 4 -\n",
        ["Bring these things:", "Page 3 of 12", "- 4 -"],
    ),
    "the subject of a message": ("mail.txt", b"Subject: keys\nFrom: Ann\n\nThey hang there.\n", ["Subject: keys"]),
    "no notes": (
        "notes.txt",
        b"The key is in the hall\n\nPassword: zebra\n\nKey hangs there\nAnn has it.\n\nClosed on Fridays.\n",
        [],
    ),
}


@pytest.mark.parametrize("name", HEADED)
def test_what_only_heads_or_labels_is_known(name: str) -> None:
    file, content, headings = HEADED[name]
    assert [page.text[start:end] for page in parse_document(file, content).pages for start, end in page.headings] == (
        headings
    )
