"""What a report says, without how it looks: the plain data, and every heading, caption, cell and picture text in order.

python tests/golden/outline.py              write one.json anew, which the golden test compares with
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

HERE = Path(__file__).parent
READ = ("h1", "h2", "h3", "p", "th", "td", "li", "dt", "dd", "pre")


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[str] = []
        self._open: list[list[str]] = []

    def handle_starttag(self, tag, attrs):
        if tag in READ:
            self._open.append([tag])
        elif tag == "svg":
            self.found.append(f"svg: {dict(attrs)['aria-label']}")

    def handle_endtag(self, tag):
        if tag in READ and self._open:
            name, *texts = self._open.pop()
            text = " ".join(" ".join(texts).split())
            if text:
                self.found.append(f"{name}: {text}")

    def handle_data(self, data):
        if self._open:
            self._open[-1].append(data)


def outline(folder: Path) -> dict:
    """The report of a run folder as plain data."""
    from outgrow.report import write
    from outgrow.runs.read import read

    reader = _Reader()
    reader.feed(write(folder).read_text(encoding="utf-8"))
    return {"data": asdict(read(folder)), "page": reader.found}


def golden() -> str:
    """The text of one.json."""
    from runs import one

    with tempfile.TemporaryDirectory() as folder:
        return json.dumps(outline(one(Path(folder))), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "one.json").write_text(golden(), encoding="utf-8")
