"""Tasks that ship with the package and ways to get tasks of the user's own, one a file."""
