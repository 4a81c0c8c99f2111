"""The report as a browser shows it: headless Chromium renders the page, and the tests read what came out."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from outgrow import report

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import pages

import runs

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=3000",
    "--enable-logging=stderr",
    "--allow-file-access-from-files",
)
MEASURE = """
onload = () => {
  const page = it.contentDocument, root = page.documentElement, met = [];
  let count = 0;
  for (const svg of page.querySelectorAll("figure svg")) {
    if (!svg.getClientRects().length) continue;
    const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    count += texts.length;
    texts.forEach(([name, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // A box is as high as the font's line, which leaves air above and below the letters.
      if (across > 1.5 && down > 3.5) met.push(name + " on " + other);
    }));
  }
  const desk = getComputedStyle(page.querySelector(".desk")).display;
  document.title = [root.clientWidth, root.scrollWidth, desk, count, met.join("; ")].join("/");
};
"""
"""Writes into the title: both widths of the page, whether what is for screens is shown, labels, and those that meet."""
DARK = "--blink-settings=preferredColorScheme=0"

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    made = {make.__name__: make(root / make.__name__) for make in (runs.one, runs.crowded)}
    for folder in made.values():
        report.write(folder)
    return made


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    for name, page in pages.pages().items():
        (root / f"{name}.html").write_text(page, encoding="utf-8")
    return root


@pytest.fixture
def browse(tmp_path):
    def run(page: Path, *flags: str) -> subprocess.CompletedProcess:
        command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    return run


def test_the_rendered_page_has_its_charts_and_its_answer(folders, browse):
    seen = browse(folders["one"] / "report.html", "--dump-dom")
    assert "CONSOLE" not in seen.stderr, seen.stderr
    figures = dict(re.findall(r'<figure id="(\w+)"(.*?)</figure>', seen.stdout, re.S))
    assert list(figures) == ["ladder", "recovery", "agreement", "gold_curve", "training", "calibration", "costs"]
    for name, figure in figures.items():
        assert len(re.findall(r"<(path|line|rect|text)\b", figure)) > 15, name
    text = re.sub(r"<[^>]+>", "", seen.stdout)
    assert re.search(r"On cities, smollm2-135m taught by minilm-l6’s labels alone recovered \d+%", text)


def test_tooltips_come_from_the_marks(folders, browse):
    """The script ran (its hash is the one that the page allows): titles have become data for the tooltip."""
    seen = browse(folders["one"] / "report.html", "--dump-dom").stdout
    assert "<title>" not in seen[seen.index("<body") :]
    assert re.search(
        r'data-tip="naive: 67\.9% \[66\.0%,\s69\.8%\], recovers 31% of the gap', seen.replace("&nbsp;", " ")
    )


def test_texts_of_strangers_do_nothing(folders, browse):
    seen = browse(folders["crowded"] / "report.html", "--dump-dom")
    assert "<title>owned" not in seen.stdout and "CONSOLE" not in seen.stderr


def test_light_and_dark_differ(folders, browse, tmp_path):
    corners = []
    for flags in ([], [DARK]):
        browse(folders["one"] / "report.html", f"--screenshot={tmp_path / 'seen.png'}", "--window-size=900,700", *flags)
        corners.append(_corner((tmp_path / "seen.png").read_bytes()))
    assert corners == [(255, 255, 255), (0x14, 0x17, 0x1B)]


@pytest.mark.parametrize("name", ["one", "crowded", "learn", "audit", "committee", "committees", "proxy_tuning"])
def test_nothing_sticks_out_of_a_phone_and_no_two_labels_meet(folders, others, browse, tmp_path, name):
    """As the browser's own font has it: the widths of texts in `layout.py` are estimates."""
    page = folders[name] / "report.html" if name in folders else others / f"{name}.html"
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe id="it" src="{page.as_uri()}" style="width:390px;height:844px;border:0"></iframe>'
        f"<script>{MEASURE}</script>",
        encoding="utf-8",
    )
    seen = re.search(r"<title>(\d+)/(\d+)/(\w+)/(\d+)/(.*)</title>", browse(frame, "--dump-dom").stdout)
    assert seen and seen.groups()[:3] == ("390", "390", "none")
    assert int(seen[4]) > 10 and seen[5] == ""


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="no pdftoppm on this machine")
def test_paper_is_white_even_where_the_screen_is_dark(folders, browse, tmp_path):
    browse(folders["one"] / "report.html", f"--print-to-pdf={tmp_path / 'seen.pdf'}", "--no-pdf-header-footer", DARK)
    subprocess.run(["pdftoppm", "-r", "20", "-png", tmp_path / "seen.pdf", tmp_path / "sheet"], check=True)
    sheets = sorted(tmp_path.glob("sheet*.png"))
    assert 3 <= len(sheets) <= 14
    assert all(_corner(sheet.read_bytes()) == (255, 255, 255) for sheet in sheets)


def _corner(png: bytes) -> tuple[int, ...]:
    """The upper left pixel: no filter of PNG changes the first pixel of the first row."""
    data, at = b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return tuple(zlib.decompress(data)[1:4])
