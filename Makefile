# Every target does its own set-up; a second call starts at once. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
LINES := 1000000
MASTER := local[2]
READY := .venv/.ready

# No tool that we install reports home, and Python keeps the bytecode that was compiled for it.
export GX_ANALYTICS_ENABLED := False
export DBT_SEND_ANONYMOUS_USAGE_STATS := False
export SCARF_ANALYTICS := false
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED := False
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH

.PHONY: help setup demo readme docs test slow spark torture bench airflow env lint format lock audit clean
help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(READY) ## the environment in .venv, from requirements.lock

$(READY): requirements.lock pyproject.toml
	@scripts/setup.sh

demo: $(READY) ## the whole nightly run through Airflow on the sample exports; the data go to var/
	@$(BIN)/python -m loyalty.operate.airflow.demo

readme: $(READY) ## the numbers and the picture in README.md, from a demo of its own
	@$(BIN)/python scripts/readme.py

docs: $(READY) ## the documentation as a site that opens without a server, in site/
	@$(BIN)/python scripts/docs_site.py

test: lint ## lint, types and every test but the slow ones
	@$(BIN)/python -m pytest -n 2 --dist loadfile

# Without npm only the test that wants Superstore's orders fails, and says so.
slow: $(READY) ## the tests marked slow (npm fetches public data for one, another one installs Superset)
	@$(BIN)/python scripts/superstore.py || true
	@$(BIN)/python -m pytest -m slow

spark: $(READY) ## DuckDB and Apache Spark on the same data, cell by cell (needs Java 17); MASTER="local-cluster[2,1,1024]" for two executors
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock --extra spark -r pyproject.toml
	@LOYALTY_SPARK_MASTER='$(MASTER)' $(BIN)/python -m pytest -vv -m spark

torture: $(READY) ## the long kill tests
	@$(BIN)/python -m pytest -m torture

bench: $(READY) ## speed and memory on generated exports; LINES="1000000 10000000" for more
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.scale $(LINES)
	@$(BIN)/python -m bench.nights
	@$(BIN)/python -m bench.pages

airflow: $(READY) ## a real scheduler and UI on 127.0.0.1, until Ctrl-C
	@exec $(BIN)/python -m loyalty.operate.airflow.local

env: ## .env with fresh secrets, for docker compose
	@python3 scripts/env.py

lint: $(READY) ## style, formats, types and the dbt project's conventions
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/sqlfmt --quiet --check --no-progressbar dbt_project
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/dbt --quiet parse --project-dir dbt_project --profiles-dir dbt_project
	@$(BIN)/dbt-bouncer run --config-file dbt_project/dbt-bouncer.yml --output-only-failures >.venv/.bouncer 2>&1 || { cat .venv/.bouncer; exit 1; }

format: $(READY) ## write Python and SQL the way lint wants them
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/sqlfmt --quiet --no-progressbar dbt_project

lock: $(READY) ## resolve requirements.lock again, and the part of it that the image needs
	@$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --extra dev --extra dashboard --extra deployment \
	  --extra docs --extra metrics \
	  --no-header pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --extra deployment --constraint requirements.lock \
	  --no-header pyproject.toml --output-file requirements-image.lock

audit: $(READY) ## known weaknesses of the locked packages (asks the package index), and secrets in the tree
	@$(BIN)/python scripts/audit.py

clean: ## remove the environment and all data of the demo
	@rm -rf .venv var dbt_project/target dbt_project/logs
