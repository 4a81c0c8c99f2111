"""Tables as tasks: file, columns, roles, rows, values, layouts."""
