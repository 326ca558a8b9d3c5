# What people run. Every target sets up what it needs; a second run does no set-up again.

PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2
PORT ?= 8000
LIBRARY := $(shell find lrlib experiments/results -name '*.py' -o -name '*.js' -o -name '*.json')

.DEFAULT_GOAL := help
.PHONY: help env book serve test test-all mutants notebooks exercises grade bench clean

help: ## say what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

env: .venv/.ready ## make the environment in .venv (the other targets do it by themselves)

.venv/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# An instructor's course lies in a folder of its own, and python -m grader must run there.
	@echo "$(CURDIR)" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/course.pth"
	@touch $@

book: env ## build the HTML edition from the committed notebooks
	$(BIN)/jupyter-book build . -W -n --keep-going --quiet
	@echo "The book: file://$(CURDIR)/_build/html/index.html   (make serve shows it)"

serve: book ## build it and show it on http://localhost:PORT (PORT=8000)
	@echo "http://localhost:$(PORT)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

exercises: env ## remake from the exercise masters what students get, and the worked solutions
	$(BIN)/python -m grader make

grade: env sandbox ## grade a folder of notebooks (SUBMISSIONS=, MASTERS= for private ones, ROSTER=, OPTIONS=)
	@test -n "$(SUBMISSIONS)" || { echo "make grade SUBMISSIONS=folder [MASTERS=folder] [ROSTER=file.csv] [OPTIONS=...]"; exit 2; }
	$(BIN)/python -m grader grade "$(SUBMISSIONS)" $(if $(MASTERS),--masters "$(MASTERS)") $(if $(ROSTER),--roster "$(ROSTER)") $(OPTIONS)

notebooks: env exercises ## remake and execute the notebooks that are stale
	$(BIN)/python -m publishing

test: env browser compiler sandbox _build/package/.ready ## what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell chapters exercises/*/*.md book/*.md lrlib grader publishing site tests *.md
	$(BIN)/mypy
	$(BIN)/python tests/book/run_notebooks.py --jobs $(JOBS)
	$(MAKE) book
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m "not slow"

test-all: test ## what CI runs, and everything slow
	$(BIN)/pytest -n $(JOBS) --dist loadfile -m slow

mutants: env ## change schedules and rules in thousands of ways: do the tests notice? (20 minutes)
	rm -rf mutants
	$(BIN)/mutmut run --max-children $(JOBS)
	$(BIN)/python tests/mutants/score.py

bench: env ## speed, as ratios measured on this machine
	$(BIN)/python -m benchmarks

# lrlib as a reader installs it: the notebooks are tested with this copy, not with the checkout.
_build/package/.ready: .venv/.ready pyproject.toml $(LIBRARY)
	rm -rf _build/package _build/lib
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --target _build/package .
	rm -rf build
	@touch $@

# What Python packages cannot bring comes from Debian: as root, or under CI, it is installed here.
# Arguments: what must be there, its package, what happens without it.
define debian
@test -x $(1) || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -yqq $(2); } \
  || { test -n "$$CI" && sudo apt-get update -qq && sudo apt-get install -yqq $(2); } \
  || echo "No $(2): $(3) (apt-get install $(2))"
endef

.PHONY: browser compiler sandbox
browser:
	$(call debian,/usr/bin/chromium,chromium,the browser tests will be skipped)

compiler:
	$(call debian,/usr/bin/g++,g++,the tests of compiled steps will be skipped)

# Ubuntu's runners forbid bubblewrap the namespaces that a sandbox is made of.
sandbox:
	$(call debian,/usr/bin/bwrap,bubblewrap,submissions can be graded as root only)
	@test -z "$$CI" || test "$$(id -u)" = 0 || sudo sysctl -qw kernel.apparmor_restrict_unprivileged_userns=0 || true

clean: ## remove everything that is made and not committed
	rm -rf .venv _build build mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis site/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +
