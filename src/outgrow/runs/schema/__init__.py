"""Every JSON file that a job leaves in a folder, as a frozen dataclass: written and read through the same class.

    write(folder / "learn.json", LearnFile(...))
    facts = read(folder / "learn.json", LearnFile)

A file for each kind of folder: `study`, `learn`, `committee`, `steering`, `audit`; `claim` is in all of them.
`core/records.py` says how a dataclass becomes JSON, and how files of earlier versions are read.
"""

from outgrow.runs.schema.files import FILES, read, read_rows, write, write_rows

__all__ = ["FILES", "read", "read_rows", "write", "write_rows"]
