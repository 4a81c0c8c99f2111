"""Every JSON file that a job leaves in a folder, as a frozen dataclass: written and read through the same class.

    write(folder / "learn.json", LearnFile(...))
    facts = read(folder / "learn.json", LearnFile)

There is a file for each kind of folder: `study`, `learn`, `committee`, `steering`, `audit`; `claim` is in all of them.
`core/records.py` converts dataclasses to JSON, and reads files of earlier versions.
"""

from outgrow.runs.schema.files import FILES, read, read_rows, write, write_rows

__all__ = ["FILES", "read", "read_rows", "write", "write_rows"]
