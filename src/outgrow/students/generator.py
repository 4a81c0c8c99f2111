"""The student of generation tasks, and the answers, beams and log-probabilities of checkpoints, kept in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import hashed
from outgrow.generation import Answer, Sampling
from outgrow.models import Model
from outgrow.store import Store

if TYPE_CHECKING:
    from outgrow.generation.local import Local
    from outgrow.generation.preference import PairLoss, PreferencePair
    from outgrow.training.causal import Example

UNIT = 64
"""Prompts whose beams are one artifact of the store."""
READ = 40_000
"""Fewest characters of prompts and answers in a tuning: with fewer a model does not learn the form of an answer."""
PAIRED = READ // 2
"""The same for pairs."""
LOADED = 2
"""Number of models that stay in memory."""


@final
class Writers:
    """Checkpoints in this process; the last few of them stay loaded."""

    def __init__(self, store: Store, how: Sampling):
        self.store, self.how = store, how
        self._loaded: dict[str, Local] = {}

    def __call__(self, model: Model) -> Local:
        """The model, loaded."""
        from outgrow.generation.local import Local

        if model.digest not in self._loaded:
            while len(self._loaded) >= LOADED:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[model.digest] = Local(model)
        self._loaded[model.digest] = self._loaded.pop(model.digest)
        return self._loaded[model.digest]

    def likeliest(self, model: Model, prompts: Sequence[str]) -> list[str]:
        """The greedy answer to each prompt."""
        from outgrow.generation.answers import sample

        drawn = sample(self(model), prompts, 1, replace(self.how, temperature=0.0), 0, self.store)
        return [answers[0].text for answers in drawn.answers]

    def beams(self, model: Model, prompts: Sequence[str], width: int) -> list[tuple[Answer, ...]]:
        """At most `width` answers to each prompt, in order of likelihood."""
        from outgrow.generation.decoding import beams

        found: list[tuple[Answer, ...]] = []
        with progress.track(f"{width} beams of {model.name}", len(prompts)) as bar:
            for start in range(0, len(prompts), UNIT):
                unit = list(prompts[start : start + UNIT])

                def build(unit: list[str] = unit) -> tuple[dict, dict]:
                    return {}, {
                        "beams": [
                            [asdict(answer) for answer in row] for row in beams(self(model), unit, width, self.how)
                        ]
                    }

                made = self.store.make("beams", {**self._known("beams", model), "width": width, "prompts": unit}, build)
                found += [
                    tuple(Answer(**{**a, "logprobs": tuple(a["logprobs"]), "tokens": tuple(a["tokens"])}) for a in row)
                    for row in made.meta["beams"]
                ]
                bar.advance(len(unit))
        return found

    def each(self, model: Model, prompts: Sequence[str], texts: Sequence[str]) -> list[np.ndarray]:
        """For each text (T + 1,) float64: log p of its tokens after the prompt, and of its end, or of a stop text."""
        made = {**self._known("scores", model), "prompts": list(prompts), "texts": list(texts)}
        kept = self.store.make("scores", made, lambda: self._each(model, prompts, texts)).arrays
        return np.split(kept["logp"], np.cumsum(kept["tokens"])[:-1])

    def _each(
        self, model: Model, prompts: Sequence[str], texts: Sequence[str]
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        local = self(model)
        ends = sorted({*local.ends, *(ids[0] for stop in self.how.stop if len(ids := local.after(stop)) == 1)})
        found = []
        with progress.track(f"log-probabilities by {model.name}", len(texts)) as bar:
            for start in range(0, len(texts), UNIT):
                part = slice(start, start + UNIT)
                begun = [local.encode(prompt, self.how.prompting) for prompt in prompts[part]]
                then = [[*local.after(text), ends[0]] for text in texts[part]]
                for ids, logits in zip(then, local.logits(begun, then), strict=True):
                    logp = logits.double().log_softmax(1)
                    own = [float(logp[t, token]) for t, token in enumerate(ids[:-1])]
                    found.append([*own, float(logp[-1, ends].logsumexp(0))])
                bar.advance(len(begun))
        return {
            "logp": np.array([x for row in found for x in row]),
            "tokens": np.array([len(row) for row in found]),
        }, {}

    def _known(self, kind: str, model: Model) -> dict[str, Any]:
        return {"code": fingerprint(kind), "model": model.digest, "engine": self(model).engine, "how": asdict(self.how)}


@final
@dataclass(frozen=True)
class TextStudent:
    """The strong model of a generation task, to be trained on answers to transfer items."""

    model: Model
    """The checkpoint before training."""
    prompts: tuple[str, ...]
    """(n,) the transfer items."""
    kind: str
    """"lora" or "full"."""
    seed: int
    writers: Writers

    def tune(self, examples: Sequence[Example], **more: Any) -> Model:
        """The model tuned on the examples, or unchanged if there are none; `more` goes to `training.causal.tune`."""
        from outgrow.training.causal import tune

        if not examples:
            return self.model
        more = {"epochs": epochs(sum(len(one.prompt) + len(one.answer) for one in examples)), **more}
        return tune(
            self.model,
            examples,
            kind=self.kind,
            seed=self.seed,
            store=self.writers.store,
            prompting=self.writers.how.prompting,
            **more,
        )

    def prefer(self, model: Model, pairs: Sequence[PreferencePair], loss: PairLoss, **more: Any) -> Model:
        """A model after learning from pairs, with itself as the reference; unchanged if there are no pairs.

        `more` goes to `training.causal.prefer`.
        """
        from outgrow.training.causal import prefer

        if not pairs:
            return model
        letters = sum(2 * len(pair.prompt) + len(pair.chosen) + len(pair.rejected) for pair in pairs)
        more = {"epochs": epochs(letters, 1.0, PAIRED), **more}
        return prefer(
            model,
            pairs,
            loss,
            kind=self.kind,
            seed=self.seed,
            store=self.writers.store,
            prompting=self.writers.how.prompting,
            **more,
        )

    def beams(self, model: Model, width: int) -> list[tuple[Answer, ...]]:
        """[i]: the model's answers to transfer item i, in order of likelihood."""
        return self.writers.beams(model, self.prompts, width)


def epochs(letters: int, least: float = 2.0, read: int | None = None) -> float:
    """Epochs over so many characters: `least`, or more until the model has read READ characters (or `read`)."""
    return max(least, (READ if read is None else read) / max(letters, 1))


def training_seed(seed: int, *names: object) -> int:
    """An integer seed for one training, derived from the study's seed and the names of its purpose."""
    return int(hashed(seed, *names)[:8], 16)
