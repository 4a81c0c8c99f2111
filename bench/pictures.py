"""Screenshots of the pages of `outgrow learn` and `outgrow audit`, for the documentation, on made-up messages.

    python bench/pictures.py [FOLDER]           (runs/pictures, where none is named; needs Chromium)

Two rules read a word each, two people read more and err, and a third copies one of them half of the time.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.workflows.audit import audit
from outgrow.workflows.learn import learn

ITEMS, GOLD = 1600, 800
WIDTH, SCALE = 1000, 1.25
COMPLAINTS = (
    "the parcel {thing} never arrived and nobody answers me",
    "my {thing} broke after {days} days, I want my money back",
    "you charged me twice for the {thing}",
    "the {thing} is not the one in the picture, I am disappointed",
    "third time that I write: where is my {thing}?",
    "the {thing} smells odd and the box was torn",
    "your driver left the {thing} in the rain",
    "I waited {days} days for a {thing} that does not work",
    "the {thing} you sent is too small, this is useless",
    "please stop sending a {thing} that I did not order",
)
OTHERS = (
    "does the {thing} come in blue?",
    "thank you, the {thing} came after {days} days and looks lovely",
    "can I change the address for my {thing}?",
    "which {thing} would you take for a kitchen?",
    "the {thing} works well, my sister wants one too",
    "how long is the warranty of the {thing}?",
    "I would like an invoice for the {thing}",
    "is the {thing} in the shop next to the station?",
    "we love the {thing}, greetings from all of us",
    "could you hold the {thing} for {days} days?",
)
THINGS = ("lamp", "kettle", "chair", "clock", "blanket", "mirror", "desk", "teapot", "rug", "shelf", "vase", "fan")
NAMES = ("complaint", "other")
RULES = {"rule_not": ("not", "never", "nobody", "useless"), "rule_thanks": ("thank", "love", "?")}


def messages(seed: int = 0) -> pl.DataFrame:
    """A message a row, what five annotators say of it, and gold for half of them."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(2, size=ITEMS)
    texts = []
    for side in gold:
        pattern = rng.choice(OTHERS if side else COMPLAINTS)
        filled = pattern.format(thing=rng.choice(THINGS), days=rng.integers(2, 60))
        texts.append(f"Order {rng.integers(1000, 9999)}: {filled}")
    said = {
        "rule_not": [NAMES[0] if any(word in text for word in RULES["rule_not"]) else None for text in texts],
        "rule_thanks": [NAMES[1] if any(word in text for word in RULES["rule_thanks"]) else None for text in texts],
        "anna": _person(gold, 0.78, 0.9, rng),
        "boris": _person(gold, 0.7, 0.8, rng),
        "chen": _person(gold, 0.66, 0.7, rng),
    }
    copies = rng.random(ITEMS) < 0.5
    said["chen"] = [b if copied else c for b, c, copied in zip(said["boris"], said["chen"], copies, strict=True)]
    known = [NAMES[side] if i < GOLD else None for i, side in enumerate(gold)]
    return pl.DataFrame({"message": texts, **said, "label": known})


def _person(gold: np.ndarray, right: float, speaks: float, rng: np.random.Generator) -> list[str | None]:
    """Labels of somebody who is right on this share of the items, and labels that share of them."""
    label = np.where(rng.random(len(gold)) < right, gold, 1 - gold)
    return [NAMES[side] if heard else None for side, heard in zip(label, rng.random(len(gold)) < speaks, strict=True)]


def screenshot(page: Path, out: Path, height: int) -> None:
    """The upper part of a page as a PNG of 256 colours."""
    from PIL import Image

    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if browser is None:
        raise UserError("no Chromium on this machine: install it (on Debian, apt install chromium)")
    with tempfile.TemporaryDirectory() as profile:
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}")
        size = (f"--force-device-scale-factor={SCALE}", f"--window-size={WIDTH},{height}")
        command = [browser, *flags, *size, f"--screenshot={out}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    Image.open(out).convert("RGB").quantize(256).save(out, optimize=True)


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        table = Path(made) / "messages.parquet"
        frame = messages()
        frame.write_parquet(table)
        reading = Reading(text="message", votes=tuple(frame.columns[1:-1]), label="label")
        student = learn(str(table), reading=reading, strong="minilm-l6", out=Path(made) / "student")
        screenshot(student / "report.html", out / "learn.png", 1180)
        _, page = audit(str(table), reading=reading, out=Path(made) / "audit")
        screenshot(page, out / "audit.png", 1180)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/pictures"))
