# The few things one does with this repository. Each works in .venv, which the first one makes.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.PHONY: run test bench train lint help

help:
	@echo "make run    install what is needed into .venv and start the app on http://127.0.0.1:7860"
	@echo "make test   run every test, those in a real browser included"
	@echo "make bench  measure speed: start-up, latency of the controls, the corpus"
	@echo "make train  train every model that ships, resuming where a run was stopped (hours)"
	@echo "make lint   check the code with ruff"

run: $(VENV)/installed
	@echo "Starting Generative Explorer; stop it with Ctrl+C."
	@$(PY) app.py

test: $(VENV)/installed-dev
	@$(MAKE) -s chromium
	@# One thread for torch: the models are small, and the browser and the app want the other cores.
	@echo "Running every test; 'make test ARGS=\"-m \\\"not browser\\\"\"' leaves the browser out."
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest $(ARGS)

bench: $(VENV)/installed-dev
	@echo "Measuring; on a computer that does nothing else for a few minutes."
	@for bench in $(BENCHES); do echo "== bench.$$bench"; $(PY) -m bench.$$bench || exit 1; done

train: $(VENV)/installed
	@echo "Training every model that ships. Ctrl+C loses nothing: the same command goes on."
	$(PY) -m explorer.judge.train
	$(PY) -m explorer.clip.train
	$(PY) -m explorer.tabs.vae.train
	$(PY) -m explorer.tabs.vae.train_worlds
	$(PY) -m explorer.tabs.diffusion.train
	$(PY) -m explorer.tabs.gan.train

lint: $(VENV)/installed-dev
	@echo "Checking with ruff; pyproject.toml says why each rule is there."
	@$(VENV)/bin/ruff check .

BENCHES := $(sort $(filter-out __init__ gan_frames,$(basename $(notdir $(wildcard bench/*.py)))))

# A stamp is older than its list when the list has changed: then, and only then, pip runs again.
$(VENV)/installed: requirements.txt
	@test -x $(PY) || { echo "Making $(VENV) with $$($(PYTHON) --version)."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what running needs (torch is large; this takes minutes the first time)."
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing what the tests need."
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: chromium
chromium:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's Chromium for the tests in a browser."; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else \
		echo "The tests in a browser need Chromium; install it (Debian: sudo apt-get install chromium) or run make test ARGS='-m \"not browser\"'."; \
		exit 1; \
	fi
