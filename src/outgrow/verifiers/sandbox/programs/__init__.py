"""Programs of ours that run inside a box; they import nothing of this package but files of this folder.

candidate.py            holds an answer's program and calls its function (`unit_tests`)
judge.py                runs the tests against a stand-in for that function (`unit_tests`)
job_server.py           replies to jobs by one of the four below
equality.py             whether two mathematical texts are equal (`equal`)
schema_validator.py     whether JSON keeps to a schema (`schema`)
solver.py               whether assertions entail a claim (`smt`)
type_checker.py         type errors of programs (`types`)
plain_values.py         values as bytes, between boxes and us
sources.py              the texts of these files, for those who start them
"""
