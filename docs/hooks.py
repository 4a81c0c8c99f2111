"""What `mkdocs build` adds to the pages in this folder.

- the index from README.md, and CHANGELOG.md and CONTRIBUTING.md as pages;
- a table of every registry (methods, supervisors, verifiers, ...), read from the package itself;
- the Python interface, an entry for each public name of `outgrow`, and a line for every module;
- every notebook of docs/notebooks, executed.

Nothing here reaches beyond this machine.
"""

from __future__ import annotations

import ast
import html
import importlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

DOCS = Path(__file__).parent
ROOT = DOCS.parent
NOTEBOOKS = DOCS / "notebooks"
SECONDS = 300
"""A notebook that takes longer has failed."""

FURTHER = (
    "students.saved.SavedStudent",
    "label_models.fit_predict",
    "sklearn.WeakToStrongClassifier",
    "sklearn.LabelModelTransformer",
)
"""What lies in rooms and has an entry beside the package's own names."""
TABLES = {
    "tasks": ("Tasks", "Built-in tasks. A table of your own is a task as well: [reference](../reference.md#tasks)."),
    "models": ("Models", "Checkpoints that `outgrow` knows by a short name: [models and offline use](../models.md)."),
    "supervisors": ("Supervisors", "Whatever is weak and labels items: the values of `--weak`."),
    "methods": ("Methods", "From weak labels to a fitted student: the values of `--method` for tasks with classes."),
    "text-methods": ("Methods for generation tasks", "The values of `--method` for tasks answered in free text."),
    "label-models": ("Label models", "From several supervisors' labels to one distribution per item: `--label-model`."),
    "losses": ("Losses", "Training losses of students."),
    "selections": ("Selections", "Which items a student trusts, and how much."),
    "verifiers": ("Verifiers", "External checks of an answer: `--verifier`."),
    "audits": ("Audits", "Questions put to supervisors and labels, by the code of their findings."),
    "charts": ("Charts", "Figures of a report."),
}
"""Title and first sentence of the page of each registry that `outgrow list` knows."""
HEADS = {
    "models": ("name", "weights", "download", "licence", "what it is"),
    "methods": ("name", "hyper-parameters", "what it does, and where it comes from"),
    "text-methods": ("name", "hyper-parameters", "what it does, and where it comes from"),
    "audits": ("code", "what it asks"),
}
HEAD = ("name", "what it is")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder."""
    from mkdocs.structure.files import File

    pages = {
        "index.md": from_root("README.md"),
        "changelog.md": from_root("CHANGELOG.md"),
        "contributing.md": from_root("CONTRIBUTING.md"),
        "CITATION.cff": (ROOT / "CITATION.cff").read_text(encoding="utf-8"),
        "api.md": interface(),
        "modules.md": modules(),
        **{f"tables/{what}.md": table(what) for what in lists()},
        **{f"notebooks/{path.stem}.md": executed(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))},
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def from_root(name: str) -> str:
    """A page of the repository's root, its links as they are seen from docs/."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r"\]\((?:docs/|(CHANGELOG|CONTRIBUTING)(?=\.md))", lambda m: f"]({(m[1] or '').lower()}", text)


def lists() -> dict[str, Any]:
    """What `outgrow list` lists: a function for each registry that gives its rows."""
    return importlib.import_module("outgrow.cli.list").LISTS


def table(what: str) -> str:
    """A registry as a page with a row for each member."""
    title, first = TABLES[what]
    head, rows = HEADS.get(what, HEAD), [row for row in lists()[what]()]
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head))]
    lines += [
        "| " + " | ".join([f"<code>{_code(row[0])}</code>", *(_cell(cell) for cell in row[1:])]) + " |" for row in rows
    ]
    return f"# {title}\n\n{first} `outgrow list {what}` prints this table.\n\n" + "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """A name in a cell of a Markdown table."""
    return html.escape(text).replace("|", "&#124;")


def _cell(text: str) -> str:
    """Text in a cell of a Markdown table, with nothing in it that Markdown reads."""
    return re.sub(r"([|*_`<>\[\]\\])", r"\\\1", " ".join(text.split()))


def interface() -> str:
    """A page with an entry for each public name of the package."""
    import outgrow

    entries = "\n".join(f"::: outgrow.{name}\n" for name in (*outgrow.__all__, *FURTHER))
    return f"# Python interface\n\nEverything that `import outgrow` offers.\n\n{entries}"


def modules() -> str:
    """A page with a line for every module, by room: what its docstring begins with."""
    parts = [
        "# Modules",
        "Every module, and what its docstring begins with. [Architecture](architecture.md) has the notable ones.",
    ]
    source = ROOT / "src" / "outgrow"
    for room in sorted(path.parent for path in source.glob("*/__init__.py")):
        lines = ["| module | is |", "|---|---|"]
        for path in sorted(room.rglob("*.py")):
            said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            lines.append(f"| `{path.relative_to(source).as_posix()}` | {_cell(said.partition(chr(10))[0])} |")
        parts += [f"## {room.name}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def executed(path: Path) -> str:
    """A notebook, run from the top in an empty folder, as Markdown with what its cells printed and drew."""
    import nbformat
    from nbclient import NotebookClient
    from traitlets.config import Config

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as sockets, tempfile.TemporaryDirectory() as folder:
        # Sockets of this machine alone: the default, TCP, warns that it has no encryption.
        config = Config({"AsyncKernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", config=config, resources=resources)
        client.execute()
    return "\n\n".join(part for cell in notebook.cells for part in _markdown(cell)) + "\n"


def _markdown(cell: Any) -> list[str]:
    if cell.cell_type == "markdown":
        return [cell.source]
    parts = [f"```python\n{cell.source}\n```"]
    outputs = cell.get("outputs", [])
    printed = "".join(one.text for one in outputs if one.output_type == "stream" and one.name == "stdout")
    parts.append(f"```text\n{printed.rstrip()}\n```" if printed else "")
    for output in outputs:
        if output.output_type in ("execute_result", "display_data"):
            parts.append(_shown(output.data))
    return [part for part in parts if part]


def _shown(data: dict[str, str]) -> str:
    """The richest form of an output that a page without scripts can show."""
    if "image/svg+xml" in data:
        return f"<figure>{data['image/svg+xml']}</figure>"
    if "image/png" in data:
        return f"![figure](data:image/png;base64,{data['image/png'].strip()})"
    if data.get("text/html", "").startswith('<div class="outgrow">'):
        return data["text/html"]
    return f"```text\n{data['text/plain'].rstrip()}\n```"
