"""Answers of weak and strong models to the items of a task, checked by verifiers and compared with gold."""

from __future__ import annotations

import inspect
import itertools
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from outgrow import verifiers
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import hashed
from outgrow.generation import PLAIN, candidates, chats
from outgrow.generation.answers import classes_of
from outgrow.generation.candidates import Candidates
from outgrow.generation.candidates.choice import SOUND, UNSOUND, UNTOLD, VerdictTable
from outgrow.generation.candidates.forms import FORMS
from outgrow.pipeline import scoring
from outgrow.pipeline.choices import Bench, ChoiceCost
from outgrow.store import Store
from outgrow.tasks.prompting import CHAT
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.verifiers import Attempt, Verdict

UNIT = 256
"""Answers that are checked, and kept, together, whole items at a time."""
STANDING = {True: SOUND, None: UNTOLD, False: UNSOUND}
SOUNDNESS = {standing: sound for sound, standing in STANDING.items()}


@final
@dataclass(frozen=True)
class AnswerSet:
    """Answers of J models to all items."""

    models: tuple[str, ...]
    texts: list[list[list[str]]]
    """[j][i][k]"""
    logprobs: list[list[list[float]]] | None = None
    correct: list[list[list[bool]]] | None = None
    """Where a table says so; None: gold is to be asked."""
    cost: tuple[ChoiceCost, ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict)
    """Model -> "chat" or "plain", as it was asked; of a recorded model it is not known."""
    cut: list[list[list[bool]]] | None = None
    """Which were cut at the token limit; None where nobody knows."""


def check(
    draws: int, temperature: float, names: Sequence[str], columns: Columns, models: Mapping[str, Sequence[str]]
) -> None:
    """Raises UserError for what is asked wrongly, before anything is read; models by their parameter."""
    from outgrow.training.names import check as check_model

    if draws < 1:
        raise UserError(f"`draws` = {draws}: give a number above 0")
    if temperature < 0:
        raise UserError(f"`temperature` = {temperature}: give 0 or more")
    for name in names:
        verifiers.find(name)
    if columns.scorer:
        scoring.check(columns.scorer)
    if columns.form and columns.form not in FORMS:
        raise unknown("form", columns.form, FORMS)
    for parameter, its in models.items():
        for name in its:
            check_model(name, f"model for `{parameter}`")


def asks_model(names: Sequence[str], judge: str | None) -> bool:
    """Whether one of the verifiers asks a model. Raises UserError where it does, and there is no judge."""
    asking = [name for name in names if "model" in verifiers.find(name).needs]
    if asking and judge is None:
        raise UserError(f"verifier {asking[0]!r} asks a model: name it with `judge`")
    return bool(asking)


def sampled(
    names: Sequence[str], task: GenerationTask, draws: int, temperature: float, seed: int, store: Store
) -> AnswerSet:
    """Answers of models to the items."""
    from outgrow.generation import Sampling, answers
    from outgrow.generation.local import Local
    from outgrow.generation.records import RecordedModel
    from outgrow.training.names import named

    how = Sampling(tokens=task.tokens, temperature=temperature, stop=task.stop, prompting=task.prompting)
    texts, logprobs, costs, cut, forms = [], [], [], [], {}
    for name in names:
        model = named(name, store)
        if not isinstance(model, RecordedModel):
            forms[name] = CHAT if chats(model, task.prompting) else PLAIN.form
        drawn = answers.sample(model, task.prompts, draws, how, seed, store)
        texts.append([[a.text for a in row] for row in drawn.answers])
        cut.append([[a.cut for a in row] for row in drawn.answers])
        logprobs.append([[float(np.sum(a.logprobs)) if a.logprobs else np.nan for a in row] for row in drawn.answers])
        parameters = model.model.parameters if isinstance(model, Local) else None
        flops = 2.0 * parameters * drawn.tokens if parameters else None
        costs.append(ChoiceCost(f"{name} writes", draws * len(task), drawn.tokens, drawn.seconds, flops))
    return AnswerSet(tuple(names), texts, logprobs, cost=tuple(costs), forms=forms, cut=cut)


def bench(
    who: str,
    task: GenerationTask,
    gold: GenerationGold,
    written: AnswerSet,
    names: Sequence[str],
    judge: str | None,
    store: Store,
) -> Bench:
    """The answers, checked and compared with gold."""
    gathered = candidates.gather(written.texts, written.models, task.form, written.logprobs)
    if written.correct is not None:
        right = np.array(
            [
                written.correct[j][i][k]
                for i, j, k in zip(gathered.item, gathered.supervisor, gathered.sample, strict=True)
            ],
            bool,
        )
    else:
        right = _right(
            task.scorer,
            [task.prompts[i] for i in gathered.item],
            gathered.texts,
            [gold.keys[i] for i in gathered.item],
            store,
        )
    verdicts, costs = {}, list(written.cost)
    combine = [name for name in names if "verdicts" in verifiers.registry()[name].needs]
    for name in dict.fromkeys((*(n for n in names if n not in combine), *([task.verifier] if task.verifier else []))):
        verdicts[name], seconds = verdicts_of(name, task, gathered, judge, store)
        costs.append(ChoiceCost(f"{name} checks", len(gathered.item), seconds=seconds))
    for name in combine:
        others = {other: verdicts[other] for other in names if other not in combine}
        verdicts[name] = combined(name, task, gathered, others)
    shown = verdicts[task.verifier].standing == SOUND if task.verifier else None
    cut = None
    if written.cut is not None:
        cut = np.array(
            [written.cut[j][i][k] for i, j, k in zip(gathered.item, gathered.supervisor, gathered.sample, strict=True)],
            bool,
        )
    return Bench(who, gathered, right, shown, {name: verdicts[name] for name in names}, tuple(costs), cut)


def _right(scorer: str, prompts: Sequence[str], texts: Sequence[str], keys: Sequence[Any], store: Store) -> np.ndarray:
    """(A,) bool by gold, each different answer once; checks that run code are kept, like verdicts."""
    if scorer not in verifiers.registry():
        return scoring.right(scorer, prompts, texts, keys)
    made = {"code": fingerprint("scored", verifiers.registry()[scorer].run), "scorer": scorer}
    found = []
    with progress.track(f"comparing with gold by {scorer}", len(texts)) as bar:
        for start in range(0, len(texts), UNIT):
            part = slice(start, start + UNIT)
            rows = list(zip(prompts[part], texts[part], map(_text, keys[part]), strict=True))
            different = list(dict.fromkeys(rows))
            first = {row: start + at for at, row in reversed(list(enumerate(rows)))}
            at = [first[row] for row in different]

            def build(at: list[int] = at) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
                right = scoring.right(scorer, [prompts[i] for i in at], [texts[i] for i in at], [keys[i] for i in at])
                return {"right": right}, {}

            right = store.make(
                "scored", {**made, "rows": hashed(*(part for row in different for part in row))}, build
            ).arrays["right"]
            number = {row: n for n, row in enumerate(different)}
            found.append(right[[number[row] for row in rows]])
            bar.advance(len(rows))
    return np.concatenate(found)


def verdicts_of(
    name: str, task: GenerationTask, gathered: Candidates, judge: str | None, store: Store
) -> tuple[VerdictTable, float]:
    """The verdicts of a verifier on every answer, and their cost in seconds; kept in the store unit by unit."""
    from outgrow.training.names import named

    check = verifiers.registry()[name]
    made: dict[str, Any] = {"code": fingerprint("verdicts", check.run), "verifier": name}
    given: dict[str, Any] = {}
    if "model" in check.needs:
        assert judge is not None
        given["model"] = named(judge, store)
        chat = chats(given["model"], task.prompting)
        made |= {"judge": given["model"].digest, "engine": given["model"].engine, "chat": chat}
        made["code"] = fingerprint("verdicts", check.run, *classes_of(given["model"]))
        # A verifier of one's own need not know how the judge is asked.
        given |= {"chat": chat} if "chat" in inspect.signature(check.run).parameters else {}
    said: list[Verdict] = []
    seconds = 0.0
    with progress.track(f"{name} checks answers", len(gathered.item)) as bar:
        for low, high in _units(gathered):
            asked = _asked(task, gathered, range(*np.searchsorted(gathered.item, [low, high])))

            def build(asked: list[Attempt] = asked) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
                began = time.monotonic()
                found = check.run(asked, **given)
                return {}, {"said": [(v.sound, v.why, v.score) for v in found], "seconds": time.monotonic() - began}

            what = hashed(*(part for one in asked for part in (one.prompt, one.answer, _text(one.shown))))
            kept = store.make("verdicts", {**made, "asked": what}, build).meta
            said += [Verdict(*one) for one in kept["said"]]
            seconds += kept["seconds"]
            bar.advance(len(asked))
    return noted(said), seconds


def combined(name: str, task: GenerationTask, gathered: Candidates, others: dict[str, VerdictTable]) -> VerdictTable:
    """The verdicts of a verifier that combines the verdicts of others."""
    said = {
        other: [
            Verdict(SOUNDNESS[int(standing)], score=None if given.silent else float(score))
            for standing, score in zip(given.standing, given.score, strict=True)
        ]
        for other, given in others.items()
    }
    return noted(verifiers.registry()[name].run(_asked(task, gathered, range(len(gathered.item))), said))


def _asked(task: GenerationTask, gathered: Candidates, rows: Iterable[int]) -> list[Attempt]:
    return [Attempt(task.prompts[gathered.item[r]], gathered.texts[r], task.shown[gathered.item[r]]) for r in rows]


def noted(said: Sequence[Verdict]) -> VerdictTable:
    """Verdicts as arrays; those without a score stand below all that have one."""
    standing = np.array([STANDING[v.sound] for v in said], np.int8)
    scores = np.array([np.nan if v.score is None else v.score for v in said], np.float64)
    lacks = np.isnan(scores)
    scores[lacks] = 0.0 if lacks.all() else scores[~lacks].min() - 1
    return VerdictTable(standing, scores, tuple(v.why for v in said), bool(lacks.all()))


def _units(gathered: Candidates) -> list[tuple[int, int]]:
    """Ranges of items with about UNIT answers each."""
    first = np.searchsorted(gathered.item, np.arange(gathered.items + 1))
    cuts = [0]
    for item in range(1, gathered.items + 1):
        if first[item] - first[cuts[-1]] >= UNIT or item == gathered.items:
            cuts.append(item)
    return list(itertools.pairwise(cuts))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
