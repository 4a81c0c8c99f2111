# make demo   set everything up and run the built-in study
# make test   set everything up and run the tests
# make bench  set everything up and run the benchmarks
# make docs   set everything up, build the site into build/site and test it
# make picture  make the pictures of the documentation anew (needs Chromium)
#
# Commands run as `.venv/bin/python -m ...`: console scripts break in a folder whose path has a space.

PYTHON ?= python3
IN := .venv/bin/python

.PHONY: demo test bench docs picture setup
.DELETE_ON_ERROR:

demo: setup
	$(IN) -m outgrow run

test: setup
	$(IN) -m ruff check .
	$(IN) -m mypy
	$(IN) -m pytest -n 2 -m "not docs"

docs: setup .venv/docs
	NO_MKDOCS_2_WARNING=1 $(IN) -m mkdocs build --quiet --strict
	OUTGROW_SITE=build/site $(IN) -m pytest -q -m docs tests/docs

bench: setup
	@for file in bench/*.py; do $(IN) "$$file" || exit 1; done

picture: demo
	$(IN) -c "from pathlib import Path; from outgrow import report; from outgrow.workflows.study import ClassStudy; report.picture(ClassStudy().folder(), Path('docs/pictures/cities.png'))"
	$(IN) bench/pictures.py docs/pictures

setup: .venv/ready

# `ready` is written last and removed first, so that a set-up that was interrupted starts afresh.
.venv/ready: pyproject.toml constraints.txt
	@command -v "$(PYTHON)" > /dev/null || { echo "no $(PYTHON) here: install Python 3.11 or later, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -V): outgrow needs 3.11 or later, say make PYTHON=/path/to/python" >&2; exit 1; }
	@if [ -e .venv/ready ]; then rm .venv/ready; else rm -rf .venv; fi
	@[ -x $(IN) ] || "$(PYTHON)" -m venv .venv || { echo "could not make a virtual environment: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	$(IN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch .venv/ready

.venv/docs: .venv/ready
	$(IN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch .venv/docs
