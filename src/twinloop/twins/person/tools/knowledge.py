"""Keep a person's documents: add files or folders, list them, get the text of one, delete one.

They lie in data/source/person/NAME/documents, where the prepare stage finds them; `talk --person NAME` asks them now.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError
from twinloop.numbers import counted
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.dialogue.knowledge.library import Library

EXAMPLE = "python -m twinloop person knowledge list --person ada"
ACTIONS = ("add", "list", "get", "delete")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("which", nargs="*", help="add: files and folders; get, delete: names, or how a digest begins")
    parser.add_argument("--person", metavar="NAME", help="whose (default: the only one there is)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Do it; 1 where a file of a folder could not be taken in. Raises InputError for what is not there."""
    from twinloop.twins.person.people.folders import person

    if (options.action == "list") == bool(options.which):
        raise InputError(
            f"knowledge: {options.action}: expected "
            + ("nothing more" if options.which else "files, folders or documents behind it: name one")
        )
    if "" in options.which:
        raise InputError(f"knowledge: {options.action}: expected names, one of them is empty: leave it out or name it")
    library = person(root, options.person).library()
    if options.action == "add":
        return _add(library, options)
    named = [_one(library, options, name) for name in options.which]
    results = _listed(library) if options.action == "list" else [result for result, _ in named]
    if options.json:
        print(json.dumps(results, ensure_ascii=False))
    elif options.action == "list":
        _tell(results)
    else:
        print("\n".join(shown for _, shown in named))
    return 0


def _add(library: "Library", options: argparse.Namespace) -> int:
    added, refused = library.add(options.which)
    for one in refused:
        say(f"left out   {one.reason}")
    if options.json:
        left = [{"path": str(one.path), "reason": one.reason} for one in refused]
        print(json.dumps({"added": [one._asdict() for one in added], "left_out": left}, ensure_ascii=False))
        return 1 if refused else 0
    for file in added:
        other = f", as {file.known_as}" if file.known_as not in (None, file.name) else ""
        print(f"{'known' if file.known_as else 'added':<10} {file.name}{other}")
    if not added and not refused:
        say("knowledge: no documents there: PDF, TXT, Markdown and HTML are read")
    return 1 if refused else 0


def _listed(library: "Library") -> list[dict[str, Any]]:
    return [
        {"name": e.name, "kind": e.kind, "pages": e.pages, "chunks": len(e.chunks), "digest": e.digest}
        for e in library.list()
    ]


def _one(library: "Library", options: argparse.Namespace, name: str) -> tuple[dict[str, Any], str]:
    """The result for one document, and how it is shown."""
    if options.action == "delete":
        gone = library.delete(name)
        return {"name": gone.name, "digest": gone.digest}, f"deleted    {gone.name}"
    document = library.get(name)
    pages = [page._asdict() for page in document.pages]
    shown = "\n".join(f"{document.name}, page {page.number}\n{page.text}\n" for page in document.pages)
    return {"name": document.name, "digest": document.digest, "pages": pages}, shown


def _tell(documents: list[dict[str, Any]]) -> None:
    from twinloop.reporting.tables import Table

    rows = [(d["name"], d["kind"], d["pages"], d["chunks"], d["digest"][:12]) for d in documents]
    if rows:
        print(Table.of(("document", "kind", "pages", "chunks", "digest"), rows))
    say(f"{counted(len(rows), 'document')}, {counted(sum(d['chunks'] for d in documents), 'chunk')}")
