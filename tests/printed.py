"""Small tables and tiny models behind the commands in README and the pages of docs/, of the same names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

import exported
import families
import images
import lite
import tiny_models
from outgrow.core.errors import UserError
from outgrow.tasks.chess.board import Board
from outgrow.tasks.chess.notation import uci
from outgrow.tasks.chess.search import scores

ROOT = Path(__file__).parents[1]
GUIDES = ("own-data", "labelling-tools", "studies", "committees", "steering", "audits", "python")
PAGES = ("README.md", "docs/reference.md", *(f"docs/{name}.md" for name in GUIDES))
LINE = re.compile(r"^    outgrow (.+)$", re.MULTILINE)
INLINE = re.compile(r"`outgrow ((?:list|run|learn|predict|audit|committee|steer|show|report|compare)\b[^`]*)`")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b|\[|\.\.\.")
"""An inline command with one of these shows a form, not a line to be typed; one word alone names a verb."""
SIDES = ("ham", "spam")
ENCODERS, CAUSAL = (
    ("minilm-l6", "mpnet-base"),
    {"smollm2-135m": 17, "gemma3-270m": 3, "qwen2.5-coder-0.5b": 3, "HuggingFaceTB/SmolLM2-360M": 3, "NAME": 3},
)
"""Names of models that read, and of those that write: these with their blocks, of which one line asks for 16."""


def lines() -> Iterator[tuple[str, list[str]]]:
    """(page, the words after `outgrow`) of every printed command, in the order of the pages, where it stands first."""
    seen: set[tuple[str, ...]] = set()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        inline = [said for said in INLINE.findall(text) if " " in said and not PLACEHOLDER.search(said)]
        for said in [*LINE.findall(text), *inline]:
            words = shlex.split(said, comments=True)
            if tuple(words) not in seen:
                seen.add(tuple(words))
                yield page, words


def models(folder: Path) -> None:
    """A folder a name, so that each name is the path of a model here."""
    for name in ("efficientnet-lite0", "efficientnet-lite2"):
        lite.save(folder / name)
    for name in ENCODERS:
        tiny_models.save(folder / name, encoder=True)
    for name, depth in CAUSAL.items():
        families.save(
            folder / name,
            seed=5,
            depth=depth,
            words=[*tiny_models.WORDS, "wrong", "right", *SIDES],
            max_position_embeddings=4096,
        )


def endings(rows: int) -> dict[str, list[str]]:
    """Chess positions of two kings and a rook, with a best move by a search of two plies."""
    rng, found = np.random.default_rng(1), {"fen": [], "best_moves": []}
    while len(found["fen"]) < rows:
        squares = ["1"] * 64
        for piece, at in zip("KRk", rng.permutation(64), strict=False):
            squares[at] = piece
        fen = "/".join("".join(squares[i : i + 8]) for i in range(0, 64, 8)) + " w - - 0 1"
        try:
            ranked = scores(Board(fen), 2)
        except UserError:
            continue
        found["fen"].append(fen)
        found["best_moves"].append(uci(max(ranked, key=lambda move: ranked[move])))
    return found


def tables(folder: Path, rows: int = 200) -> None:
    """Every table that a printed line names, of `rows` items; votes are right in four of five rows."""
    rng = np.random.default_rng(0)
    label = rng.integers(2, size=rows)

    def votes(names: list[str]) -> list[str]:
        wrong = rng.random(rows) < 0.2
        return [names[c] for c in np.where(wrong, 1 - label, label)]

    def text(i: int) -> str:
        said = ("true", "false")[label[i]] if rng.random() < 0.9 else "very"
        return " ".join([*rng.choice(tiny_models.WORDS[:10], 5), said, str(i)])

    said, sides = [text(i) for i in range(rows)], list(SIDES)

    def write(name: str, **columns: list) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        getattr(pl.DataFrame(columns), "write_csv" if path.suffix == ".csv" else "write_parquet")(path)

    write("reviews.csv", review=said, stars=[sides[c] for c in label])
    places = ["france", "spain", "rome", "paris"]
    asked = [f"the city {i} is in" for i in range(rows)]
    right = rng.integers(4, size=rows)
    write("quiz.parquet", question=asked, choices=[places] * rows, answer=right.tolist())
    write("OWNER/NAME/data/train.parquet", text=said, label=[sides[c] for c in label], crowd=votes(sides))
    mine = {f"rule_{n}": votes(sides) for n in (1, 2)} | {"small_model": votes(sides)}
    truth = [sides[c] if i < 100 else None for i, c in enumerate(label)]
    write("messages.parquet", message=said, truth=truth, **mine)
    write("new.parquet", message=said, text=said)
    write(
        "wrench_youtube.parquet",
        text=said,
        label=label.tolist(),
        weak_labels=np.stack(
            [
                np.where(rng.random(rows) < 0.2, -1, np.where(rng.random(rows) < 0.2, 1 - label, label))
                for _ in range(4)
            ],
            1,
        ).tolist(),
    )
    write("items.parquet", id=[f"item {i}" for i in range(rows)], text=said, truth=[sides[c] for c in label])
    write("judged.csv", text=said, gpt=[2 + 2 * c for c in label], claude=[1 + 4 * (v == "spam") for v in votes(sides)])
    sure = {name: np.where(np.array(votes(sides)) == "spam", 0.75, 0.125) for name in ("gpt", "claude")}
    classes = {f"{name}_{c}": p.tolist() for name, of in sure.items() for c, p in zip(SIDES, (1 - of, of), strict=True)}
    write("probabilities.csv", text=said, **classes)
    write("pairs.csv", first=said, second=said[::-1], **{name: votes(["first", "tie"]) for name in ("ann", "bob")})
    exported.label_studio(folder).rename(folder / "project.json")
    exported.doccano(folder)
    exported.long_csv(folder).rename(folder / "joined.csv")
    write("texts.csv", text=exported.TEXTS)
    np.save(folder / "L_train.npy", exported.matrix())
    write(
        "votes.parquet",
        item=[f"item {i}" for i in range(rows)] * 5,
        worker=[f"w{k}" for k in range(5) for _ in range(rows)],
        label=[vote for _ in range(5) for vote in votes(sides)],
    )
    judged = {
        "item": [i for i in range(rows) for _ in range(2)],
        "forward": rng.integers(2, size=2 * rows),
        "swapped": rng.integers(2, size=2 * rows),
    }
    write("verdicts.parquet", judge=["one", "two"] * rows, **judged)
    write(
        "llmbar_judges.parquet",
        judge=["one", "two"] * rows,
        mode=["plain"] * 2 * rows,
        **{f"verdict_{k}": judged[w] for k, w in (("fwd", "forward"), ("swap", "swapped"))},
        item=judged["item"],
    )
    write("llmbar.parquet", id=list(range(rows)), label=label.tolist())
    write("chess_puzzles.parquet", **endings(60))
    answers = {f"model_{x}": [f"so it is {n if rng.random() < 0.6 else n + 1}" for n in range(rows)] for x in "abc"}
    write("answers.parquet", question=asked, answer=[str(n) for n in range(rows)], **answers)
    few = 140
    write(
        "gsm8k.parquet",
        question=asked[:few],
        solution=[f"so it is {n}" for n in range(few)],
        **{k: v[:few] for k, v in answers.items()},
    )
    write(
        "slurp.parquet",
        text=[f"the city of {places[right[i]]} {i}" for i in range(few)],
        slots=[json.dumps([{"type": "city", "filler": places[right[i]]}]) for i in range(few)],
    )
    write(
        "calls.parquet",
        question=[json.dumps([{"role": "user", "content": f"is {places[right[i]]} true {i}"}]) for i in range(few)],
        functions=[
            json.dumps(
                [
                    {
                        "name": "find",
                        "description": "a city",
                        "parameters": {
                            "type": "dict",
                            "properties": {"city": {"type": "string", "description": "the city"}},
                            "required": ["city"],
                        },
                    }
                ]
            )
        ]
        * few,
        ground_truth=[json.dumps([{"find": {"city": [places[right[i]]]}}]) for i in range(few)],
    )
    kinds = list(images.COLOURS)
    shown = rng.integers(3, size=120)
    write(
        "cifar10.parquet",
        jpeg=[images.shape(rng, True, images.COLOURS[kinds[c]]) for c in shown],
        label=[kinds[c] for c in shown],
        worse_label=[kinds[c if rng.random() < 0.8 else (c + 1) % 3] for c in shown],
    )
