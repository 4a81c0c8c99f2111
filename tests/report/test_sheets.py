"""The small tables of a result, as a notebook shows them."""

from __future__ import annotations

import re

from outgrow.audits import Sheet
from outgrow.report import theme
from outgrow.report.sheets import html


def test_names_that_users_gave_are_escaped() -> None:
    shown = html([Sheet("a<b", ("x&y",), (("<script>",),))])
    table = "<table><caption>a&lt;b</caption><tr><th>x&amp;y</th></tr><tr><td>&lt;script&gt;</td></tr></table>"
    assert shown.endswith(f"</style>{table}</div>")


def test_a_table_has_the_colours_of_the_report_and_fetches_nothing() -> None:
    shown = html([Sheet("scores", ("row",), (("naive",),))], "The student is ahead & well.")
    assert "<p>The student is ahead &amp; well.</p>" in shown
    used = set(re.findall(r"var\(--([a-z-]+)\)", shown))
    for palette in (theme.LIGHT, theme.DARK):
        assert used and all(f"--{name}:{palette[name]}" in shown for name in used)
    assert not re.search(r"https?:|url\(|@import|<script|<link", shown)
