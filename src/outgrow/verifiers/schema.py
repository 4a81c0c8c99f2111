"""JSON schema: the JSON in the answer keeps to shown["schema"].

>>> schema([Attempt("A number, as JSON.", "Here: [1]", {"schema": {"type": "array"}})])
[Verdict(sound=True, why='', score=None)]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import json_text
from outgrow.verifiers._fields import shown
from outgrow.verifiers.sandbox import limits
from outgrow.verifiers.sandbox.jobs import LostJob, run_jobs
from outgrow.verifiers.sandbox.programs.sources import SCHEMA_VALIDATOR


@verifier(paper="JSON Schema 2020-12")
def schema(attempts: Sequence[Attempt], *, seconds: int = limits.JOB_SECONDS) -> list[Verdict]:
    """Validates the JSON in the answer (in a fence, or all of it, or its last object or list) against shown["schema"].

    Args:
        attempts: answers; shown["schema"] is a JSON schema as a dict or as a text.
        seconds: on the processor, of one validation.
    """
    jobs: list[tuple[str, str] | None] = []
    for one in attempts:
        wanted = shown(one, "schema", (Mapping, str))
        try:
            wanted = json.loads(wanted) if isinstance(wanted, str) else dict(wanted)
            kept = json.dumps(wanted, sort_keys=True)
        except (TypeError, ValueError, RecursionError) as error:
            raise UserError(f"shown['schema'] is {wanted!r:.80}: it must be JSON ({error})") from error
        value = json_text(one.answer)
        jobs.append(None if value is None else (kept, value))
    distinct = list(dict.fromkeys(job for job in jobs if job))
    package = "jsonschema"
    replies = run_jobs(SCHEMA_VALIDATOR, package, distinct, "validating JSON", seconds=seconds) if distinct else []
    found: dict[tuple[str, str] | None, Verdict] = {None: Verdict(False, "no JSON in the answer")}
    for job, reply in zip(distinct, replies, strict=True):
        if isinstance(reply, LostJob):
            # Too much time or memory is the answer's fault; a failure may be the validator's.
            found[job] = Verdict(None if reply.outcome.startswith("failed") else False, reply.outcome)
        elif reply.startswith("schema: "):
            raise UserError(f"shown['schema'] is no JSON schema: {reply.removeprefix('schema: ')}")
        else:
            found[job] = Verdict(not reply, reply)
    return [found[job] for job in jobs]
