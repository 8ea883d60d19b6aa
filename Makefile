# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-quick bench pairs races bypass recoveries deploys storage indexing configuration drill soak kills molecule lint sanity clean distclean docs venv print-venv print-collections \
	requirements stage-unit stage-roles stage-lint stage-sanity stage-service stage-sandbox stage-end-to-end stage-incident stage-molecule \
	stage-changes stage-bypass stage-kills stage-oldest-core

# How often `make races` lets two operators ask for a clearance at once; `make test` tries three times.
RACES ?= 100
# How many deploys `make deploys` cuts the link of (`make test` cuts one); how many rounds `make soak` holds: 20 and 200 without a word.
N ?=
# What the rounds of `make soak` are drawn with, and on how many hosts at once they are held: 1 or 2.
SEED ?= 1
GUESTS ?= 1
# What `make demo` breaks; `tests/sandbox/sandbox faults` names them all.
FAULT ?= api_missing_dependency
export FAULT
# Positions of each recovery at which `make kills` kills, evenly chosen; all of them where it is empty. `make test` kills twice.
COUNT ?=
# Anything: `make kills` waits for the end of one clearance of each recovery, and sees of all else that its end is armed.
HURRY ?=
# The recovery that `make kills` and `make recoveries` try (the latter also several, with commas); every one where it is empty.
ONE ?=

# Asked for only where used: each costs a look at the machine's Pythons.
VENV = $(shell tools/venv path)
COLLECTIONS = $(shell tools/collections)

# The hosts of this checkout's tests: no run meets another checkout's, or a person's.
TEST_STATE := /var/tmp/healtharchive-sandbox-$(shell printf %s '$(CURDIR)' | sha256sum | cut -c1-8)
stage-service stage-end-to-end stage-changes stage-bypass stage-kills stage-incident stage-molecule stage-oldest-core: export HEALTHARCHIVE_SANDBOX_STATE := $(TEST_STATE)

STAGES = "$$(tools/python)" tools/stages.py

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo FAULT=hot_path_hung     break the host in another way"
	@echo "  make test PYTHON=python3.13       use another Python for the controller"
	@echo "  make sanity CORE=2.16             with the oldest ansible-core"

demo: ## Boot a sandbox host, break it, triage it over SSH
	@tools/requisites controller sandbox
	@tools/demo

test: ## Run the tests of every part, a sample of the long ones (root, at most 20 minutes)
	@tools/requisites controller lint sandbox
	@$(STAGES) 3 end-to-end changes molecule incident sandbox sanity unit bypass kills service roles lint oldest-core

test-quick: ## Run the tests that need no host (under 2 minutes)
	@tools/requisites controller lint
	@$(STAGES) 2 unit roles lint

bench: ## Measure triage beside the runbook, and what a change costs (root, 15 to 20 minutes)
	@tools/requisites controller sandbox
	@tools/run tests/bench/bench

pairs: ## Break every pair of faults, two guests at once (root, about 2 hours; goes on where it ended)
	@tools/requisites controller sandbox
	@tools/run tests/pairs/pairs

races: ## Two operators ask for a clearance at once, RACES times (root, about 4 minutes)
	@tools/requisites controller sandbox
	@RACES=$(RACES) HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/run pytest tests/end_to_end/test_clearance.py -k at_once

bypass: ## Try every way round the guard and every bad input, with each ansible-core there is (root, an hour or more for each)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_BYPASS=all HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/each-core pytest tests/bypass tests/end_to_end/test_typed.py

recoveries: ## Try every cell of the guides' tables on a sandbox host, or those of ONE=recover_x,recover_y (root, up to 1.5 hours)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_RECOVERIES=$(or $(ONE),all) HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) \
		tools/run pytest tests/end_to_end/test_recoveries_table.py

deploys: ## Cut the link of N deploys and kill the controller of others, and let one fail in each way (root, about 30 minutes)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_DEPLOY_CUTS=$(or $(N),20) HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) \
		tools/run pytest tests/end_to_end/test_deploy.py $(FAILING_DEPLOYS)

storage: ## What make test leaves out of the recoveries of storage and output directories (root, about 12 minutes)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/run pytest tests/end_to_end/longer_storage.py tests/end_to_end/longer_output_directories.py

configuration: ## What make test leaves out of the recoveries of configuration (root, about 2 minutes)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/run pytest tests/end_to_end/longer_configuration.py

indexing: ## What make test leaves out of the recovery of indexing (root, about 4 minutes)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/run pytest tests/end_to_end/longer_indexing.py

drill: ## Break a host, and carry the incident to its end: FAULT=... or INCIDENT=I10 (root, about 4 minutes)
	@tools/requisites controller sandbox
	@tools/run tests/drills/drill $(if $(INCIDENT),--incident $(INCIDENT),--fault $(FAULT))

soak: ## Random faults, alone and in pairs, carried to their end: N=200 SEED=1 (root, 1 to 5 minutes a round; goes on where it ended)
	@tools/requisites controller sandbox
	@tools/run tests/soak/soak --rounds $(or $(N),200) --seed $(SEED) --guests $(GUESTS)

kills: ## Kill the controller at every task of every recovery: HURRY=1, COUNT=3, ONE=recover_x for less (root, a day and a half; in a hurry four to seven hours, of one recovery about half an hour)
	@tools/requisites controller sandbox
	@HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/run tests/kills/kills $(if $(ONE),--only $(ONE)) $(if $(COUNT),--count $(COUNT)) $(if $(HURRY),--hurry)

molecule: ## Run every molecule scenario with each ansible-core that the Pythons allow (root, about 15 minutes)
	@tools/requisites controller sandbox
	@for name in $(SCENARIOS); do \
		HEALTHARCHIVE_SANDBOX_STATE=$(TEST_STATE) tools/each-core $(MOLECULE) "$$name" || exit 1; done

lint: ## Run the linters
	@tools/requisites controller lint
	@$(MAKE) --no-print-directory stage-lint

sanity: ## Run ansible-test sanity
	@tools/requisites controller lint
	@$(MAKE) --no-print-directory stage-sanity

venv: ## Make the controller's virtual environment
	@tools/requisites controller
	@tools/venv make

print-venv:
	@echo $(VENV)

print-collections:
	@echo $(COLLECTIONS)

clean: ## Take down the sandbox hosts of demo and test, tidy the checkout
	@tools/clean $(TEST_STATE)

distclean: clean ## Remove the cache as well: environments, the sandbox's file system
	@tools/clean --cache

docs: ## Write the generated guides again: docs/classification.md, docs/bypass-register.md
	@tools/requisites controller
	@tools/run python tools/classification-guide > docs/classification.md.new
	@mv docs/classification.md.new docs/classification.md
	@tools/run python tools/bypass-register > docs/bypass-register.md.new
	@mv docs/bypass-register.md.new docs/bypass-register.md

requirements: ## Pin the newest versions: PYTHON311=... PYTHON312=...
	@tools/freeze-requirements "$(or $(PYTHON311),python3.11)" "$(or $(PYTHON312),python3.12)"

stage-unit:
	@tools/run pytest tests/unit --ignore tests/unit/roles

# Each of these runs ansible-playbook, which makes them slow enough for a lane of their own.
stage-roles:
	@tools/run pytest tests/unit/roles

stage-lint:
	@tools/run tools/lint

stage-sanity:
	@tools/run tools/sanity

stage-service:
	@tools/service-tests

stage-sandbox:
	@tools/run pytest tests/sandbox/tests

# What changes a host, and what it is proved by.
CHANGES := $(wildcard $(foreach what,annual_options baseline clearance deploy failed_jobs indexing output_directories replay services storage stuck_jobs recoveries_table typed,tests/end_to_end/test_$(what).py))
# A minute or two each: `make deploys` alone runs them.
FAILING_DEPLOYS := tests/end_to_end/test_deploys_that_fail.py

stage-end-to-end:
	@tools/run pytest tests/end_to_end --ignore tests/end_to_end/test_incident.py $(CHANGES:%=--ignore %) --ignore $(FAILING_DEPLOYS)

stage-changes:
	@tools/run pytest $(CHANGES)

# One way of each family but two; `make bypass` tries all of them.
stage-bypass:
	@tools/run pytest tests/bypass/test_ways_round.py

stage-kills:
	@tools/run pytest tests/kills

stage-incident:
	@tools/run pytest tests/end_to_end/test_incident.py

# What only reads, with each ansible-core, and the change that all others wait for; `make molecule` takes every scenario with each.
SCENARIOS := $(notdir $(patsubst %/,%,$(dir $(wildcard molecule/*/molecule.yml))))
MOLECULE := molecule test --no-command-borders --scenario-name

stage-molecule:
	@tools/each-core $(MOLECULE) triage
	@tools/run $(MOLECULE) deploy

stage-oldest-core:
	@tools/run pytest tests/packaging
