"""The example in the docstring of the audits runs, and prints what it says."""

import doctest

from outgrow import audits


def test_the_example_of_the_audits_prints_what_it_says() -> None:
    results = doctest.testmod(audits)
    assert results.attempted and not results.failed
