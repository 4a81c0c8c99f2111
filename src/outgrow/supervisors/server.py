"""A language model behind a server, asked about every item without gold."""

from __future__ import annotations

from urllib.parse import urlsplit

import numpy as np

from outgrow.core.errors import UserError
from outgrow.supervisors import SupervisorView, supervisor
from outgrow.supervisors.prompt import PREFER

SAMPLES = 4
"""Answers that are sampled for each prompt where the server gives no log-probabilities."""


def _check(spec: str) -> None:
    from outgrow.generation import wire
    from outgrow.generation.server import Server

    url, _, _ = Server.parse(spec)
    if "@" in urlsplit(url).netloc:
        raise UserError(
            f"supervisor server:{wire.address(spec)}: its URL has a user name or password, which reports and model "
            "cards would show: leave it out, and give a key in OPENAI_API_KEY"
        )


@supervisor(argument="url,name", learns=False, check=_check)
def server(view: SupervisorView, spec: str) -> np.ndarray:
    """A model behind a server with OpenAI's protocol, asked in a chat: probabilities of the classes' words."""
    from outgrow.generation import class_words
    from outgrow.generation.server import Server

    task, name = view.task, f"server:{spec}"
    items: list[tuple[str, ...]]
    texts = task.read(name)
    if task.kind == "prefer":
        items = [(PREFER.format(first=a, second=b), PREFER.format(first=b, second=a)) for a, b in texts]
        words: tuple[str, ...] = ("A", "B")
    else:
        items, words = [(task.ask.format(text=text),) for (text,) in texts], task.words
        if not words:
            raise UserError(
                f"supervisor {name}: task {task.name!r} has no words for its classes that could be asked for"
            )
    asker = Server.named(spec, view.store)
    found = class_words.ask(asker, items, words, True, SAMPLES, view.seed, view.store)
    if found.failed:
        raise UserError(
            f"supervisor {name} did not answer {found.failed:,} of {len(items):,} items: "
            "run the same command again, which asks for these alone"
        )
    probs = found.probs
    if task.kind == "prefer":
        probs = np.stack([probs[:, 0], probs[:, 1, ::-1]], 1)
    return np.broadcast_to(probs.mean(1), (len(view.gold), len(items), len(words)))
