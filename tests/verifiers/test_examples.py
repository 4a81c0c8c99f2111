"""The example in a verifier's docstring runs, and prints what it says."""

import doctest
import importlib

import pytest

from outgrow.verifiers import registry

MODULES = {name: importlib.import_module(one.run.__module__) for name, one in registry().items()}
NEED_A_MODEL = {"compare", "critic"}
UNBOXED = {"arithmetic", "calculation", "clauses", "fillers", "signature", "sudoku", "weaver"}


def check(name: str) -> None:
    results = doctest.testmod(MODULES[name])
    assert results.attempted and not results.failed


@pytest.mark.parametrize("name", sorted(UNBOXED))
def test_the_example_of_a_verifier_prints_what_it_says(name: str) -> None:
    check(name)


@pytest.mark.sandbox
@pytest.mark.parametrize("name", sorted(MODULES.keys() - UNBOXED - NEED_A_MODEL))
def test_the_example_of_a_verifier_that_runs_in_a_box_prints_what_it_says(name: str) -> None:
    check(name)
