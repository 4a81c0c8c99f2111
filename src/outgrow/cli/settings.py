"""What a user asked for: the settings of a study file under the flags of the command line, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from outgrow import methods as classifying
from outgrow.core.errors import UserError, unknown
from outgrow.methods import text as sequences
from outgrow.tasks.tables.files import listed
from outgrow.tasks.tables.options import Reading
from outgrow.workflows import front

LISTS = ("tasks", "weak", "strong", "methods", "ladder", "auxiliary")


def merge(file: Path | None, flags: Mapping[str, Any], reading: Reading, settings: Sequence[str]) -> dict[str, Any]:
    """The arguments of `Study` that the file or a flag gives; the flag wins. Raises UserError, one line."""
    asked = _checked(_read(file), str(file)) if file else {}
    given = {
        key: listed(value) if key == "methods" and value else value
        for key, value in flags.items()
        if value not in (None, (), [])
    }
    asked |= _checked(given, "command line")
    named = {f.name: getattr(reading, f.name) for f in fields(Reading) if getattr(reading, f.name) != f.default}
    columns = {**asked.pop("reading", {}), **named}
    if columns:
        asked["reading"] = Reading(**columns)
    for key in LISTS:
        twice = [name for name in asked.get(key, ()) if asked[key].count(name) > 1]
        if twice:
            raise UserError(f"{key}: {twice[0]!r} is named twice: name it once")
    tables = asked.pop("method", {})
    methods = asked.get("methods")
    find = sequences.find if _generates(asked) else classifying.find
    if methods and "methods" in given:
        tables = {name: table for name, table in tables.items() if name in methods or "all" in methods}
    for name, values in _settings(settings).items():
        tables[name] = {**tables.get(name, {}), **values}
    for name, values in tables.items():
        find(name).configured(values)
        if methods and name not in methods and "all" not in methods:
            raise UserError(f"{name} has parameters, but is not among the methods {methods}: add it or leave them out")
    if tables:
        asked["parameters"] = tables
    return asked


def checked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Study`. Raises UserError for flags that do not apply to generation tasks."""
    if not _generates(asked):
        for key in front.TEXTS_ALONE:
            if key in asked:
                raise UserError(f"--{key.replace('_', '-')} applies to generation tasks alone: leave it out")
    else:
        for key in front.CLASSES_ALONE:
            if key in asked:
                raise UserError(f"--{key.replace('_', '-')} does not apply to generation tasks: leave it out")
        if "tasks" not in asked:
            raise UserError("--scorer is for a table: name the file")
    return dict(asked)


def _generates(asked: Mapping[str, Any]) -> bool:
    return front.generates(asked.get("tasks", ()), asked.get("reading"))


def _settings(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """["logconf.alpha=0.5"] -> {"logconf": {"alpha": 0.5}}"""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        name, dot, parameter = target.strip().partition(".")
        if not (equals and dot and name and parameter and value.strip()):
            raise UserError(f"--set {text!r}: write it as METHOD.PARAMETER=VALUE, as in --set logconf.alpha=0.5")
        if parameter in found.setdefault(name, {}):
            raise UserError(f"--set {target} is given twice: give it once")
        found[name][parameter] = _value(value.strip())
    return found


def _value(text: str) -> Any:
    """What TOML makes of it; a bare word is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _read(file: Path) -> dict[str, Any]:
    if file.exists() and not file.is_file() and not file.is_dir():
        raise UserError(f"the study file {str(file)!r} is no ordinary file: give a file")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the study file {str(file)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"the study file {str(file)!r} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"the study file {str(file)!r} is not TOML: {error}") from None


def _checked(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values as `Study` takes them. Raises UserError for the first that is unknown or of the wrong kind."""
    from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

    names = Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(min_length=1),
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    ]

    class Asked(BaseModel):
        model_config = ConfigDict(extra="forbid")
        tasks: names = []
        weak: names = []
        strong: names = []
        methods: names = []
        seeds: Annotated[int, Field(ge=1, strict=True)] = 1
        seed: Annotated[int, Field(ge=0, strict=True)] = 0
        weak_gold: Annotated[int, Field(ge=2, strict=True)] = 2
        student: str = ""
        prompting: str = ""
        label_model: str = ""
        ladder: names = []
        auxiliary: names = []
        out: Path = Path()
        reading: dict[str, Any] = {}
        method: dict[str, dict[str, Any]] = {}

    try:
        asked = Asked.model_validate(values).model_dump(exclude_unset=True)
        columns = asked.get("reading", {})
        for key in columns:
            if key not in Reading.__dataclass_fields__:
                raise unknown(f"key of [reading] in {where}", key, Reading.__dataclass_fields__)
        read = TypeAdapter(Reading).validate_python(columns)
        columns.update({key: getattr(read, key) for key in columns})
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise unknown(f"key of {where}", path, Asked.model_fields) from None
        shown = f"{path} = {first['input']!r}"
        raise UserError(f"{where}: {shown}: {first['msg'][0].lower()}{first['msg'][1:]}") from None
    return asked
