"""A misspelt model or supervisor is one line with the nearest name that would do, and what it stands for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from outgrow import models, supervisors
from outgrow.core.errors import UserError
from outgrow.supervisors import text
from outgrow.training import names, pruned

MISSPELT: list[tuple[Callable[..., None], str, str]] = [
    (supervisors.check, "tfidff", "unknown supervisor 'tfidff': did you mean 'tfidf'?"),
    (supervisors.check, "tfidf+minilm-l7", "unknown supervisor 'minilm-l7': did you mean 'minilm-l6'?"),
    (supervisors.check, "prob", "unknown supervisor 'prob': did you mean 'probe:MODEL'?"),
    (supervisors.check, "porbe:minilm-l6", "unknown kind of supervisor 'porbe': did you mean 'probe'?"),
    (supervisors.check, "featurs:a/b.npz", "unknown kind of supervisor 'featurs': did you mean 'features'?"),
    (supervisors.check, "prompt:smolm2-135m", "unknown model of supervisor prompt 'smolm2-135m': did you mean"),
    (text.check, "smolm2-135m", "unknown supervisor 'smolm2-135m': did you mean 'smollm2-135m'?"),
    (text.check, "shosts:smollm2-135m", "unknown kind of supervisor 'shosts': did you mean 'shots'?"),
    (text.check, "shots:smolm2-135m", "unknown model of supervisor shots 'smolm2-135m': did you mean"),
    (models.check, "convnt", "unknown model 'convnt': did you mean 'convnet'?"),
    (models.check, "minilm-l6,convnt", "unknown model 'convnt': did you mean 'convnet'?"),
    (pruned.check, "sibing:smollm2-135m:3", "unknown kind of model 'sibing': did you mean 'sibling'?"),
    (pruned.check, "sibling:smolm2-135m:3", "unknown parent of model 'smolm2-135m': did you mean 'smollm2-135m'?"),
    (names.check, "sevrer:http://localhost:8000/v1,NAME", "unknown kind of model 'sevrer': did you mean 'server'?"),
    (names.check, "smolm2-135m", "unknown model 'smolm2-135m': did you mean 'smollm2-135m'?"),
]


@pytest.mark.parametrize(("check", "name", "says"), MISSPELT)
def test_the_nearest_name_of_the_right_kind_is_proposed(check: Callable[..., None], name: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        check(name)
    assert str(caught.value).startswith(says) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (supervisors.check, "tfidf+minilm-l6+prompt:smollm2-135m+column:rule_1"),
        (text.check, "smollm2-135m+shots:gemma3-270m+column:old+sibling:smollm2-135m:12"),
        (pruned.check, "sibling:OWNER/NAME:12"),
        (names.check, "server:http://localhost:8000/v1,NAME"),
        (names.check, "proxy:smollm2-135m,sibling:smollm2-135m:12,gemma3-270m"),
    ],
)
def test_a_name_that_may_be_one_passes_and_nothing_is_fetched(check: Callable[..., None], name: str) -> None:
    check(name)


def test_the_message_says_which_parameter_the_model_was_for() -> None:
    with pytest.raises(UserError, match="unknown model for `ladder` 'minilm-l7'"):
        models.check("minilm-l7", "model for `ladder`")
