"""Runs in a box: whether a JSON value keeps to a schema (whose patterns may take for ever)."""

import json
import re

import jsonschema
import referencing.exceptions


def answer(job):
    """(schema, value), JSON texts -> "" for a value that keeps to it, else where not; "schema: ..." for no schema."""
    schema, value = map(json.loads, job)
    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"schema: {error.message[:200]}"
    try:
        best = jsonschema.exceptions.best_match(kind(schema).iter_errors(value))
    except (referencing.exceptions.Unresolvable, re.error) as error:
        return f"schema: {error}"[:200]
    return "" if best is None else f"{best.json_path}: {best.message[:200]}"
