"""What feature extraction costs: the share of this machine's matrix peak that it reaches, and how it grows with items.

    python bench/features.py                    share and growth, as Markdown
    python bench/features.py --part share --models smollm2-135m --texts 400
    python bench/features.py --part growth --items 1000 10000
    python bench/features.py --part peers       MiniLM beside sentence-transformers, where that is installed

Share: model FLOPs (real tokens only, two for each weight of the blocks that run, and attention) a second, tokenising
and keeping included, loading not, against square matrix products of SIZE in the same precision. One product is timed
after every batch (after one that is not, to warm the caches) and its time taken off the reading's, so that whatever
else the machine does slows both alike; a rate is all work over all time. On a processor, time is that of the process,
not of the clock: another process that takes its turn is no time of ours. The median over readings stands in the table.

Peers: the same checkpoint, all its blocks, mean pooling, the same precision and threads; seconds of reading, tokenising
included and loading not, in turn; sentence-transformers keeps nothing, we keep the features.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, final
from unittest import mock

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from outgrow.models import Features, Model
    from outgrow.models.bundles import Batch

SIZE = 2048
MODELS = ("minilm-l6", "smollm2-135m", "gemma3-270m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
SCIQ = Path(__file__).parents[2] / "shared" / "data" / "sciq" / "sciq.parquet"


@final
class Peak:
    """Times matrix products in between the batches of a reading."""

    def __init__(self, precision: str):
        import torch

        from outgrow.models.loader import device

        kind, where = getattr(torch, precision), device()
        self._left, self._right = (torch.rand(SIZE, SIZE).to(where, kind) for _ in range(2))
        self.clock = time.process_time if where.type == "cpu" else time.perf_counter
        self.products, self.seconds, self.away = 0, 0.0, 0.0

    def measure(self) -> None:
        """One product to warm the caches, and one that counts; `away` is the time of both."""
        begun = self.clock()
        (self._left @ self._right)[0, 0].item()
        warm = self.clock()
        (self._left @ self._right)[0, 0].item()
        done = self.clock()
        self.products, self.seconds, self.away = self.products + 1, self.seconds + done - warm, self.away + done - begun

    @property
    def rate(self) -> float:
        """GFLOP/s over all products."""
        return self.products * 2 * SIZE**3 / self.seconds / 1e9


def read_beside(peak: Peak, model: Model, texts: list[str]) -> tuple[Features, float]:
    """Features into a fresh store, the peak measured after every batch; seconds without that and loading."""
    from outgrow import models
    from outgrow.models import tokens
    from outgrow.models.encoder import _Blocks
    from outgrow.store import Store

    call, begin, prepared = _Blocks.__call__, _Blocks.__init__, tokens.prepared

    def aside(work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, whose time does not count."""

        def done(*given: Any, **more: Any) -> Any:
            begun = peak.clock()
            found = work(*given, **more)
            peak.away += peak.clock() - begun
            return found

        return done

    def batch(self: _Blocks, given: Batch) -> np.ndarray:
        out = call(self, given)
        peak.measure()
        return out

    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(_Blocks, "__call__", batch),
        mock.patch.object(_Blocks, "__init__", aside(begin)),
        mock.patch.object(tokens, "prepared", aside(prepared)),
    ):
        begun = peak.clock()
        read = models.features(model, texts, Store(Path(folder)))
        return read, peak.clock() - begun - peak.away


def sciq(count: int) -> list[str]:
    """Context, question and an answer: about 110 tokens each."""
    import polars

    rows = polars.read_parquet(SCIQ).head(count).iter_rows(named=True)
    made = []
    for row in rows:
        choices = json.loads(row["choices"]) if isinstance(row["choices"], str) else row["choices"]
        made.append(f"{row['context']}\nQuestion: {row['question']} Answer: {choices[0]}")
    return made


def cities(count: int) -> list[str]:
    """Sentences of about 10 tokens."""
    from outgrow import tasks

    return [texts[0] for texts in tasks.load("cities")[0].texts[:count]]


def share(names: list[str], count: int, readings: int) -> None:
    """Print the table of benchmark 1."""
    from outgrow import models
    from outgrow.models.loader import chosen_precision
    from outgrow.store import Store

    precision = chosen_precision()
    if precision != "bfloat16":
        print("This processor has no bfloat16 units: models read in float32, and the peak is that of float32.\n")
    print(f"Peak: square products of {SIZE}, one after every batch.\n")
    print(f"| model | texts | tokens | {precision} peak, GFLOP/s | reading, GFLOP/s | tokens/s | share of the peak |")
    print("|---|---|---|---|---|---|---|")
    sources = {"cities": cities(6 * count)}
    if SCIQ.exists():
        sources["sciq with context"] = sciq(count)
    store = Store.default()
    for name in names:
        model = models.resolve(name, store)
        for source, texts in sources.items():
            peaks, rates = [], []
            for _ in range(readings):
                peak = Peak(precision)
                read, seconds = read_beside(peak, model, texts)
                peaks.append(peak.rate)
                rates.append(read.flops / seconds / 1e9)
            rate, top = statistics.median(rates), statistics.median(peaks)
            part = statistics.median(rate / top for rate, top in zip(rates, peaks, strict=True))
            speed = read.tokens / read.flops * rate * 1e9
            cells = [
                name,
                f"{len(texts)} of {source}",
                f"{read.tokens:,}",
                f"{top:.0f}",
                f"{rate:.0f}",
                f"{speed:,.0f}",
            ]
            print("|", " | ".join([*cells, f"{part:.2f}"]), "|", flush=True)


def peers(count: int, readings: int) -> None:
    """Print the table beside sentence-transformers."""
    import sentence_transformers
    import torch
    from sentence_transformers.models import Pooling, Transformer

    from outgrow import models
    from outgrow.models.loader import chosen_precision, device
    from outgrow.store import Store

    model, precision = models.resolve("minilm-l6", Store.default()), chosen_precision()
    words = Transformer(str(model.path), model_kwargs={"dtype": getattr(torch, precision)})
    peer = sentence_transformers.SentenceTransformer(
        modules=[words, Pooling(model.width, "mean")], device=str(device())
    )
    peer.max_seq_length = 512
    version = sentence_transformers.__version__
    print(
        f"minilm-l6, all {model.depth} blocks, {precision}, {torch.get_num_threads()} threads; seconds are medians of "
    )
    print(f"{readings} readings in turn; sentence-transformers {version} in batches of 32 (its default) and 128.\n")
    print("| texts | outgrow, s | of 32, s | of 128, s | 32 / outgrow | 128 / outgrow |")
    print("|---|---|---|---|---|---|")
    sources = {"cities": cities(6 * count)} | ({"sciq with context": sciq(count)} if SCIQ.exists() else {})
    for source, texts in sources.items():
        ours, theirs = [], {32: list[float](), 128: list[float]()}
        peer.encode(texts[:64])
        for _ in range(readings):
            with tempfile.TemporaryDirectory() as folder:
                ours.append(models.features(model, texts, Store(Path(folder)), layers=(model.depth,)).seconds)
            for size, spent in theirs.items():
                begun = time.perf_counter()
                peer.encode(texts, batch_size=size)
                spent.append(time.perf_counter() - begun)
        cells = [f"{len(texts)} of {source}", f"{statistics.median(ours):.2f}"]
        cells += [f"{statistics.median(spent):.2f}" for spent in theirs.values()]
        cells += [
            f"{statistics.median(b / a for a, b in zip(ours, spent, strict=True)):.2f}" for spent in theirs.values()
        ]
        print("|", " | ".join(cells), "|", flush=True)


def short_texts(count: int) -> list[str]:
    """Different made-up sentences of about 10 tokens."""
    rng = np.random.default_rng(0)
    things = np.array(["river", "city", "bridge", "tower", "garden", "market", "island", "valley", "harbour", "castle"])
    kinds = np.array(["old", "new", "long", "small", "famous", "quiet", "northern", "busy", "lost", "green"])
    parts = zip(rng.choice(kinds, count), rng.choice(things, count), rng.choice(kinds, count), strict=True)
    return [f"The {a} {b} number {n} is {c}." for n, (a, b, c) in enumerate(parts)]


def one(name: str, count: int) -> None:
    """Read `count` texts in this process, and say in JSON what it took."""
    from outgrow import models
    from outgrow.store import Store

    model, texts = models.resolve(name, Store.default()), short_texts(count)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        read = models.features(model, texts, Store(Path(folder)))
        wall = time.perf_counter() - begun
        size = read.x.nbytes
    # Not what getrusage says: over an exec that keeps the memory of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    top = 1024 * int(status["VmHWM"].split()[0])
    print(json.dumps({"wall": wall, "reading": read.seconds, "tokens": read.tokens, "rss": top, "bytes": size}))


def growth(name: str, counts: list[int]) -> None:
    """Print the table of benchmark 4."""
    print(f"| items ({name}) | tokens | seconds | of which loading and keeping | ms an item | features | peak memory |")
    print("|---|---|---|---|---|---|---|")
    for count in counts:
        command = [sys.executable, __file__, "--one", str(count), "--models", name]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        got = json.loads(said.splitlines()[-1])
        cells = [f"{count:,}", f"{got['tokens']:,}", f"{got['wall']:.1f}", f"{got['wall'] - got['reading']:.1f}"]
        cells += [f"{1000 * got['wall'] / count:.2f}", f"{got['bytes'] / 2**20:.0f} MB", f"{got['rss'] / 2**20:.0f} MB"]
        print("|", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=["share", "growth", "peers", "all"], default="all")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--texts", type=int, default=400, help="texts of sciq; six times as many of cities")
    parser.add_argument("--readings", type=int, default=1)
    parser.add_argument("--items", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.models[0], asked.one)
        return
    if asked.part == "peers":
        peers(asked.texts, asked.readings)
        return
    if asked.part != "growth":
        share(asked.models, asked.texts, asked.readings)
    if asked.part == "all":
        print()
    if asked.part != "share":
        growth(asked.models[0], asked.items)


if __name__ == "__main__":
    main()
