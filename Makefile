# Everything a developer does. `make help` lists it; nothing here needs AWS credentials or Docker.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON := .venv/bin/python
# The interpreter that may bootstrap: any Python from 3.8 on.
BOOTSTRAP := python3 tools/bootstrap.py
# pytest-xdist workers; the machines of CI have two cores.
WORKERS ?= 2
STACKS ?= 2
# What is quick: no simulation, no exhaustive walk, no emulator, nothing marked as long.
FAST := tests/unit/domain tests/unit/adapters tests/unit/entrypoint tests/unit/application/payments \
	tests/unit/application/refunds tests/unit/application/bindings tests/template \
	--ignore tests/template/test_rights_of_others.py -m "not long"
# Our own rules of the template, of those that are about security (docs/security.md); `make test` runs all.
RULES := $(patsubst %,tests/template/test_%.py,permissions api api_policy nothing_is_public data alarms access_log_filters)
# The layers' own folders, for tools that import the application.
LAYERS := layers/doku_snap/python:layers/direct_debit/python

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Build .venv and .tools/* from the hash-locked requirements (quick when nothing changed)
	@$(BOOTSTRAP)

.PHONY: run
run: setup ## Deploy the template to a local cloud and run one customer's journey; ONCE=1 ends afterwards, KEEP=1 keeps the data, AUTH=JWT
	@exec $(PYTHON) -m tools.local_cloud run $(if $(ONCE),--once) $(if $(KEEP),--keep) $(if $(AUTH),--auth $(AUTH))

.PHONY: logs
logs: setup ## What the functions of `make run` log, as it comes: FN=MakePayment for one, ONCE=1 ends with what is there
	@exec $(PYTHON) -m tools.local_cloud logs $(FN) $(if $(ONCE),--once)

.PHONY: forget
forget: setup ## Remove what `make run KEEP=1` has kept
	@$(PYTHON) -m tools.local_cloud forget

.PHONY: watch-events
watch-events: setup ## Print each event of the stack of `make run` as it happens, until Ctrl-C; ARGS=--json prints it whole
	@PYTHONPATH=$(LAYERS) exec $(PYTHON) -m tools.watch_events $(ARGS)

.PHONY: invoke
invoke: setup ## Run one function against the stack of `make run`: FN=BindAccount EVENT=events/bind_account.json, DOCKER=yes|no, DEBUG=5890
	@exec $(PYTHON) -m tools.invoke $(FN) $(EVENT) $(if $(DOCKER),--docker $(DOCKER)) $(if $(DEBUG),--debug $(DEBUG))

.PHONY: start-api
start-api: setup ## Serve the API by `sam local start-api` against the stack of `make run`; PORT=3000, DEBUG=5890
	@exec $(PYTHON) -m tools.invoke --start-api $(if $(PORT),--port $(PORT)) $(if $(DEBUG),--debug $(DEBUG))

.PHONY: deploy
deploy: setup ## Deploy and prove it: TO=sandbox|production|local, SET="Name=value ...", YES=1 asks nothing, BACK=1 goes back
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.deploy --to "$(TO)" --set '$(SET)' $(if $(YES),--yes) $(if $(BACK),--back)

.PHONY: five-minutes
five-minutes: setup ## From an empty clone, by docs/integrate.md, to a refunded, unlinked customer; how long it takes
	@$(PYTHON) -m tools.five_minutes $(ARGS)

.PHONY: test
ifdef T
test: setup ## Run every test: unit, integration, template, e2e on a deployed local stack, browser; T=path::name runs one
	$(PYTHON) -m pytest $(T)
else
test: setup
	@# pytest's status 5 says "no tests chosen": with a part of the tests not there yet, the other part still counts.
	$(PYTHON) -m pytest -n $(WORKERS) -m "not e2e and not browser" || [ $$? -eq 5 ]
	@# Each of these workers deploys a stack of its own: two do not disturb each other, and more would share two cores.
	$(PYTHON) -m pytest -n $(STACKS) --dist loadfile -m "e2e or browser" || [ $$? -eq 5 ]
endif

.PHONY: test-fast
test-fast: setup ## Run the quick tests, in less than a minute
	$(PYTHON) -m pytest -q -n $(WORKERS) $(FAST)

.PHONY: check
check: setup ## Lint, format, strict types, import rules, the template and our own rules of it, the OpenAPI document, fresh clients; security scans (docs/security.md)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy --python-version 3.10 clients/python/src
	PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tools.clients --check
	PYTHONPATH=$(LAYERS) .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml
	$(PYTHON) -m pytest -q -p no:cacheprovider $(RULES)
	PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.openapi.check
	$(PYTHON) -m tools.local_cloud validate
	$(PYTHON) -m tools.audit

.PHONY: audit
audit: setup ## The security scans of `make check` alone: template, secrets, licences, vulnerabilities; ARGS=secrets for one
	@$(PYTHON) -m tools.audit $(ARGS)

.PHONY: licences
licences: setup ## Write docs/licences.md, what is shipped under which licence, from the locks; ARGS=--check compares
	@$(PYTHON) -m tools.audit.licences $(ARGS)

.PHONY: format
format: setup ## Format the code and apply safe fixes
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: ops
ops: ## The operator's command line: make ops ARGS="review --stack NAME"; `./ops review` is the same, with its exit status
	@./ops $(ARGS)

.PHONY: bench-unknown
bench-unknown: setup ## Measure how long lost answers stay unknown: ARGS="--payments 1000 --throttle 2000 --write"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.unknown_outcomes $(ARGS)

.PHONY: bench-outages
bench-outages: setup ## How long after an outage of DOKU's each open record is settled, in virtual time: ARGS="--seeds 20 --write"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.outages $(ARGS)

.PHONY: bench-rotations
bench-rotations: setup ## Whether rotations of the keys under load refuse anything, in virtual time: ARGS="--orders 2000 --write"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.rotations $(ARGS)

.PHONY: bench-cost
bench-cost: setup ## What an order takes of AWS, and costs: ARGS="--doku-seconds 0.8 --factor 1.2 --write"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.cost $(ARGS)

.PHONY: bench-listing
bench-listing: setup ## What a page of a list takes with a thousand payments and with a million, in memory: ARGS="--payments 100000"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.listing $(ARGS)

.PHONY: bench
bench: setup ## Measure the built functions beside a floor and DOKU's own library; fails on a missed goal: ARGS="--quick --only P1,P3"
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.benchmarks.speed $(ARGS)

.PHONY: bench-all
bench-all: bench-unknown bench-outages bench-rotations bench-cost simulate-month bench ## Every benchmark, one after the other

.PHONY: simulate
simulate: setup ## Search for a counter-example: SEEDS=10000, START=0; STATE=file makes it resumable, REPLAY=seed prints one history
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.simulation --jobs $(WORKERS) --seeds $(or $(SEEDS),1000) --start $(or $(START),0) \
		$(if $(STATE),--state $(STATE)) $(if $(REPLAY),--replay $(REPLAY))

.PHONY: simulate-month
simulate-month: setup ## A month of 1,000 customers under plain load, for the simulation's speed
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.simulation --month

.PHONY: mutants
mutants: setup ## Plant deliberate bugs one by one; the simulation has to find each: ONLY=part of a name
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.simulation --mutants --jobs $(WORKERS) --only "$(ONLY)"

.PHONY: mutation
mutation: setup ## Change the source one place at a time; a test or the simulation has to notice: SAMPLE=150, SEED=0, ONLY=part of a name, STATE=file
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.mutation --jobs $(WORKERS) --only "$(ONLY)" $(if $(SAMPLE),--sample $(SAMPLE)) \
		$(if $(SEED),--seed $(SEED)) $(if $(STATE),--state $(STATE))

.PHONY: fuzz
fuzz: setup ## Inputs that nobody thought of: N=1 (100: a release's), SEED=0, ONLY=part of a name, STATE=.local/fuzz, REPLAY=target:base64
	@$(BOOTSTRAP) fuzz
	@PYTHONPATH=.:$(LAYERS) .tools/fuzz/bin/python -m tests.fuzz --jobs $(WORKERS) --only "$(ONLY)" $(if $(N),--scale $(N)) \
		$(if $(SEED),--seed $(SEED)) $(if $(STATE),--state $(STATE)) $(if $(REPLAY),--replay $(REPLAY))

.PHONY: fidelity
fidelity: setup ## Compare the in-memory store with moto over 20,000 random operations
	STORE_OPERATIONS=20000 $(PYTHON) -m pytest -q tests/integration/adapters/test_differential.py

.PHONY: second-opinion
second-opinion: setup ## The journey on moto, by the built artifact; the adapters' contract tests on dynalite
	$(PYTHON) -m pytest -q tests/second_opinion/journey_on_moto.py
	@mkdir -p .tools/dynalite && cp requirements/dynalite/package*.json .tools/dynalite/ \
		&& $(PYTHON) -m tools.node .tools/dynalite \
		&& DYNALITE=.tools/dynalite/node_modules/dynalite/cli.js $(PYTHON) -m pytest -q -k dynalite tests/integration/adapters

.PHONY: openapi
openapi: setup ## Record the answers, write docs/openapi.json, docs/errors.md and the pages of problems; ARGS=--check compares
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tests.integration.handlers.recordings $(ARGS)
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.openapi $(ARGS)

.PHONY: openapi-publish
openapi-publish: setup ## With a release: docs/openapi.json is what callers have from now on (docs/openapi.md)
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.openapi.publish

.PHONY: postman
postman: setup ## Make a Postman collection of docs/openapi.json, with examples and AWS signatures (docs/openapi.md)
	@$(PYTHON) -m tools.postman

.PHONY: bruno
bruno: setup ## Run clients/bruno, a customer's journey, against the stack whose address and keys the shell has (docs/openapi.md)
	@$(PYTHON) -m tools.bruno

.PHONY: clients
clients: setup ## Write what is generated in clients/ (after `make openapi`); ARGS=--check compares
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tools.clients $(ARGS)

.PHONY: clients-versions
clients-versions: setup ## Run the clients' tests on every Python and Node that they declare, and with the oldest dependencies
	@PYTHONPATH=.:$(LAYERS) $(PYTHON) -m tools.client_versions

.PHONY: events
events: setup ## Write events/, one example per function and entry kind; RUNNING=1 writes .local/events/ for the stack of `make run`
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.make_events $(if $(RUNNING),--running) $(ARGS)

.PHONY: catalogue
catalogue: setup ## Write docs/events.md and a JSON Schema of each event; ARGS=--check compares
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.event_catalogue $(ARGS)

.PHONY: diagrams
diagrams: setup ## Draw every picture of docs/: states, workflows, parts; ARGS=--check compares
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.diagrams $(ARGS)
	@PYTHONPATH=$(LAYERS) $(PYTHON) -m tools.architecture_diagrams $(ARGS)
	@$(PYTHON) -m tools.workflow_diagrams $(ARGS)

.PHONY: llms
llms: setup ## Write llms.txt from docs/README.md
	@$(PYTHON) -m tools.llms $(ARGS)

# No annotations and no registry host in the locks; `make lock UPGRADE=--upgrade` raises the versions.
LOCK = "$$($(BOOTSTRAP) --uv)" pip compile --quiet --no-header --no-emit-index-url --no-emit-find-links \
	--generate-hashes --python-version 3.13 $(UPGRADE)
.PHONY: lock
lock: ## Write the hash-locked requirements from requirements/*.in
	cd requirements && for name in dev lambda ministack sam uv checkov audit fuzz; do $(subst tools/,../tools/,$(LOCK)) --universal $$name.in -o $$name.txt || exit 1; done
	cd requirements && $(subst tools/,../tools/,$(LOCK)) --python-platform x86_64-manylinux2014 --constraint dev.txt layer.in \
		-o ../layers/dependencies/requirements.txt

.PHONY: clean
clean: ## Remove what runs and builds left behind (not the environments)
	rm -rf .local .aws-sam .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .audit_cache .hypothesis
