"""`python -m outgrow`: the command line, where a console script would not do (a folder whose path has a space)."""

from outgrow.cli import main

main()
