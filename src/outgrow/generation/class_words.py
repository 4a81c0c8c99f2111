"""Probabilities of class words after prompts, by any language model, kept in the store as they come.

    checkpoint      p(word) proportional to exp(sum of log p of its tokens after the prompt)
    server          p(word) summed over the tokens that a server lists beside those of its likeliest answer
    server          share of sampled answers that give the word, where a server lists none

An item has some prompts, such as one for each order of the words. A server is asked for `FLIGHT` items at a time. A
killed run goes on where it was, and nothing is paid for twice.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive
from outgrow.generation import LanguageModel, Sampling
from outgrow.generation.answers import SamplingCost
from outgrow.generation.server import ScoredAnswer, Server, Step
from outgrow.generation.tokenizer import Tokenized
from outgrow.models.checkpoints import config_of, setting
from outgrow.store import Store
from outgrow.tasks.asking import named, spelled
from outgrow.tasks.prompting import CHAT, PLAIN_FORM, Prompting

if TYPE_CHECKING:
    from outgrow.generation.local import Local

FLIGHT = 64
"""Requests to a server at a time."""
TOP = (20, 5)
"""Tokens listed for each place of a server's answer: what is asked for, and what where it allows no more."""
TRIED = 3
"""Items of which an empty answer does not yet tell whether a server gives log-probabilities."""
TOKENS = 16
"""Tokens of a server's answer."""
LEAST = 0.01
"""Probability of all class words together below which an answer is read as text."""
NAMELESS, SILENT = "the answer names no class", "the server gave no answer"

Item = tuple[str, ...]
"""The prompts of one item."""


@final
@dataclass(frozen=True)
class WordProbs:
    """Probabilities of W words after P prompts of each of N items."""

    probs: np.ndarray
    """float32 (N, P, W), rows sum to 1; NaN over W where a prompt has no answer that names a class."""
    why: tuple[str, ...]
    """(N,) why an item lacks an answer to one of its prompts; "" where it has all."""
    failed: int
    """Items that a server did not answer; the next call asks for them again."""
    cost: SamplingCost
    """Of all items, whenever they were asked; an item that is listed twice counts once."""
    now: SamplingCost
    """The part of `cost` that this call added."""
    samples: int
    """Answers sampled for each prompt; 0 where probabilities are those of the model."""


@final
@dataclass(frozen=True)
class _Answered:
    """What is kept of one item."""

    probs: np.ndarray
    why: str
    cost: SamplingCost
    failed: bool = False


def chats(model: LanguageModel, prompting: str) -> bool:
    """Whether a model is asked in a chat; "auto" is a chat for servers and for models with a chat template."""
    own = isinstance(model, Server) or (isinstance(model, Tokenized) and model.template)
    return Prompting(prompting).chats(own)


def ask(
    model: LanguageModel, items: Sequence[Item], words: Sequence[str], chat: bool, samples: int, seed: int, store: Store
) -> WordProbs:
    """Probabilities of words after the prompts of items.

    Args:
        model: a checkpoint in this process, or a server.
        items: N items of P prompts each.
        words: W words that can be told apart.
        chat: whether prompts are what a user says; else the model continues them.
        samples: answers that are sampled for each prompt where a server gives no log-probabilities; 0: it is refused.
        seed: the seed of samples.
        store: where results are kept.

    Raises:
        UserError: the model gives no probabilities, or the server is dead or refuses every request.
    """
    if isinstance(model, Server):
        return _asked(_Served(model, words, chat, samples, seed, store), items)
    from outgrow.generation.local import Local

    if isinstance(model, Local):
        return _read(model, items, words, chat, store)
    raise UserError(f"{model.name!r} has no probabilities of given words: name a checkpoint or server:URL,NAME")


def _asked(asker: _Served, items: Sequence[Item]) -> WordProbs:
    """Of a server, which is asked for one item after the other, some at a time."""
    asker.choose(items)
    unique = list(dict.fromkeys(items))
    found: dict[Item, _Answered] = {item: kept for item in unique if (kept := asker.kept(item)) is not None}
    missing = [item for item in unique if item not in found]
    now = SamplingCost()
    if missing:
        with progress.track(f"asking {asker.name} for labels", len(missing)) as bar:
            for item, answered in asker.fresh(missing):
                found[item], now = answered, now + answered.cost
                bar.advance()
    return WordProbs(
        np.stack([found[item].probs for item in items]),
        tuple(found[item].why for item in items),
        sum(found[item].failed for item in items),
        sum((one.cost for one in found.values()), SamplingCost()),
        now,
        asker.samples,
    )


@final
@dataclass(frozen=True)
class _Coder:
    """How a model in this process is asked, as `zero_shot` wants it."""

    model: Tokenized
    prompting: Prompting

    @property
    def form(self) -> str:
        return self.prompting.form

    def encode(self, prompt: str) -> list[int]:
        return self.model.encode(prompt, self.prompting)


def _read(model: Local, items: Sequence[Item], words: Sequence[str], chat: bool, store: Store) -> WordProbs:
    """Of a model in this process, which reads all prompts in one sweep."""
    from outgrow import models

    coder = _Coder(model, Prompting(CHAT if chat else PLAIN_FORM))
    spelling = list(words) if chat else [f" {word}" for word in words]
    room = max(len(model.after(word)) for word in spelling)
    config = config_of(model.model.path, model.name).get_text_config()
    limits = [setting(config, name) for name in ("max_position_embeddings", "sliding_window")]
    most = min((limit for limit in limits if limit is not None), default=math.inf)
    long = np.array([any(len(coder.encode(prompt)) + room > most for prompt in item) for item in items])
    why = tuple(f"the prompt is longer than the {most:,} tokens that {model.name} reads" if no else "" for no in long)
    probs = np.full((len(items), len(items[0]), len(words)), np.nan, np.float32)
    cost = now = SamplingCost()
    if not long.all():
        prompts = [prompt for item, no in zip(items, long, strict=True) if not no for prompt in item]
        read = models.zero_shot(model.model, prompts, spelling, store, coder=coder)
        probs[~long] = np.asarray(read.probs).reshape(-1, *probs.shape[1:])
        cost = SamplingCost(read.seconds, 0, read.tokens, 0)
        now = SamplingCost() if read.cached else cost
    return WordProbs(probs, why, 0, cost, now, 0)


@final
class _Served:
    """A model behind a server."""

    def __init__(self, server: Server, words: Sequence[str], chat: bool, samples: int, seed: int, store: Store):
        self._server, self._words, self._chat, self._store, self._seed = server, list(words), chat, store, seed
        self._most, self.samples, self._top = samples, 0, TOP[0]
        self._tried: dict[str, ScoredAnswer] = {}
        self._stop = threading.Event()
        self.name = server.name
        self._use(TOP[0], 0)

    def _use(self, top: int, samples: int) -> None:
        """Asks from now on for so many alternatives to a token, or for so many samples of an answer."""
        self._top, self.samples = top, samples
        server, code = self._server, fingerprint("class-words", type(self._server))
        how = {"samples": samples, "seed": self._seed} if samples else {"top": top}
        made = {"code": code, "model": server.digest, "engine": server.engine, "words": self._words, "chat": self._chat}
        self._made = made | how

    def kept(self, item: Item) -> _Answered | None:
        """What the store has of an item."""
        kept = self._store.get("class-words", {**self._made, "prompts": list(item)})
        if kept is None:
            return None
        return _Answered(np.array(kept.arrays["probs"]), kept.meta["why"], SamplingCost(**kept.meta["cost"]))

    def _keep(self, item: Item, one: _Answered) -> None:
        facts = {"why": one.why, "cost": asdict(one.cost)}
        self._store.put("class-words", {**self._made, "prompts": list(item)}, {"probs": one.probs}, facts)

    def choose(self, items: Sequence[Item]) -> None:
        """Finds out, by what is kept of the first item or by its first prompt, what the server gives."""
        for top in TOP:
            self._use(top, 0)
            if self.kept(items[0]) is not None:
                return
        said = f"{self._server.url} gives no log-probabilities of {self._server.name!r}"
        for top in TOP:
            self._use(top, 0)
            for prompt, *_ in items[:TRIED]:
                found = self._server.alternatives(prompt, self._chat, TOKENS, top)
                if found.steps or found.lost or (found.refusal and "logprobs" not in found.refusal):
                    self._tried = {prompt: found}
                    return
                if found.text or found.refusal:
                    break
            said = found.refusal or said
        if not self._most:
            raise UserError(f"{said}: let answers be sampled, with `samples` above 0")
        progress.say(f"{said}: {self._most} sampled answers to each prompt stand for them")
        self._use(TOP[0], self._most)

    def fresh(self, items: Sequence[Item]) -> Iterator[tuple[Item, _Answered]]:
        """These items as they are answered, each kept at once."""

        def one(item: Item) -> _Answered:
            if self._stop.is_set():
                raise _Stopped
            answered = self._answered(item)
            if not answered.failed:
                self._keep(item, answered)
            return answered

        with ThreadPoolExecutor(FLIGHT) as pool:
            futures = {pool.submit(one, item): item for item in items}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except UserError as error:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                kept = sum(self.kept(item) is not None for item in items)
                raise UserError(
                    f"{error}: {kept} of the {len(items)} items asked for are kept, the same command goes on from there"
                ) from None
            finally:
                # Requests in flight are paid for: their answers are waited for and kept.
                self._stop.set()
                pool.shutdown(cancel_futures=True)

    def _answered(self, item: Item) -> _Answered:
        rows, cost, whys, failed = [], SamplingCost(), list[str](), False
        for prompt in item:
            probs, why, paid, lost = self._sampled(prompt) if self.samples else self._scored(prompt)
            rows.append(np.full(len(self._words), np.nan) if probs is None else probs)
            cost, whys, failed = cost + paid, whys + [why] * bool(why), failed or lost
        return _Answered(np.array(rows, np.float32), whys[0] if whys else "", cost, failed)

    def _scored(self, prompt: str) -> tuple[np.ndarray | None, str, SamplingCost, bool]:
        """Probabilities of the words, why there are none, their price, and whether to ask again."""
        found = self._tried.pop(prompt, None) or self._server.alternatives(prompt, self._chat, TOKENS, self._top)
        if found.lost or found.refusal:
            return None, found.refusal or SILENT, found.cost, found.lost
        mass = masses(found.steps, self._words)
        if mass.sum() >= LEAST:
            return mass / mass.sum(), "", found.cost, False
        return *self._told([found.text]), found.cost, False

    def _sampled(self, prompt: str) -> tuple[np.ndarray | None, str, SamplingCost, bool]:
        how = Sampling(tokens=TOKENS, prompting=Prompting(CHAT if self._chat else PLAIN_FORM))
        seeds = [int(derive(self._seed, "label", prompt, k).integers(2**31)) for k in range(self.samples)]
        paid = [self._server.ask(prompt, how, seed) for seed in seeds]
        cost = sum((one.cost for one in paid), SamplingCost())
        if any(one.answer.ended == "failed" for one in paid):
            return None, SILENT, cost, True
        return *self._told([one.answer.text for one in paid]), cost, False

    def _told(self, answers: Sequence[str]) -> tuple[np.ndarray | None, str]:
        """Shares of the words among answers; those that name none are left out."""
        count = Counter(at for text in answers if (at := named(text, self._words)) is not None)
        if not count:
            return None, NAMELESS
        return np.array([count[at] for at in range(len(self._words))]) / count.total(), ""


class _Stopped(UserError):
    """Another item found out that nothing more can be had."""


def masses(steps: Sequence[Step], words: Sequence[str]) -> np.ndarray:
    """(W,) probability that an answer begins with each word, as far as tokens are listed.

    The likeliest answer is followed for as long as it fits several words; what else could stand in the place of each
    of its tokens counts for the words that it fits, in equal parts.

    Example:
        >>> steps = [Step(" not", {" not": -0.2, " ham": -2.0}), Step("_spam", {"_spam": -0.1, "_sure": -2.5})]
        >>> masses(steps, ["ham", "not_spam", "not_sure"]).round(2).tolist()
        [0.14, 0.74, 0.07]
    """
    known = [spelled(word) for word in words]
    mass, said, sure = np.zeros(len(words)), "", 1.0
    for step in steps:
        for token, logp in step.logprobs.items():
            fits = _fits(said + token, known)
            if spelled(said + token) and fits and (token != step.token or len(fits) == 1):
                mass[fits] += sure * math.exp(logp) / len(fits)
        said, sure = said + step.token, sure * math.exp(step.logprobs[step.token])
        if len(_fits(said, known)) < 2:
            return mass
    mass[[at for at, word in enumerate(known) if word == spelled(said).rstrip()]] += sure
    return mass


def _fits(text: str, known: Sequence[str]) -> list[int]:
    """Indices of the words that a text begins, else the longest that it has given; all where it says nothing yet."""
    said = spelled(text)
    begun = [at for at, word in enumerate(known) if word.startswith(said)]
    given = [at for at, word in enumerate(known) if said.startswith(word) and not said[len(word) :][:1].isalnum()]
    if begun:
        return begun + [at for at in given if at not in begun and known[at] == said.rstrip()]
    return [max(given, key=lambda at: len(known[at]))] if given else []
