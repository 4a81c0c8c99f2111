"""Names of language models.

    named("smollm2-135m", store)                            a checkpoint here: catalogue name, hub id or folder
    named("server:http://localhost:8000/v1,NAME", store)    any server that speaks OpenAI's protocol; see `server.py`
    named("answers:FILE.parquet", store)                    answers that were recorded elsewhere
    named("proxy:STRONG,TUNED,BASE", store)                 proxy-tuning, three checkpoints of one vocabulary
    named("sibling:smollm2-135m:12", store)                 12 of its blocks, healed

Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from outgrow.core.errors import UserError
from outgrow.training import pruned

if TYPE_CHECKING:
    from outgrow.generation import LanguageModel
    from outgrow.generation.decoding import Decoder
    from outgrow.store import Store


KINDS = ("server:URL,NAME", "answers:FILE", "proxy:STRONG,TUNED,BASE", pruned.USAGE)


def check(name: str, what: str = "model") -> None:
    """Raises UserError for a name that no language model can have; fetches nothing."""
    if name.partition(":")[0] not in {kind.partition(":")[0] for kind in KINDS} or name.startswith(pruned.PREFIX):
        pruned.check(name, what, KINDS)


def named(name: str, store: Store) -> LanguageModel:
    """The language model of that name, ready to generate. Raises UserError if there is none."""
    kind, _, rest = name.partition(":")
    if kind == "server":
        from outgrow.generation.server import Server

        return Server.named(rest, store)
    if kind == "answers":
        from outgrow.generation.records import RecordedModel

        return RecordedModel(rest)
    if kind == "proxy":
        from outgrow.generation.proxy import ProxyTuned

        return ProxyTuned(*_three(rest, store))
    from outgrow.generation.local import Local

    check(name)
    return Local(pruned.resolve(name, store))


def _three(names: str, store: Store) -> tuple[Decoder, Decoder, Decoder, float]:
    """The models of "STRONG,TUNED,BASE[,ALPHA]", and alpha."""
    # The name of a server contains commas.
    *parts, last = re.findall(r"server:[^,]+,[^,]+(?:,tokenizer=[^,]+)?|[^,]+", names) or [names]
    try:
        alpha = float(last)
    except ValueError:
        alpha, parts = 1.0, [*parts, last]
    if len(parts) != 3:
        raise UserError(
            f"proxy:{names} names {len(parts)} models: give proxy:STRONG,TUNED,BASE or proxy:STRONG,TUNED,BASE,ALPHA"
        )
    strong, tuned, base = (cast("Decoder", named(part, store)) for part in parts)  # a server says what it cannot do
    return strong, tuned, base, alpha
