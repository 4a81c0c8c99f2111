"""The one reader of tables: every verb goes through it.

files, frames, hub       open a table: columns of Python values, and the place of every row
options, roles           what the user said about it; which column plays which role
rows, sides              which rows take part; on which side of the data's own split
template, fields         what a model reads of a row
values, classes          what a cell means: missing, a text, a class, an abstention
targets, votes, images   what a row asks and its gold; what annotators say of it; its image
items, layouts           the rows as items; a table with classes as a task
long, annotations        a row a vote; items with votes, and gold on some or none
prompts, structures      a table of prompts, of sentences with slots, of function calls as a generation task
gold, recorded_answers   gold of free text; answers that were recorded somewhere else
"""
