"""JSON schema: the JSON in the answer keeps to the shown schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._served import Lost, served
from outgrow.verifiers._text import json_text


@verifier(paper="JSON Schema 2020-12")
def schema(asked: Sequence[Attempt], *, seconds: int = 5) -> list[Verdict]:
    """Validates the JSON in the answer (in a fence, or all of it, or its last object or list) against shown["schema"]."""
    jobs: list[tuple[str, str] | None] = []
    for one in asked:
        wanted = shown(one, "schema", (Mapping, str))
        try:
            wanted = json.loads(wanted) if isinstance(wanted, str) else dict(wanted)
            kept = json.dumps(wanted, sort_keys=True)
        except (TypeError, ValueError, RecursionError) as error:
            raise UserError(f"shown['schema'] is {wanted!r:.80}: it must be JSON ({error})") from error
        value = json_text(one.answer)
        jobs.append(None if value is None else (kept, value))
    distinct = list(dict.fromkeys(job for job in jobs if job))
    replies = served("_schema", "jsonschema", distinct, "validating JSON", seconds=seconds) if distinct else []
    found: dict[tuple[str, str] | None, Verdict] = {None: Verdict(False, "no JSON in the answer")}
    for job, reply in zip(distinct, replies, strict=True):
        if isinstance(reply, Lost):
            # What took too long or too much is the answer's doing; what failed may be the validator's.
            found[job] = Verdict(None if reply.outcome.startswith("failed") else False, reply.outcome)
        elif reply.startswith("schema: "):
            raise UserError(f"shown['schema'] is no JSON schema: {reply.removeprefix('schema: ')}")
        else:
            found[job] = Verdict(not reply, reply)
    return [found[job] for job in jobs]
