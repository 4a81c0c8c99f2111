"""The names that `import outgrow` promises: each is there, is documented, and has an example that runs."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

import outgrow


@pytest.mark.parametrize("name", outgrow.__all__)
def test_every_public_name_has_a_docstring_with_an_example_that_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = getattr(outgrow, name)
    namespace = dict(vars(sys.modules[found.__module__]))
    finder = doctest.DocTestFinder(recurse=isinstance(found, type))
    tests = finder.find(found, name, globs=namespace)
    assert sum(len(test.examples) for test in tests) > 0
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert [test.name for test in tests if runner.run(test).failed] == []


def test_the_package_is_imported_without_what_is_heavy():
    script = "import sys, outgrow\nprint({'torch', 'polars', 'sklearn', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_name_that_is_not_promised_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'outgrow' has no attribute 'teach'"):
        outgrow.teach  # noqa: B018
