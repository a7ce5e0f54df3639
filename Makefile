# Mercato's commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export MERCATO_HOME ?= $(CURDIR)/var
export MERCATO_JARS_DIR ?= $(CURDIR)/var/jars
# Packages are imported by hundreds of processes: each environment keeps what was compiled once, whatever the
# shell says.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv/core
BIN := $(VENV)/bin
UV := .venv/uv/bin/uv
UV_VERSION := 0.13.9
HOUSEHOLDS ?=
ALL_MODELS ?=
ENV ?= dev

# A Python of this version on the path or from pyenv; failing that its number, for uv to fetch one.
python = $(or $(firstword $(foreach each,python$(1) $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python),\
           $(shell $(each) -c 'import sys; print(sys.executable)' 2>/dev/null))),$(1))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: setup ## replay the year, train, and serve a live page (HOUSEHOLDS=200 for two minutes, ALL_MODELS=1 for the panel too)
	@$(BIN)/mercato demo $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS)) $(if $(ALL_MODELS),--all-models)

# What tests need beside what everything needs.
TESTED_WITH := var/jars/flink.stamp var/jars/opensearch.stamp \
  .venv/cdk/ready.stamp .venv/cdk-cli/ready.stamp .venv/checkov/ready.stamp .venv/airflow/ready.stamp \
  .venv/sagemaker/ready.stamp

# Tests wait for engines more than they compute: three lanes keep two cores busy. Each has engines of its own.
LANES := -n 3 --dist loadscope --no-loadscope-reorder
# Which tests, as an expression of their marks; empty for all.
TESTS ?= not slow

.PHONY: test
test: setup lint $(TESTED_WITH) ## every check, and the tests on real engines but for the slow ones (TESTS= for all)
	$(BIN)/python -m pytest $(LANES) -m "$(TESTS)"

.PHONY: lint
lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: bench
bench: setup var/jars/opensearch.stamp ## the benchmarks of what the demo built, one JSON each in var/bench
	$(BIN)/python -m benchmarks

.PHONY: bench-models
bench-models: setup .venv/peers/ready.stamp ## every model beside its peers: var/bench/models.html (an hour to an hour and a half)
	.venv/peers/bin/python -m benchmarks.models

NOTEBOOKS := $(patsubst docs/explanation/notebooks/%.py,var/notebooks/%.html,$(wildcard docs/explanation/notebooks/*.py))

.PHONY: notebooks
notebooks: $(NOTEBOOKS) ## the models' stories with their plots, in var/notebooks

var/notebooks/%.html: docs/explanation/notebooks/%.py | setup
	@mkdir -p var/notebooks
	$(BIN)/jupytext --quiet --to ipynb --execute --output var/notebooks/$*.ipynb $<
	$(BIN)/jupyter nbconvert --log-level=ERROR --to html var/notebooks/$*.ipynb

.PHONY: docs
docs: setup .venv/cdk/ready.stamp .venv/sagemaker/ready.stamp ## write what is generated from the code: pages of docs/reference, the deploy's catalog
	$(BIN)/python -m mercato.contracts.reference docs/reference/contracts.md
	$(BIN)/python -m mercato.cli.reference docs/reference/commands.md
	$(BIN)/python -m lambdas.reference docs/reference/api.md
	$(BIN)/python -m infra.catalog infra/cdk/generated/catalog.json
	PYTHONPATH=sagemaker .venv/sagemaker/bin/python -m pipelines write infra/cdk/generated
	.venv/cdk/bin/python app.py --env local
	.venv/cdk/bin/python -m infra.emulator.reference cdk.out/local docs/reference/local-aws.md

.PHONY: synth
synth: .venv/cdk/ready.stamp ## the CloudFormation templates of an environment, in cdk.out/ENV (ENV=dev)
	.venv/cdk/bin/python app.py --env $(ENV)

CDK := .venv/cdk-cli/node_modules/.bin/cdk --app cdk.out/$(ENV)

.PHONY: preflight
preflight: setup ## what would stop a deploy of cdk.out/ENV, asked of the account
	@$(BIN)/mercato preflight --env $(ENV)

.PHONY: diff
diff: .venv/cdk-cli/ready.stamp ## what a deploy of cdk.out/ENV would change
	$(CDK) diff

.PHONY: deploy
deploy: .venv/cdk-cli/ready.stamp ## deploy cdk.out/ENV, as `make synth` wrote it
	$(CDK) deploy --all --require-approval never --concurrency 4

.PHONY: deploy-local
deploy-local: setup .venv/cdk/ready.stamp .venv/cdk-cli/ready.stamp .venv/sagemaker/ready.stamp ## every stack onto an AWS emulator on this machine, then use it
	@$(BIN)/mercato up kafka redis
	@.venv/cdk/bin/python -m infra.emulator.deploy
	@$(BIN)/python -m infra.emulator.smoke

.PHONY: destroy-local
destroy-local: .venv/cdk/ready.stamp .venv/cdk-cli/ready.stamp ## destroy them, say what is retained, stop the emulator
	@.venv/cdk/bin/python -m infra.emulator.deploy destroy

.PHONY: flink
flink: setup var/jars/flink.stamp ## sessions from the clicks, beside `mercato up kafka`
	@$(BIN)/python -m flink_jobs.local

.PHONY: opensearch
opensearch: setup var/jars/opensearch.stamp ## what `mercato up opensearch` needs (53 MB, once)

.PHONY: doctor
doctor: ## what is missing on this machine, and how to get it
	@python3 -m mercato.local.doctor

# The runtime brings these; in a bundle they would weigh 32 MB.
LAMBDA_HAS = $(foreach package,boto3 botocore s3transfer jmespath python-dateutil six,--no-emit-package $(package))

.PHONY: pins
pins: $(UV) ## compile requirements/*.in
	cd requirements && for pins in core=3.11 dev=3.11 peers=3.11 sagemaker=3.11 cdk=3.13 checkov=3.13 glue=3.13 glue-models=3.13; do \
	  ../$(UV) pip compile --quiet --no-emit-index-url --universal --python-version $${pins#*=} \
	    --custom-compile-command "make pins" $${pins%=*}.in -o $${pins%=*}.txt; done
	cd requirements && for pins in lambda-*.in; do \
	  ../$(UV) pip compile --quiet --no-emit-index-url --universal --python-version 3.13 $(LAMBDA_HAS) \
	    --custom-compile-command "make pins" $$pins -o $${pins%.in}.txt; done
	cd requirements && ../$(UV) pip compile --quiet --no-emit-index-url --universal --python-version 3.12 \
	  --exclude-newer 2025-09-05 --custom-compile-command "make pins" airflow.in -o airflow.txt
	cd requirements && for pins in model-container model; do \
	  ../$(UV) pip compile --quiet --no-emit-index-url --python-version 3.12 --override model-overrides.in \
	    --python-platform x86_64-manylinux_2_28 --custom-compile-command "make pins" $$pins.in -o $$pins.txt; done

.PHONY: clean
clean: ## stop everything, remove .venv and var
	@if [ -x $(BIN)/mercato ]; then $(BIN)/mercato down; fi
	@if [ -x .venv/cdk/bin/python ]; then .venv/cdk/bin/python -m infra.emulator down; fi
	rm -rf .venv var

# --- set-up: each step leaves a stamp, so that a second run does nothing ---------------------------

.PHONY: setup
setup: .venv/system.stamp $(VENV)/ready.stamp var/jars/ready.stamp ## everything the other targets need

.venv/system.stamp: mercato/local/doctor.py
	@python3 -m mercato.local.doctor --install
	@mkdir -p .venv && touch $@

# uv has an environment of its own: `uv pip sync` removes whatever the pins do not name.
# After the Makefile, which says what version.
$(UV): Makefile
	@echo "==> uv $(UV_VERSION)"
	python3 -m venv .venv/uv
	.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/ready.stamp: requirements/dev.txt pyproject.toml | $(UV) .venv/system.stamp
	@echo "==> Python packages in $(VENV) (about 1 GB the first time)"
	[ -x $(BIN)/python ] || python3 -m venv --without-pip $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --compile-bytecode requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv/peers/ready.stamp: requirements/peers.txt | $(VENV)/ready.stamp
	@echo "==> What models stand beside in .venv/peers"
	[ -x .venv/peers/bin/python ] || $(UV) venv --quiet --no-project --python $(BIN)/python .venv/peers
	$(UV) pip sync --quiet --python .venv/peers/bin/python requirements/peers.txt
	$(UV) pip install --quiet --python .venv/peers/bin/python --no-deps --editable .
	@touch $@

.venv/cdk/ready.stamp: requirements/cdk.txt | $(UV) .venv/system.stamp
	@echo "==> CDK and its checks in .venv/cdk"
	[ -x .venv/cdk/bin/python ] || $(UV) venv --quiet --no-project --python $(call python,3.13) .venv/cdk
	$(UV) pip sync --quiet --python .venv/cdk/bin/python requirements/cdk.txt
	@touch $@

# The CDK CLI, and the SDK that Lambda's Node.js brings for CDK's own functions.
.venv/cdk-cli/ready.stamp: infra/cdk/package.json infra/cdk/package-lock.json infra/cdk/.npmrc
	@echo "==> CDK CLI in .venv/cdk-cli"
	@mkdir -p .venv/cdk-cli && cp $^ .venv/cdk-cli/
	@npm ci --prefix .venv/cdk-cli --silent --no-audit --no-fund
	@touch $@

.venv/checkov/ready.stamp: requirements/checkov.txt | $(UV) .venv/system.stamp
	@echo "==> Checkov in .venv/checkov"
	[ -x .venv/checkov/bin/python ] || $(UV) venv --quiet --no-project --python $(call python,3.13) .venv/checkov
	$(UV) pip sync --quiet --python .venv/checkov/bin/python requirements/checkov.txt
	@touch $@

.venv/sagemaker/ready.stamp: requirements/sagemaker.txt | $(UV) .venv/system.stamp
	@echo "==> SageMaker's SDK in .venv/sagemaker"
	[ -x .venv/sagemaker/bin/python ] || $(UV) venv --quiet --no-project --python $(BIN)/python .venv/sagemaker
	$(UV) pip sync --quiet --python .venv/sagemaker/bin/python requirements/sagemaker.txt
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

var/jars/opensearch.stamp: jars/pom.xml | .venv/system.stamp
	@echo "==> OpenSearch jars in var/jars/opensearch (53 MB)"
	@rm -rf var/jars/opensearch
	@mvn --batch-mode --quiet -f jars/pom.xml -P opensearch dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/var/jars/opensearch
	@touch $@
