"""Objects in keys: the same code and values give the same key, another constant, closure, field or global another."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from outgrow.core.fingerprint import Code, fingerprint, placed
from outgrow.losses.gce import GCE

LINES = """
import re
import numpy as np
{more}
def made(word, times=2):
    '''A rule.'''
    pattern = re.compile(word)

    def rule(texts):
        return [times if pattern.search(text) else {value} for text in texts]

    return rule
"""


def rule(word: str = "good", value: str = "0", more: str = "", **given: int):
    """A function that no module defines, as in a notebook."""
    scope: dict = {"__name__": "__main__"}
    exec(LINES.format(value=value, more=more), scope)
    return scope["made"](word, **given)


def key(*found: object) -> str:
    return fingerprint("block", *found)


def test_a_function_of_a_notebook_has_one_key():
    assert key(rule()) == key(rule()) != key()
    assert placed(rule()) is None


@pytest.mark.parametrize(
    "other",
    [
        {"word": "bad"},
        {"times": 3},
        {"value": "1"},
        {"value": "np.float64(0)"},
        {"value": "LIMIT", "more": "LIMIT = 4"},
    ],
)
def test_another_constant_closure_default_or_global_is_another_key(other):
    assert key(rule(**other)) != key(rule())


def test_a_global_counts_with_its_value_and_functions_with_what_they_call():
    def texts(limit: int, factor: int) -> str:
        return f"LIMIT = {limit}\nUNREAD = 5\ndef size(text):\n    return {factor} * len(text)\n"

    keys = [key(rule(value="size(text) > LIMIT", more=texts(*one))) for one in ((3, 1), (3, 1), (4, 1), (3, 2))]
    assert keys[0] == keys[1] and len(set(keys)) == 3


def test_where_a_function_stands_does_not_count():
    assert key(rule(more="# a comment\n\n\n")) == key(rule())


@dataclass(frozen=True)
class Fielded:
    word: str
    weights: np.ndarray

    def __call__(self, texts):
        return [self.word in text for text in texts]


def test_an_instance_that_a_partial_is_given_counts_with_its_fields():
    def given(word: str, weight: float) -> str:
        return key(partial(placed, Fielded(word, np.array([weight]))))

    assert given("a", 1.0) == given("a", 1.0)
    assert len({given("a", 1.0), given("b", 1.0), given("a", 2.0)}) == 3
    # What is given directly counts by its class: its fields are elsewhere in the key.
    assert key(GCE(0.5)) == key(GCE(0.7)) != key()


def test_an_object_of_an_installed_package_counts_by_its_bytes():
    from sklearn.linear_model import LogisticRegression

    def model(rows: int):
        fitted = LogisticRegression().fit(np.arange(rows)[:, None], np.arange(rows) % 2)
        return partial(placed, lambda texts: fitted.predict(texts))

    assert key(model(8)) == key(model(8)) != key(model(9))


def test_what_cannot_be_told_is_computed_anew_and_said_unless_its_owner_states_a_version(capsys):
    lock = threading.Lock()

    def guarded(texts):
        with lock:
            return texts

    def other(texts):
        return [guarded, texts]

    assert key(guarded) == key(guarded), "within a process it is the same"
    said = capsys.readouterr().err
    assert "guarded depends on an object that cannot be told from another (lock)" in " ".join(said.split())
    assert "`version`" in said
    guarded.version = "1"
    first = key(guarded)
    guarded.version = "2"
    assert first != key(guarded) and not capsys.readouterr().err
    assert key(other) == key(other) and not capsys.readouterr().err, "the same where it is inside of another"


def test_another_process_finds_the_same():
    script = (
        "import sys\nfrom outgrow.core.fingerprint import fingerprint\n"
        f"scope = {{'__name__': '__main__'}}\nexec({LINES.format(value='0', more='')!r}, scope)\n"
        "print(fingerprint('block', scope['made']('good')))\n"
    )
    keys = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert len(keys) == 1 and re.fullmatch("[0-9a-f]{64}", keys.pop())


def test_modules_of_ones_own_count_also_where_they_are_imported_by_one_another(tmp_path, monkeypatch):
    (tmp_path / "near_words.py").write_text("WORD = 'good'\n")
    (tmp_path / "near_rules.py").write_text(
        "from near_words import WORD\n\ndef praises(texts):\n    return [WORD in text for text in texts]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from near_rules import praises  # type: ignore[import-not-found]

    place = placed(praises)
    keys = [
        Code({"near_words": text}, own=("outgrow", "near_rules"), near=near).digest("block", place)
        for near in (True, False)
        for text in ("WORD = 'good'\n", "WORD = 'fine'\n")
    ]
    assert keys[0] == key(praises) != keys[1] and keys[2] == keys[3]
