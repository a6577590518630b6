"""PDF by pypdf: the one module that imports it. What cannot be read is said in one line."""

import io
from typing import Any

from twinloop.dialogue.knowledge.readers.document import Page
from twinloop.dialogue.knowledge.readers.text import plain_page
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import InputError


def read_pdf(name: str, content: bytes, settings: ReadingSettings) -> tuple[Page, ...]:
    """Text of each page. Raises InputError where it is encrypted, broken, too long or a bomb."""
    from pypdf import PdfReader
    from pypdf.errors import LimitReachedError

    try:
        reader = PdfReader(io.BytesIO(content))
        # Many are encrypted only so that nobody changes them: these open without a password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{name}: encrypted: save it without a password")
        _few_enough(name, _declared_pages(reader), settings)
        _few_enough(name, len(reader.pages), settings)
        return _pages(name, reader, settings)
    except InputError:
        raise
    except (LimitReachedError, MemoryError) as error:
        raise InputError(f"{name}: unpacks to more than a document holds ({error}): it is not read") from None
    except RecursionError:
        raise InputError(f"{name}: broken PDF, its parts refer to each other in a circle: export it again") from None
    except Exception as error:  # pypdf lets through whatever a broken file provokes
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f"{name}: broken PDF ({reason}): export or copy it again") from None


def _declared_pages(reader: Any) -> int:
    """How many the file says it has; counting them takes long where there are a great many."""
    count = reader.root_object["/Pages"].get_object().get("/Count", 0)
    return count if isinstance(count, int) else 0


def _few_enough(name: str, pages: int, settings: ReadingSettings) -> None:
    if pages > settings.max_pages:
        raise InputError(
            f"{name}: expected at most {settings.max_pages} pages, it has {pages}: "
            "split it or raise ReadingSettings.max_pages"
        )


def _pages(name: str, reader: Any, settings: ReadingSettings) -> tuple[Page, ...]:
    pages, total = [], 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        total += len(text)
        if total > settings.max_characters:
            raise InputError(
                f"{name}: page {number}: expected at most {settings.max_characters} characters of text, it has more: "
                "split it or raise ReadingSettings.max_characters"
            )
        pages.append(plain_page(number, text, parted=False))
    return tuple(pages)
