"""A twin's report: its notebooks as pages, its figures as files, plain pages beside them, one navigation over all.

The twin brings tables of names and functions that draw; nothing here knows what it is about.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from twinloop.errors import RunError
from twinloop.reporting.notebooks import Job, publish
from twinloop.reporting.pages import Landing, Link, Page, write_landing, write_plain
from twinloop.reporting.style import Picture

INDEX = "index.html"
FIGURES = "figures"
# Kernels side by side; more than two only wait for each other on a small machine.
SIDE_BY_SIDE = 2


@dataclass(frozen=True)
class Report:
    """Where a report is written, and the names of its pages: page → title and one line on what it shows.

    root: the repository. folder, notebooks: relative to it. pages: notebooks by name. cards: plain pages by file name.
    """

    root: Path
    folder: Path
    notebooks: Path
    pages: Mapping[str, tuple[str, str]]
    cards: Mapping[str, tuple[str, str]]

    @property
    def listed(self) -> tuple[Page, ...]:
        """All pages, as the landing page lists them."""
        texts = {f"{name}.html": text for name, text in self.pages.items()} | dict(self.cards)
        return tuple(Page(title, target, summary) for target, (title, summary) in texts.items())

    @property
    def navigation(self) -> list[Link]:
        """The links above every page."""
        return [Link("All twins", f"../{INDEX}"), Link("Overview", INDEX), *self.listed]

    def publish(self, draw: Callable[[], Mapping[str, Picture]], *, state: Path, workers: int) -> Mapping[str, Picture]:
        """Run the notebooks and, beside them, draw the pictures that are kept as files; returns the pictures.

        state: folder for executed notebooks, taken up again where nothing that they read has changed, and for a failing
        one. Raises RunError for a notebook that is missing or fails.
        """
        where = self.root / self.notebooks
        missing = [f"{name}.ipynb" for name in self.pages if not (where / f"{name}.ipynb").is_file()]
        if missing:
            raise RunError(
                f"report: {where}: {', '.join(missing)} missing: restore with `git checkout {self.notebooks}`"
            )
        # The root as seen from the notebooks' folder, so that no page knows where on a machine it was made.
        parameters = {"root": "/".join(".." for _ in self.notebooks.parts)}
        folder = self.root / self.folder
        jobs = [Job(where / f"{name}.ipynb", folder / f"{name}.html", parameters) for name in self.pages]
        with ThreadPoolExecutor(max_workers=1) as beside:
            published = beside.submit(
                publish,
                jobs,
                root=self.root,
                kept=state / self.folder,
                navigation=self.navigation,
                workers=min(workers, SIDE_BY_SIDE),
            )
            pictures = draw()
            for name, picture in pictures.items():
                picture.save(folder / FIGURES / f"{name}.png")
            published.result()
        return pictures

    def write_card(self, name: str, content: Markup) -> None:
        """Write one of the plain pages around safe markup."""
        title, _ = self.cards[name]
        write_plain(self.root / self.folder / name, title=title, content=content, navigation=self.navigation)

    def write_landing(self, landing: Landing) -> None:
        """Write the first page."""
        write_landing(self.root / self.folder / INDEX, landing, navigation=self.navigation)


def parameters_page(params: Mapping[str, Any]) -> Markup:
    """Every value that a report was made with, as params.yaml holds them."""
    plain = json.loads(json.dumps(params))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return Markup("<h1>Parameters</h1>\n<p>As params.yaml held them for this run.</p>\n<pre>{}</pre>").format(text)


def traces(twin: str, results: str) -> tuple[Markup, Markup]:
    """How to find the run and the parameters behind a page. results: the digest that the run is tagged with."""
    run = Markup("The MLflow run: <code>make ui</code>, experiment <em>{}</em>, search for <code>{}</code>.")
    return (
        run.format(twin, f"tags.results = '{results}'"),
        Markup('The exact parameters: <a href="params.html">params</a>, and params.yaml of the same commit.'),
    )
