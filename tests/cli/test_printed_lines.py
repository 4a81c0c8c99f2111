"""Every command that README and the pages of docs/ print runs as it is printed, in the order of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import hub_server
import loopback
import printed
from outgrow import cli, tasks
from outgrow.cli import settings
from outgrow.generation.local import Local
from outgrow.models import checkpoints
from outgrow.pipeline import knowledge
from outgrow.store import Store
from outgrow.students import convnet, generator
from outgrow.tasks import generation
from outgrow.training import pruned

LINES = list(printed.lines())
ITEMS = {"human-eval:250": 2, "places": 48}
"""At most so many of a task that is answered in words, else `OTHERS`."""
OTHERS = 110
ROWS = 400
"""At most so many of a task of classes."""
REPLICATES = 1
TOKENS = 6
"""Most of an answer."""
PARAGRAPHS = pruned.paragraphs()[: pruned.HELD_OUT + pruned.BATCH]
SHORT = [
    (convnet, "default_steps", lambda count: 4),
    (pruned, "paragraphs", lambda: PARAGRAPHS),
    (knowledge, "statements", partial(knowledge.statements, count=50)),
    (generator, "epochs", lambda letters, least=2.0, read=None: least),
]
"""How long is trained, and on how much."""
SERVER = "http://localhost:8000/v1"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with all that the lines name."""
    folder = tmp_path_factory.mktemp("printed")
    printed.models(folder)
    printed.tables(folder)
    return folder


@pytest.fixture(scope="module")
def server(place) -> Iterator[str]:
    """The address of a server that answers."""
    local = Local(checkpoints.resolve(str(place / "NAME"), Store(place / "store")))
    with loopback.serving(local, name="NAME") as served:
        yield served.url


@pytest.fixture
def hub() -> Iterator[hub_server.HubServer]:
    """A hub that takes what is pushed."""
    with hub_server.serving() as served:
        yield served


def _before(words: list[str], place: Path) -> list[list[str]]:
    """The printed lines that write the folders which a line reads, where another process has run them."""
    writers = {line[line.index("--out") + 1]: line for _, line in reversed(LINES) if "--out" in line}
    read = [word for word in words if word in writers and writers[word] != words and not (place / word).exists()]
    return [line for word in read for line in (*_before(writers[word], place), writers[word])]


def _short(
    task: generation.GenerationTask, gold: generation.GenerationGold
) -> tuple[generation.GenerationTask, generation.GenerationGold]:
    """The same with less room for answers."""
    return replace(task, tokens=min(task.tokens, TOKENS)), gold


def test_lines_are_found_in_readme_the_reference_and_guides() -> None:
    assert {"README.md", "docs/reference.md", "docs/labelling-tools.md"} <= {page for page, _ in LINES}
    said = {words[0] for _, words in LINES}
    assert said == set(cli.VERBS) - {"compare"}


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words)) for _, words in LINES])
def test_the_line_runs_as_printed(words, place, request, monkeypatch, capsys) -> None:
    if any(SERVER in word for word in words):
        address = request.getfixturevalue("server")
        words = [word.replace(SERVER, address) for word in words]
    if words[0] == "push":
        monkeypatch.setenv("HF_ENDPOINT", request.getfixturevalue("hub").url)
        monkeypatch.setenv("HF_TOKEN", "hf_token")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.chdir(place)
    monkeypatch.setenv("OUTGROW_STORE", str(place / "store"))
    # Catalogue names are folders here, and tasks and training are cut short: what is tried is the line, not the models.
    monkeypatch.setattr(checkpoints, "entry_of", lambda name: None)
    for module, name, few in SHORT:
        monkeypatch.setattr(module, name, few)
    whole, written, merge = tasks.load, generation.load, settings.merge
    monkeypatch.setattr(settings, "merge", lambda *given: merge(*given) | {"seeds": REPLICATES})
    monkeypatch.setattr(
        tasks, "load", lambda name, reading=None: whole(name, replace(reading or tasks.Reading(), items=ROWS))
    )
    monkeypatch.setattr(
        generation,
        "load",
        lambda name, items=None, *more, **named: _short(*written(name, ITEMS.get(name, OTHERS), *more, **named)),
    )
    for line in [*_before(words, place), words]:
        with pytest.raises(SystemExit) as stopped:
            cli.main(line)
        assert stopped.value.code == 0, capsys.readouterr().err
