"""The small tables of a result, as a notebook shows them."""

from __future__ import annotations

from outgrow.audits import Sheet
from outgrow.report.sheets import html


def test_names_that_users_gave_are_escaped() -> None:
    shown = html([Sheet("a<b", ("x&y",), (("<script>",),))])
    assert shown == (
        "<table><caption>a&lt;b</caption><tr><th>x&amp;y</th></tr><tr><td>&lt;script&gt;</td></tr></table>"
    )
