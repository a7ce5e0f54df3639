# Mercato's commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export MERCATO_HOME ?= $(CURDIR)/var
export MERCATO_JARS_DIR ?= $(CURDIR)/var/jars
VENV := .venv/core
BIN := $(VENV)/bin
UV := .venv/uv/bin/uv
UV_VERSION := 0.13.9
HOUSEHOLDS ?=
ENV ?= dev

# A Python of this version on the path or from pyenv; failing that its number, for uv to fetch one.
python = $(or $(firstword $(foreach each,python$(1) $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python),\
           $(shell $(each) -c 'import sys; print(sys.executable)' 2>/dev/null))),$(1))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: setup ## replay the year, train, and serve a live page (HOUSEHOLDS=200 for two minutes)
	@$(BIN)/mercato demo $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS))

.PHONY: test
test: setup lint var/jars/flink.stamp .venv/cdk/ready.stamp .venv/airflow/ready.stamp ## every check and test, on real engines
	$(BIN)/python -m pytest

.PHONY: test-quick
test-quick: setup lint ## without the slow tests
	$(BIN)/python -m pytest -m "not slow and not e2e"

.PHONY: lint
lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: setup ## every benchmark, one JSON each in var/bench
	$(BIN)/python -m benchmarks

.PHONY: docs
docs: setup ## write what is generated from the code: pages of docs/reference, the deploy's catalog
	$(BIN)/python -m mercato.contracts.reference docs/reference/contracts.md
	$(BIN)/python -m mercato.cli.reference docs/reference/commands.md
	$(BIN)/python -m glue_jobs.deploy infra/cdk/generated/catalog.json

.PHONY: synth
synth: .venv/cdk/ready.stamp ## the CloudFormation templates of an environment, in cdk.out/ENV (ENV=dev)
	.venv/cdk/bin/python app.py --env $(ENV)

.PHONY: flink
flink: setup var/jars/flink.stamp ## sessions from the clicks, beside `mercato up kafka`
	@$(BIN)/python -m flink_jobs.local

.PHONY: doctor
doctor: ## what is missing on this machine, and how to get it
	@python3 -m mercato.local.doctor

.PHONY: pins
pins: $(UV) ## compile requirements/*.in
	cd requirements && for pins in core=3.11 dev=3.11 cdk=3.13 glue=3.13; do \
	  ../$(UV) pip compile --quiet --no-emit-index-url --universal --python-version $${pins#*=} \
	    --custom-compile-command "make pins" $${pins%=*}.in -o $${pins%=*}.txt; done
	cd requirements && ../$(UV) pip compile --quiet --no-emit-index-url --universal --python-version 3.12 \
	  --exclude-newer 2025-09-05 --custom-compile-command "make pins" airflow.in -o airflow.txt

.PHONY: clean
clean: ## stop everything, remove .venv and var
	@if [ -x $(BIN)/mercato ]; then $(BIN)/mercato down; fi
	rm -rf .venv var

# --- set-up: each step leaves a stamp, so that a second run does nothing ---------------------------

.PHONY: setup
setup: .venv/system.stamp $(VENV)/ready.stamp var/jars/ready.stamp ## everything the other targets need

.venv/system.stamp: mercato/local/doctor.py
	@python3 -m mercato.local.doctor --install
	@mkdir -p .venv && touch $@

# uv has an environment of its own: `uv pip sync` removes whatever the pins do not name.
$(UV):
	@echo "==> uv $(UV_VERSION)"
	python3 -m venv .venv/uv
	.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/ready.stamp: requirements/dev.txt pyproject.toml | $(UV) .venv/system.stamp
	@echo "==> Python packages in $(VENV) (about 1 GB the first time)"
	[ -x $(BIN)/python ] || python3 -m venv --without-pip $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --compile-bytecode requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv/cdk/ready.stamp: requirements/cdk.txt | $(UV) .venv/system.stamp
	@echo "==> CDK and its checks in .venv/cdk"
	[ -x .venv/cdk/bin/python ] || $(UV) venv --quiet --no-project --python $(call python,3.13) .venv/cdk
	$(UV) pip sync --quiet --python .venv/cdk/bin/python requirements/cdk.txt
	@touch $@

.venv/airflow/ready.stamp: requirements/airflow.txt | $(UV) .venv/system.stamp
	@echo "==> Airflow, as MWAA has it, in .venv/airflow"
	[ -x .venv/airflow/bin/python ] || $(UV) venv --quiet --no-project --python $(call python,3.12) .venv/airflow
	$(UV) pip sync --quiet --python .venv/airflow/bin/python requirements/airflow.txt
	@touch $@

var/jars/ready.stamp: jars/pom.xml | .venv/system.stamp
	@echo "==> Kafka and Spark jars in var/jars"
	@for profile in kafka spark; do \
	  rm -rf var/jars/$$profile; \
	  mvn --batch-mode --quiet -f jars/pom.xml -P $$profile dependency:copy-dependencies \
	    -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/var/jars/$$profile; done
	@touch $@

var/jars/flink.stamp: jars/pom.xml | .venv/system.stamp
	@echo "==> Flink jars in var/jars/flink (175 MB)"
	@rm -rf var/jars/flink
	@mvn --batch-mode --quiet -f jars/pom.xml -P flink dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/var/jars/flink
	@touch $@
