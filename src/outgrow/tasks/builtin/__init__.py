"""Sources of tasks that ship with the package, one a file; `own_tables` reads tables of the user's own."""
