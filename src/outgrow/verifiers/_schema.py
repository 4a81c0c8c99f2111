"""Runs in a sandbox: whether a JSON value keeps to a schema (whose patterns may take for ever)."""

import json
import re

import jsonschema
import referencing.exceptions


def answer(job):
    """(schema, value), both JSON texts -> "" if it keeps to it, else where it does not; "schema: ..." where that is none."""
    schema, value = map(json.loads, job)
    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"schema: {error.message[:200]}"
    try:
        error = jsonschema.exceptions.best_match(kind(schema).iter_errors(value))
    except (referencing.exceptions.Unresolvable, re.error) as wrong:
        return f"schema: {wrong}"[:200]
    return "" if error is None else f"{error.json_path}: {error.message[:200]}"
