"""What of a person's results is shown outside the notebooks: pictures as files, the dashboards, model and data card."""

from collections.abc import Mapping
from pathlib import Path

from twinloop.numbers import MISSING, count, counted, fixed, interval, number, percent, quantity
from twinloop.reporting.cards import ModelCard, markdown_table, markdown_text
from twinloop.reporting.figures import appointments, capacity, dialogue
from twinloop.reporting.pages import KeyFigure, Section
from twinloop.reporting.style import Picture
from twinloop.reporting.tables import Table
from twinloop.twins.person.load.capacity import TITLES
from twinloop.twins.person.results.agenda import Agenda
from twinloop.twins.person.results.base import PersonOutputs, shown_share
from twinloop.twins.person.results.capacity import Capacity
from twinloop.twins.person.results.knowledge import Knowledge
from twinloop.twins.person.results.persona import Persona
from twinloop.twins.person.results.speech import Speech

NONE, NOBODY = "none", "nobody"
ROLES = {
    "speech_to_text": "hears",
    "encoder": "finds by meaning",
    "language_model": "writes",
    "text_to_speech": "speaks",
}


def pictures(root: Path) -> dict[str, Picture]:
    """Every figure that is kept as a file, under the plain name that MLflow shows."""
    heard, known, said, served = Speech(root), Knowledge(root), Persona(root), Capacity(root)
    return {
        "users": capacity.response_times(**served.response()),
        "levers": capacity.levers(**served.gains()),
        "workers": capacity.workers(**served.workers()),
        "parts_of_a_turn": capacity.parts(**served.parts()),
        "meetings": appointments.agenda(**Agenda(root).figure()),
        "word_error_rates": dialogue.word_error_rates(heard.word_errors()),
        "error_propagation": dialogue.ways(**heard.propagation()),
        "commands": dialogue.commands(heard.commands()),
        "ways_to_find": dialogue.ways(**known.ways()),
        "encoder_gate": dialogue.gate(**known.gate()),
        "refusals": dialogue.refusals(**said.refusals()),
        "sliders": dialogue.sliders(**said.sliders()),
        "persona_cost": dialogue.ways(**said.cost()),
    }


def sections(root: Path, drawn: Mapping[str, Picture]) -> tuple[Section, ...]:
    """The dashboards: of whoever talks to it, of who answers for the model, of who pays for the service."""
    return _conversation(root, drawn), _model(root, drawn), _business(root, drawn)


def _conversation(root: Path, drawn: Mapping[str, Picture]) -> Section:
    outputs, heard = PersonOutputs(root), Speech(root)
    answerable = "of the questions that can be answered"
    return Section(
        "conversation",
        "Conversation",
        "For whoever talks to it: what is understood, answered and refused.",
        (
            _share(outputs, "hit", "answered, typed", answerable),
            _share(outputs, "hit_recognised", "answered, spoken", f"{answerable}, heard by {heard.recogniser}"),
            _share(outputs, "refusal_recall", "rightly refused", "of those that nothing known answers"),
            _share(outputs, "refusal_false", "wrongly refused", answerable),
        ),
        (drawn["error_propagation"], drawn["refusals"]),
    )


def _model(root: Path, drawn: Mapping[str, Picture]) -> Section:
    outputs = PersonOutputs(root)
    return Section(
        "model",
        "Model",
        "For whoever answers for what it says: how well it hears, finds and keeps to its sources.",
        (
            _share(outputs, "wer", "word error rate", "of synthetic voices"),
            _key(outputs, "ndcg", "nDCG@10", "the right passages come first; 1 is perfect"),
            _key(outputs, "f1", "token F1", "words shared with the right answer; 1 is perfect"),
            _share(outputs, "faithfulness", "faithful", "of all statements stand in their sources"),
            _key(outputs, "persona_rank", "manner", "rank correlation of the slider that shows least"),
        ),
        (drawn["word_error_rates"], drawn["ways_to_find"]),
    )


def _business(root: Path, drawn: Mapping[str, Picture]) -> Section:
    outputs = PersonOutputs(root)
    simulated, scheduled = outputs.metrics("simulate"), outputs.metrics("schedule")
    scarcest, cores = str(simulated["bottleneck"]), counted(simulated["cores"], "core")
    ends = interval(simulated["users_low"], simulated["users_high"], digits=2)
    return Section(
        "business",
        "Business",
        "For whoever runs the service: how many it serves, what that costs, which meetings it attends.",
        (
            KeyFigure("people at once", count(simulated["users"]), f"on {cores}; 95 % interval {ends}"),
            KeyFigure("slowest turns", quantity(simulated["turn_p95_s"], "s"), "95 % of all turns take no longer"),
            KeyFigure("scarcest part", TITLES.get(scarcest, scarcest), "what to scale first"),
            KeyFigure("meetings attended", count(scheduled["attended"]), f"of {count(scheduled['meetings'])}"),
        ),
        (drawn["levers"], drawn["workers"]),
    )


def _share(outputs: PersonOutputs, name: str, label: str, note: str) -> KeyFigure:
    """A share that evaluate measured, in per cent."""
    value = outputs.measured("evaluate", name)
    if value is None:
        return KeyFigure(label, MISSING, "not measured: nothing was spoken")
    ends = f"{percent(value.low, digits=0)} … {percent(value.high, digits=0)}"
    return KeyFigure(label, percent(value.mean), f"{note}; 95 % interval {ends}" if value.known else note)


def _key(outputs: PersonOutputs, name: str, label: str, note: str) -> KeyFigure:
    """A figure that evaluate measured."""
    value = outputs.measured("evaluate", name)
    if value is None:
        return KeyFigure(label, MISSING, "not measured")
    ends = interval(value.low, value.high, digits=2)
    return KeyFigure(label, number(value.mean), f"{note}; 95 % interval {ends}" if value.known else note)


def model_card(root: Path) -> ModelCard:
    """The responder's card."""
    outputs, heard, known, said = PersonOutputs(root), Speech(root), Knowledge(root), Persona(root)
    prepared, trained, export = (outputs.metrics(stage) for stage in ("prepare", "train", "export"))
    answers, heard_by = outputs.described["answers"], outputs.described.get("heard")
    threshold = answers["refusal"]["threshold"]
    chosen = outputs.described["providers"]
    roles = ((told, str(chosen[role]["name"]).replace(NONE, NOBODY)) for role, told in ROLES.items())
    return ModelCard(
        title="Model card: responder",
        description="Answers questions about what one person knows: hears, finds, answers with sources, and speaks.",
        facts=(
            ("providers", str(chosen["name"])),
            *roles,
            ("answers as", str(outputs.described["name"]) or "nobody in particular"),
            ("encoder served in", str(export["format"])),
            ("learnt from", f"{count(trained['train_questions'])} questions of training documents"),
            ("data", f"{prepared['data']}, digest (sha256) {prepared['dataset_sha256']}"),
        ),
        metrics=known.summary(),
        operating_point=Table.of(
            ("", "this responder"),
            [
                ("says nothing below a confidence of", fixed(threshold, 2)),
                ("of questions that are heard", fixed((heard_by or answers)["refusal"]["threshold"], 2)),
                ("rightly refused there", shown_share(outputs.measured("evaluate", "refusal_recall"))),
                ("wrongly refused there", shown_share(outputs.measured("evaluate", "refusal_false"))),
            ],
        ),
        sections=(
            ("Hearing", heard.lost(), heard.recognisers()),
            ("What each part is worth", "The same questions with something left out or exchanged.", known.figures()),
            ("A careless split", "What it would have promised.", known.promised()),
            ("Manner", "How well the text alone shows where each slider stands.", said.measures()),
        ),
        intended=(
            "Answering questions about the documents and meetings of the person who gave them, with sources.",
            "Comparing recognisers, encoders, personas and voices by what they do to the whole conversation.",
        ),
        limits=(
            "What it says stands in its documents; whether these are true it does not know.",
            f"Of the questions that nothing known answers, {percent(_refused(outputs), digits=0)} are refused; to the "
            "others something is said that is not an answer.",
            "It was heard in synthetic voices; people on bad lines are misheard more often.",
            "English. Questions in other languages are refused or answered by chance.",
            "It speaks in a person's manner and is not that person: say so wherever somebody could take it for them.",
        ),
    )


def _refused(outputs: PersonOutputs) -> float | None:
    refused = outputs.measured("evaluate", "refusal_recall")
    return None if refused is None else refused.mean


def data_card(root: Path) -> str:
    """The dataset's card, Markdown; names from the data cannot become markup."""
    outputs, heard, known = PersonOutputs(root), Speech(root), Knowledge(root)
    about = outputs.prepared
    left = [(reason, count(number_)) for reason, number_ in about["left_out"].items()] or [("nothing", "0")]
    parts = [
        f"# Data card: {markdown_text(str(about['layout']))}",
        "What the person's self knows, and the questions that it was judged by.",
        "## What it is",
        markdown_table(known.known()),
        "## How it was divided",
        markdown_text(known.leaks()) + " A question is judged only where its document and its template are held out.",
        markdown_table(known.divided()),
        "## What was spoken",
        markdown_table(heard.summary()),
        "## What was left out or changed",
        markdown_table(Table.of(("reason", "files or entries"), left, numeric=(1,))),
        "## Notes",
        "\n".join(f"- {markdown_text(str(note))}" for note in about["notes"]) or "None.",
        f"Content digest (sha256) `{outputs.metrics('prepare')['dataset_sha256']}`.",
    ]
    return "\n\n".join(parts) + "\n"
