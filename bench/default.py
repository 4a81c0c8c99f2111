"""Which label model is the default: all of them on development crowds, and the rule's choice on confirmation crowds.

    python bench/default.py             both tables, as Markdown, and the choice
    python bench/default.py --size      seconds and memory of each on 50,000 votes of 1,000 planted people

The sets and the rule were written down beforehand (docs/log.md). No label model sees gold. A score is the share of items
whose likeliest class is gold, ties shared; an item without votes counts 1/K. Beside each: the Brier score of the belief.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from labels import DATA, Crowd, crowds

from outgrow import label_models
from outgrow.label_models._votes import Votes
from outgrow.metrics.accuracy import rightness

DEVELOPMENT = (
    "act_cf_amt",
    "cs13_fact_eval",
    "cti_d_sentiment",
    "cti_s4_face_sentiment_identification",
    "smem_bluebird",
    "wrench_youtube",
)
WORST = -0.02
"""The most that a default may lose to the majority on a development set."""
SOFT = ("bayesian",)
"""Label models that weigh a soft vote by how sure its annotator usually is."""
NAMES = sorted(label_models.registry())


def judges() -> Crowd:
    """llmbar: every judge under every prompt in both orders is one annotator."""
    gold = pl.read_parquet(DATA / "llmbar" / "llmbar.parquet", columns=["id", "label"]).sort("id")
    said = pl.read_parquet(DATA / "llmbar" / "llmbar_judges.parquet").unpivot(
        ["verdict_fwd", "verdict_swap"], index=["id", "judge", "mode"], variable_name="order", value_name="said"
    )
    said = said.filter(pl.col("said").is_in([0, 1])).with_columns(pl.concat_str("judge", "mode", "order").alias("who"))
    return _answers("llmbar judges", said, gold, "id", "label")


def recorded(dataset: str) -> Crowd:
    """Answers of language models to questions with lettered options."""
    table = pl.read_parquet(DATA / "llm_predictions" / "llm_predictions.parquet").filter(dataset=dataset)
    gold = table.select("item_id", "reference").unique().sort("item_id")
    said = table.rename({"prediction": "said", "model": "who"}).filter(pl.col("said").is_in(list("ABCDE")))
    return _answers(f"{dataset} answers", said, gold, "item_id", "reference")


def truthful() -> Crowd:
    """Answers to TruthfulQA in context: every run, prompt and model is one annotator."""
    table = pl.read_parquet(DATA / "w2s_icl_truthfulqa" / "answers.parquet")
    gold = table.select("question_id", "gold").unique().sort("question_id")
    said = table.rename({"answer": "said"}).filter(pl.col("said").is_in(list("ABCD")))
    said = said.with_columns(pl.concat_str("run", "k_shot", "condition", "model", separator="/").alias("who"))
    said = said.unique(["question_id", "who"], keep="first", maintain_order=True)
    return _answers("truthfulqa answers", said, gold, "question_id", "gold")


def soft() -> Crowd:
    """Soft labels of four GPT-2 on answers to sciq, seed 0."""
    table = pl.read_parquet(DATA / "w2s_sciq_weak_labels" / "w2s_sciq_weak_labels.parquet").filter(seed=0)
    p = table.select(pl.col("^p1_.*$")).to_numpy()
    item, who = (part.ravel() for part in np.indices(p.shape))
    votes = Votes(item, who, np.stack([1 - p.ravel(), p.ravel()], 1), *p.shape)
    return Crowd("sciq, four GPT-2", votes, table["gt_label"].to_numpy())


def people() -> Crowd:
    """CIFAR-10N: three people an image, who are not known by name: three columns."""
    table = pl.read_parquet(DATA / "cifar10" / "cifar10.parquet", columns=["split", "label", "human_labels"])
    table = table.filter(split="train")
    said = np.array(table["human_labels"].to_list())
    item, who = (part.ravel() for part in np.indices(said.shape))
    return Crowd("CIFAR-10N", Votes(item, who, np.eye(10)[said.ravel()], *said.shape), table["label"].to_numpy())


def _answers(name: str, said: pl.DataFrame, gold: pl.DataFrame, key: str, label: str) -> Crowd:
    """A crowd of rows (item, who, said) and of gold a row an item."""
    classes = gold[label].unique().sort()
    said = said.filter(pl.col("said").is_in(classes.to_list()))
    item = gold[key].search_sorted(said[key]).to_numpy().astype(np.int64)
    who = said["who"].rank("dense").to_numpy().astype(np.int64) - 1
    at = classes.search_sorted(said["said"]).to_numpy()
    votes = Votes(item, who, np.eye(len(classes))[at], len(gold), int(who.max()) + 1)
    return Crowd(name, votes, classes.search_sorted(gold[label]).to_numpy().astype(np.int64))


def fresh() -> Iterator[Crowd]:
    """Votes that no label model had been measured on."""
    yield judges()
    yield recorded("arc_challenge")
    yield recorded("commonsense_qa")
    yield truthful()
    yield soft()
    yield people()


def measured(crowd: Crowd) -> dict[str, tuple[float, float, float]]:
    """Of every label model: accuracy minus the majority's with its half interval over items, and the Brier score."""
    seen, k = crowd.gold >= 0, crowd.votes.said.shape[1]
    gold, right, brier = crowd.gold[seen], dict[str, np.ndarray](), dict[str, float]()
    for name in NAMES:
        probs = label_models.find(name)(crowd.votes).probs[:, seen].astype(np.float64).round(6)
        right[name] = rightness(probs, gold)[0]
        brier[name] = float(((np.nan_to_num(probs[0], nan=1 / k) - np.eye(k)[gold]) ** 2).sum(1).mean())
    found = {}
    for name in NAMES:
        ahead = right[name] - right["majority"]
        half = 1.96 * float(ahead.std(ddof=1)) / len(gold) ** 0.5
        found[name] = (float(ahead.mean()), half, brier[name])
    print(
        f"| {crowd.name} | {crowd.votes.annotators} | {len(crowd.votes.item):,} | {right['majority'].mean():.3f} | "
        + " | ".join(f"{100 * a:+.1f} ± {100 * h:.1f} ({b:.3f})" for a, h, b in found.values())
        + " |",
        flush=True,
    )
    return found


def table(title: str, sets: Sequence[Crowd]) -> dict[str, tuple[float, float, float]]:
    """Prints the sets' rows and their summary: of every label model mean gain, worst gain and mean Brier score."""
    print(f"\n{title}\n\n| set | annotators | votes | majority | {' | '.join(NAMES)} |")
    print("|---" * (4 + len(NAMES)) + "|")
    rows = [measured(one) for one in sets]
    found = {}
    for name in NAMES:
        gains = np.array([row[name][0] for row in rows])
        found[name] = (float(gains.mean()), float(gains.min()), float(np.mean([row[name][2] for row in rows])))
    told = " | ".join(f"{100 * m:+.2f}, worst {100 * w:+.1f} ({b:.3f})" for m, w, b in found.values())
    print(f"| mean of {len(rows)} | | | | {told} |")
    return found


def size() -> None:
    """Seconds and the peak of memory on 50,000 votes of 1,000 people on 10,000 items of 5 classes."""
    rng = np.random.default_rng(0)
    item, who = np.repeat(np.arange(10_000), 5), rng.integers(1000, size=50_000)
    gold = rng.integers(5, size=10_000)
    said = np.where(rng.random(50_000) < rng.beta(8, 3, 1000)[who], gold[item], rng.integers(5, size=50_000))
    votes = Votes(item, who, np.eye(5)[said], 10_000, 1000)
    for name in NAMES:
        tracemalloc.start()
        began = time.perf_counter()
        right = float((label_models.find(name)(votes).probs[0].argmax(-1) == gold).mean())
        seconds, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{name}: {seconds:.1f} s, peak {peak / 2**20:,.0f} MiB, right on {right:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", action="store_true", help="time and memory instead")
    if parser.parse_args().size:
        size()
        return
    known = list(crowds())
    developed = table("Development", [one for one in known if one.name in DEVELOPMENT])
    safe = [name for name, (_, worst, _) in developed.items() if worst >= WORST]
    best = max(developed[name][0] for name in safe)
    equal = [name for name in safe if developed[name][0] > best - 1e-9]
    chosen = sorted(equal, key=lambda name: (round(developed[name][2], 4), name not in SOFT))
    print(f"\nchosen: {', then '.join(chosen)}")
    table("Confirmation", [one for one in known if one.name not in DEVELOPMENT])
    table("Confirmation, votes never measured before", list(fresh()))


if __name__ == "__main__":
    main()
