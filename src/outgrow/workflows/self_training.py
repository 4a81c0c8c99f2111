"""Self-training: a model generates answers, some are kept, and it is tuned on these; round after round.

    M_0 = the model
    for r = 0 .. rounds - 1:
        `draws` samples of M_r for every training item; one or none of them is kept
        M_(r+1) = M_0 tuned on the kept answers         from the start again, as Zelikman et al. 2022 (arXiv 2203.14465)
    score of M_r: a single sample, and coverage, on test items that are never trained on

Kept is, without a verifier, the first answer; by its own judgement the answer that M_r finds likeliest to be right
(`critic`, asked of M_r); by an external check the first sound one, if any. Song et al. 2024 (arXiv 2412.02674, section
5): without new knowledge from a check, the generation-verification gap closes within a few rounds. Test items are half
of the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.generation import Sampling, answers
from outgrow.generation.local import Local
from outgrow.models import Model
from outgrow.pipeline import rounds as pipeline
from outgrow.pipeline.rounds import Round
from outgrow.store import Store
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.training.causal import Example, tune


def improve(
    task: GenerationTask,
    gold: GenerationGold,
    model: Model,
    check: str,
    *,
    rounds: int,
    draws: int,
    temperature: float,
    seed: int,
    store: Store,
) -> tuple[list[Round], np.ndarray]:
    """Rounds of each way to keep answers, and the groups of the test items.

    Args:
        task: what is answered.
        gold: judges the models; it selects nothing.
        model: M_0.
        check: the external verifier.
        rounds: how often a model is tuned on what was kept.
        draws: samples for each item.
        temperature: of sampling.
        seed: names halves, samples and trainings.
        store: where samples and models are kept.

    Raises:
        UserError: the verifier is no check of an answer alone, or there are too few items.
    """
    ways, (train, test) = pipeline.ways(check, task.prompting), pipeline.halves(task, seed)
    how = Sampling(tokens=task.tokens, temperature=temperature, stop=task.stop, prompting=task.prompting)

    def sampled(at: Model, items: Sequence[int], seed: int) -> list[Any]:
        return list(answers.sample(Local(at), [task.prompts[i] for i in items], draws, how, seed, store).answers)

    found = []
    with progress.track("improving", len(ways) * (rounds + 1)) as bar:
        for by, keep in ways.items():
            at, right, examples = model, float("nan"), list[Example]()
            for number in range(rounds + 1):
                if number:
                    samples = sampled(at, train, seed + number)
                    examples, right = pipeline.kept(task, gold, train, samples, Local(at), keep)
                    at = tune(model, examples, seed=seed, store=store, prompting=task.prompting) if examples else at
                tried = pipeline.right(task, gold, test, sampled(at, test, seed))
                found.append(Round(by, number, tried.mean(1), np.asarray(tried.any(1)), len(examples), right))
                bar.advance()
    return found, task.groups[test]


def of_committee(
    task: GenerationTask, gold: GenerationGold, model: str | None, checks: Sequence[str], **asked: Any
) -> list[dict[str, Any]]:
    """The rounds of a committee's one model as rows of committee.json; arguments as of `improve`.

    Raises:
        UserError: no single model of this machine is named, or no verifier.
    """
    from outgrow.training.names import named

    writer = None if model is None else named(model, asked["store"])
    if not isinstance(writer, Local) or not checks:
        raise UserError(
            "`rounds` tunes one model on answers that a verifier keeps: "
            "name one local model in `weak`, and a `verifier`"
        )
    found, groups = improve(task, gold, writer.model, checks[0], **asked)
    return pipeline.facts_of(found, groups, asked["seed"])
