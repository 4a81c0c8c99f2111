"""The model card of a saved student: README.md in the form of the Hugging Face hub, made of what its folder says.

Nothing is invented: what the folder does not know, such as a licence, the card says to be unknown. A card that its
owner has edited is left as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from outgrow.core import progress
from outgrow.models import hub
from outgrow.models.catalogue import entry_of
from outgrow.report import gold, learn
from outgrow.report.words import interval, percent, sentence, share
from outgrow.runs import read as runs
from outgrow.runs.write import kept_in
from outgrow.store import disk
from outgrow.students import student_file
from outgrow.students.student_file import CARD, FACTS, TEXT, VOTES, StudentFile
from outgrow.training.classifier import KINDS

SHOWN = 12
"""Annotators and classes that are named one by one."""
PIPELINES = {"texts": "text-classification", "pairs": "text-classification", "images": "image-classification"}
"""By what a student reads the hub's name for its task; others have none there."""
METRICS = {"accuracy": "accuracy", "choice": "accuracy"}
"""By metric of a study the hub's name for it."""
_MARK = re.compile(r"<!-- outgrow (\w{64}) -->\n\Z")


@final
@dataclass(frozen=True)
class CardFigures:
    """What a card says of scores and of data."""

    task: str
    source: str
    classes: tuple[str, ...]
    answer: str
    """In a sentence whether the student is better than what taught it."""
    metric: str
    """"" where nothing was judged."""
    how: str
    """What the scores were measured on."""
    rows: tuple[tuple[str, float | None, Any], ...]
    """(name, score, 95% interval), the student first."""
    limits: tuple[str, ...]
    gold: tuple[str, ...] = ()
    """What gold was for."""
    by: str = "weak labels"


def of_learn(folder: Path) -> Path:
    """Write the card of the student that `learn` taught, and say where it is."""
    facts = learn.read(folder)
    task, trust, verdict = facts["task"], facts["trust"], facts["verdict"]
    rows = learn.labellers(verdict)
    limits = [f"The student hardly ever predicts {name}, though it is among the labels." for name in trust["lost"]]
    limits += [f"{one['says']} {one['do']}" for one in facts["findings"] if one["severity"] in ("stop", "warning")]
    if learn.failed(facts):
        limits.insert(0, f"A control failed, the figures are not to be relied on: {facts['canary']['says']}")
    if rows:
        how = f"{verdict['judged']:,} items with gold, each judged by a student that it did not teach"
        shown = [(learn.titled(row), row["accuracy"], row["accuracy_ci"]) for row in rows]
    else:
        how, shown = "", []
        limits.append(
            "No gold has judged it. On items that did not teach it, it agrees with the label model on "
            f"{percent(trust['same'])}{_after(trust['same_ci'])} of them, which is no accuracy."
        )
    both = "weak labels and gold" if (facts.get("gold") or {}).get("taught") else "weak labels"
    figures = CardFigures(
        task["name"], task["source"], tuple(task["classes"]), learn.headline(facts).label, "accuracy" if rows else "",
        how, tuple(shown), tuple(limits), tuple(gold.said(facts.get("gold"))), both,
    )  # fmt: skip
    return _write(Path(folder), figures)


def of_run(folder: Path) -> list[Path]:
    """Write the cards of the students that a study kept in its folder."""
    report, written = runs.read(folder), []
    for pair in report.pairs:
        place = Path(folder) / kept_in(pair.task, pair.weak, pair.strong, len(report.pairs))
        if (place / FACTS).is_file():
            written.append(_write(place, _of_pair(report, pair, student_file.read(place))))
    return written


def _of_pair(report: runs.Report, pair: runs.RunPair, student: StudentFile) -> CardFigures:
    about, view = report.tasks[pair.task], pair.main
    method = view.row(student.taught["method"])
    compared = () if method is None else (method, view.floor, view.row("ceiling"))
    recovered = "" if method is None or method.pgr is None else f"; it recovers {share(method.pgr)} of the gap"
    items = max((row.n_test for row in view.rows), default=0)
    return CardFigures(
        pair.task,
        about.get("source", ""),
        tuple(about.get("classes", ())),
        f"A study compares it with its floor and its ceiling{recovered}",
        view.metric,
        f"{items:,} test items, mean over {pair.replicates} replicates, of which this student is the first",
        tuple((row.method, row.value, row.value_ci) for row in compared if row is not None),
        tuple(f"{one['says']} {one['do']}" for one in report.findings if one["severity"] in ("stop", "warning")),
    )


def _write(folder: Path, figures: CardFigures) -> Path:
    """Write the card, unless its owner has edited the one that is there."""
    path, student = folder / CARD, student_file.read(folder)
    if path.exists() and not _own(path.read_text(encoding="utf-8")):
        progress.say(f"{path} was edited: it is left as it is")
        return path
    parts = [_metadata(folder, student, figures), *_body(student, figures)]
    text = "\n\n".join([*filter(None, parts), ""])
    disk.write(path, f"{text}<!-- outgrow {hashlib.sha256(text.encode()).hexdigest()} -->\n")
    return path


def _own(text: str) -> bool:
    """Whether a card is as it was written here."""
    found = _MARK.search(text)
    return found is not None and hashlib.sha256(text[: found.start()].encode()).hexdigest() == found[1]


def base_of(student: StudentFile) -> str | None:
    """The hub's id of the model that the student stands on; None where it is not known to be there."""
    if (entry := entry_of(student.model)) is not None:
        return None if entry.hub is None else entry.hub.repository
    match = hub.ID.fullmatch(student.model)
    known = match is not None and student.revision.startswith(f"{match['repository']}@")
    return match["repository"] if match is not None and known else None


def _metadata(folder: Path, student: StudentFile, figures: CardFigures) -> str:
    """The YAML block; texts in it are JSON, which is YAML."""
    base, data = base_of(student), re.match(r"hub:([\w.-]+/[\w.-]+)", figures.source)
    pipeline = "text-generation" if student.head == TEXT else PIPELINES.get(student.reads)
    lines = ["license: unknown", "library_name: outgrow"]
    lines += [f"pipeline_tag: {pipeline}"] if pipeline else []
    lines += [f"base_model: {_yaml(base)}"] if base else []
    lines += ["datasets:", f"- {_yaml(data[1])}"] if data else []
    lines += ["tags:", "- weak-supervision", "- weak-to-strong"]
    if figures.metric in METRICS and pipeline and figures.rows and figures.rows[0][1] is not None:
        name = METRICS[figures.metric]
        lines += ["metrics:", f"- {name}", "model-index:", f"- name: {_yaml(folder.resolve().name)}", "  results:"]
        lines += ["  - task:", f"      type: {pipeline}", "    dataset:", f"      name: {_yaml(figures.task)}"]
        lines += [f"      type: {_yaml(data[1] if data else 'unpublished')}", "    metrics:", f"    - type: {name}"]
        lines += [f"      value: {figures.rows[0][1]:.4f}", f"      name: {_yaml('accuracy on ' + figures.how)}"]
    return "\n".join(["---", *lines, "---"])


def _yaml(text: str) -> str:
    # YAML knows no surrogate pairs, as which JSON's escapes write an emoji.
    return json.dumps(progress.visible(text), ensure_ascii=False)


def _body(student: StudentFile, figures: CardFigures) -> list[str]:
    classes = _named(figures.classes or student.classes)
    what = f"It tells {classes} apart" if classes else "It answers prompts"
    rows = [f"| {_plain(name)} | {percent(value)} | {interval(ends)} |" for name, value, ends in figures.rows]
    table = ["| | score | 95% interval |", "|---|---|---|", *rows]
    return [
        f"# A student of {_plain(figures.task)}",
        f"{what}, and was taught by {figures.by} with outgrow.",
        "## How good it is",
        f"{_plain(figures.answer)}.",
        f"{sentence(runs.METRICS.get(figures.metric, figures.metric))[:-1]} on {figures.how}:" if rows else "",
        "\n".join(table) if rows else "Its accuracy is not known: there was too little gold to judge it by.",
        "## How it was taught",
        _list(_teaching(student, figures)),
        "## Limits",
        _list(map(_plain, (*figures.limits, *_limits(student)))),
        "## How to use it",
        _usage(student),
        "## Licence",
        _licence(student),
    ]


def _teaching(student: StudentFile, figures: CardFigures) -> list[str]:
    taught = student.taught
    parameters = ", ".join(f"{name} = {value}" for name, value in (taught.get("parameters") or {}).items())
    said = [f"Supervised by {_named(student.voters)}."]
    said += [f"Items that taught it: {taught['items']:,}."] if "items" in taught else []
    said += [f"Label model: {_plain(taught['label_model'])}."] if taught.get("label_model") else []
    said += [f"Method: {_plain(str(taught.get('method')))}{f' ({_plain(parameters)})' if parameters else ''}."]
    if student.model not in (VOTES, ""):
        said.append(f"Model: {_plain(_called(student))}, {_how(student)}.")
    said += [_plain(one) for one in figures.gold]
    return [*said, f"Data: {_plain(figures.source) or 'not recorded'}."]


def _how(student: StudentFile) -> str:
    if student.head in (*KINDS, TEXT):
        return "fine-tuned; this folder is a checkpoint of its own"
    layers = sorted({str(head["layer"]) for head in student.heads})
    return f"frozen, with {len(student.heads)} {student.head} head(s) on layer {', '.join(layers)}"


def _called(student: StudentFile) -> str:
    """The model by its name; of a local folder only the last part."""
    return student.model if hub.ID.fullmatch(student.model) else Path(student.model).name


def _limits(student: StudentFile) -> list[str]:
    said = ["It has learned what its supervisors err on together, and a score holds for data of the same kind alone."]
    if student.head not in (*KINDS, TEXT) and Path(student.model).is_absolute():
        said.append("It reads features of a local checkpoint, and needs the same bytes at the same place.")
    return said


def _usage(student: StudentFile) -> str:
    given = {
        "pairs": '[("one text", "another")]',
        "images": '[open("image.png", "rb").read()]',
        "images and texts": '[(open("image.png", "rb").read(), "a text")]',
        "features": "features",
        "votes": "votes",
    }.get(student.reads, '["one text", "another"]')
    lines = ["import outgrow", "from huggingface_hub import snapshot_download", ""]
    lines += ['student = outgrow.load(snapshot_download("OWNER/NAME"))   # or the path of this folder']
    lines += [f"student.predict({given})"]
    lines += [] if student.head == TEXT else [f"student.predict_proba({given})   # in the order of student.classes_"]
    return "\n".join(["```python", *lines, "```"])


def _licence(student: StudentFile) -> str:
    said = "The licence of this student is not known: its owner names it in the first lines of this file."
    if student.model in (VOTES, "") or student.revision in ("trained from scratch", "found in the pool's images"):
        return said
    entry, base = entry_of(student.model), base_of(student)
    if entry is not None:
        return f"{said} The model that it stands on is under {entry.licence}."
    return f"{said} That of the model that it stands on is {f'in the card of {base}' if base else 'not known either'}."


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _named(names: Sequence[str]) -> str:
    """Names in a sentence, the first of many."""
    shown = [_plain(name) for name in names[:SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _after(ends: Any) -> str:
    return f" {interval(ends)}" if ends else ""


def _plain(text: str) -> str:
    """A text of the user's in a line of Markdown, with nothing in it that Markdown or HTML reads."""
    return re.sub(r"([\\`*_|<>\[\]#&])", r"\\\1", " ".join(progress.visible(text).split()))
