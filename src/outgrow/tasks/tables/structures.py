"""Tables whose answers have a structure: the slots of a sentence, the calls of functions. Answers are text of our own.

    slots    columns text and slots ([{type, filler}, ...] or JSON of it)  -> "date: monday; place: new york", or "none"
    calls    columns question, functions and ground_truth                  -> "area(base=10, height=5)"

The columns of `calls` hold JSON as of the Berkeley function-calling leaderboard: messages, declarations of functions,
and [{function: {argument: [allowed values]}}, ...], which is empty where no call is right. A split of the data's own is
not used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outgrow.core.errors import UserError
from outgrow.metrics.declarations import Argument, Declaration, callable_by_name, declared
from outgrow.metrics.text import right
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.prompting import AUTO, Prompting
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.gold import WRONG, refuse
from outgrow.tasks.tables.prompts import SILENT, Recorded
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import GenerationGold, GenerationTask

NONE = "none"
SLOTS = "Name the slots of the sentence in one line, as in `date: monday; place: new york`, or `none`."
CALLS = "Answer the question in one line by a call of one of the functions, as in `area(base=10, height=5)`."
LONGEST = 300
"""Letters of a prompt of functions and a question, about 80 tokens; longer ones are left out and counted."""


def slots(
    table: TableFile, items: int | None, written: Sequence[Recorded], skip: bool = False
) -> tuple[GenerationTask, GenerationGold]:
    """Sentences to fill slots from.

    Args:
        table: Of columns text and slots.
        items: At most so many items.
        written: Of each row its recorded answers; None: a row to be left out.
        skip: Whether rows whose gold is wrong by its own scorer are left out instead of refused.

    Raises:
        UserError: A row cannot be read, or its gold is wrong by its own scorer.
    """
    drafts: dict[str, GenerationDraft] = {}
    silent, wrong = 0, []
    rows = _rows(table, "text", "slots")
    for row, (text, (_, value)) in enumerate(zip(texts(table, "text"), rows, strict=True)):
        if (said := written[row]) is None:
            silent += 1
            continue
        found = _json(table, "slots", row, value)
        if not isinstance(found, list) or not all(
            isinstance(slot, Mapping) and {"type", "filler"} <= slot.keys() for slot in found
        ):
            raise UserError(f"{table.name}: column 'slots' holds no list of {{type, filler}} in {table.places([row])}")
        key = [{part: str(slot[part]) for part in ("type", "filler")} for slot in found]
        answer = "; ".join(f"{slot['type']}: {slot['filler']}" for slot in key) or NONE
        if not right("slots", answer, key):
            wrong.append(row)
            continue
        drafts.setdefault(text, GenerationDraft(_slots_prompt(text), answer, key, {"sentence": text}, said))
    refuse(table, "slots", wrong, table.column("slots").__getitem__, skip)
    return _built(
        table,
        drafts,
        items,
        {SILENT: silent, WRONG: len(wrong)},
        verifier="fillers",
        scorer="slots",
        tokens=48,
        instruction=SLOTS,
    )


def calls(
    table: TableFile, items: int | None, written: Sequence[Recorded], skip: bool = False
) -> tuple[GenerationTask, GenerationGold]:
    """Questions to answer by a call of one of the functions that come with it; else as `slots`."""
    drafts: dict[str, GenerationDraft] = {}
    long = silent = 0
    wrong = []
    for row, (asked, offered, allowed) in enumerate(_rows(table, "question", "functions", "ground_truth")):
        messages, functions = (
            _json(table, name, row, value) for name, value in (("question", asked), ("functions", offered))
        )
        key = _json(table, "ground_truth", row, allowed)
        try:
            prompt = _calls_prompt(messages, functions)
            answer = _call(key)
        except (TypeError, KeyError, AttributeError):
            raise UserError(
                f"{table.name}: no functions, question and calls as the leaderboard writes them in "
                f"{table.places([row])}"
            ) from None
        except ValueError as error:
            raise UserError(f"{table.name}: {error}, in {table.places([row])}: mend the row, or leave it out") from None
        if len(prompt) > LONGEST:
            long += 1
        elif (said := written[row]) is None:
            silent += 1
        elif not right("calls", answer, key):
            wrong.append(row)
        else:
            drafts.setdefault(prompt, GenerationDraft(prompt, answer, key, {"functions": functions}, said))
    refuse(table, "calls", wrong, table.column("ground_truth").__getitem__, skip)
    left_out = {f"left out: a prompt of more than {LONGEST} letters": long, SILENT: silent, WRONG: len(wrong)}
    return _built(table, drafts, items, left_out, verifier="signature", scorer="calls", tokens=96, instruction=CALLS)


LAYOUTS: dict[
    str, Callable[[TableFile, int | None, Sequence[Recorded], bool], tuple[GenerationTask, GenerationGold]]
] = {
    "slots": slots,
    "calls": calls,
}


def _slots_prompts(table: TableFile) -> list[str]:
    _rows(table, "text")
    return [_slots_prompt(text) for text in texts(table, "text")]


def _calls_prompts(table: TableFile) -> list[str]:
    found = []
    for row, cells in enumerate(_rows(table, "question", "functions")):
        names = ("question", "functions")
        messages, functions = (_json(table, name, row, value) for name, value in zip(names, cells, strict=True))
        try:
            found.append(_calls_prompt(messages, functions))
        except (TypeError, KeyError, AttributeError, ValueError):
            raise UserError(
                f"{table.name}: no functions and question as the leaderboard writes them in {table.places([row])}"
            ) from None
    return found


PROMPTS: dict[str, Callable[[TableFile], list[str]]] = {"slots": _slots_prompts, "calls": _calls_prompts}
"""By layout the prompts of a table without gold."""


def _slots_prompt(text: str) -> str:
    return f"{text}\nSlots:\n"


def _calls_prompt(messages: Any, functions: Any) -> str:
    return "\n".join([*map(_signature, declared(functions).values()), _said(messages), "Call:\n"])


def _built(
    table: TableFile,
    drafts: Mapping[str, GenerationDraft],
    items: int | None,
    left_out: Mapping[str, int],
    *,
    verifier: str,
    scorer: str,
    tokens: int,
    instruction: str,
) -> tuple[GenerationTask, GenerationGold]:
    counts = {
        "rows": len(table.lines),
        **left_out,
        "left out: the prompt comes again": len(table.lines) - len(drafts) - sum(left_out.values()),
    }
    if not drafts:
        raise UserError(f"{table.name}: no row is left ({counts})")
    return build_generation(
        table.name,
        list(drafts.values()),
        items,
        verifier=verifier,
        scorer=scorer,
        form="words",
        tokens=tokens,
        stop=("\n",),
        prompting=Prompting(AUTO, instruction=instruction),
        counts={what: n for what, n in counts.items() if n},
        source=table.source,
    )


def _rows(table: TableFile, *columns: str) -> Sequence[tuple[Any, ...]]:
    for column in columns:
        if column not in table.names:
            raise UserError(
                f"{table.name}: no column {column!r}: columns {', '.join(columns)} are needed, the table has "
                f"{', '.join(table.names)}"
            )
    rows = list(zip(*map(table.column, columns), strict=True))
    if bad := [i for i, row in enumerate(rows) if blank(row[0])]:
        raise UserError(f"{table.name}: no {columns[0]} in {table.places(bad)}: leave the rows out")
    return rows


def _json(table: TableFile, column: str, row: int, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{table.name}: column {column!r} holds no JSON in {table.places([row])}: {error}") from None


def _said(messages: Any) -> str:
    """What the messages of one conversation say."""
    one = messages[0] if messages and isinstance(messages[0], list) else messages
    return "\n".join(" ".join(message["content"].split()) for message in one)


def _signature(function: Declaration) -> str:
    """A function in one line: name, arguments with types (a question mark: may be left out), and what it does."""
    arguments = [
        f"{name}{'' if argument.needed else '?'}: {_type(argument)}" for name, argument in function.arguments.items()
    ]
    return f"{function.name}({', '.join(arguments)}): {re.split(r'(?<=[.])[ ]', function.about)[0]}"


def _type(argument: Argument) -> str:
    if argument.options:
        return "|".join(map(str, argument.options))
    kinds = "|".join(argument.kinds) or "any"
    return f"{kinds} of {argument.items}" if argument.items else kinds


def _call(key: Sequence[Mapping[str, Mapping[str, Any]]] | None) -> str:
    """One right answer: of each argument that must be there the first value allowed."""
    made = []
    for call in key or ():
        for name, arguments in call.items():
            if bad := [one for one in arguments if not str(one).isidentifier()]:
                raise ValueError(f"the argument {bad[0]!r:.80} of {name} has a name that no call can be written with")
            if not callable_by_name(name):
                raise ValueError(f"the function {name!r:.80} has a name that no call can be written with")
            if empty := [argument for argument, values in arguments.items() if values == []]:
                raise ValueError(f"no value is allowed for {empty[0]} of {name}")
            needed = {argument: _first(values) for argument, values in arguments.items() if "" not in _options(values)}
            made.append(f"{name}({', '.join(f'{argument}={value!r}' for argument, value in needed.items())})")
    return NONE if not made else made[0] if len(made) == 1 else f"[{', '.join(made)}]"


def _options(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list) else [values]


def _first(values: Any) -> Any:
    first = _options(values)[0]
    if isinstance(first, list):
        return [_first([value]) for value in first]
    if isinstance(first, dict):
        return {name: _first(value) for name, value in first.items() if "" not in _options(value)}
    return first
