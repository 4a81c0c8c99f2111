"""The resources of methods: their protocols and their descriptions name the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow import methods
from outgrow.methods import resources, text
from outgrow.students.base import Embedding, Traced
from outgrow.students.ensemble import Choice
from outgrow.students.probe import Probe, Space


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "described"), [(resources.Resources, methods.RESOURCES), (resources.TextResources, text.RESOURCES)]
)
def test_every_resource_has_a_type_and_a_description(protocol: type, described: dict[str, str]) -> None:
    assert members(protocol) == set(described)
    assert all(vars(protocol)[name].fget.__doc__ for name in described)


@pytest.mark.parametrize("name", [*methods.registry(), *text.registry()])
def test_every_argument_of_a_method_has_a_type(name: str) -> None:
    for found in (one.registry().get(name) for one in (methods, text)):
        if found is not None:
            assert {*found.resources, *found.parameters, "return"} == set(found.run.__annotations__)


def test_a_probe_has_features_and_a_path_and_an_ensemble_has_neither() -> None:
    x, everywhere = np.random.default_rng(0).normal(size=(1, 1, 40, 2)).astype(np.float32), np.ones(40, bool)
    student = Probe(Space(x, (7,), everywhere), everywhere[None], np.arange(40), seed=0, replicates=[0])
    fitted = student.fit(np.eye(2, dtype=np.float32)[(x[0, 0, :, 0] > 0).astype(int)])
    assert isinstance(student, Embedding) and isinstance(fitted, Traced)
    assert fitted.chosen()[0]["layer"] == 7 and fitted.path(everywhere)[-1][0] == 1.0
    assert not isinstance(Choice(np.zeros(1, int), [fitted]), Traced)
