SHELL := /bin/bash
TOOLS := .venv/.installed
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
PORT ?= 4566
# Without cgo, so that the functions share its compiled dependencies.
LOCAL := CGO_ENABLED=0 go build -o .build/local ./local

# Region and stack names stand in samconfig.toml, where the SAM CLI reads them too.
REGION := $(shell sed -n 's/^region = "\(.*\)"/\1/p' samconfig.toml)
PREREQUISITE := $(shell sed -n 's/^stack_name = "\(.*\)"/\1/p' samconfig.toml)-prerequisite
# A local endpoint runs the functions on this machine's processor.
MACHINE := $(if $(filter x86_64 amd64,$(shell uname -m)),x86_64,arm64)
ARCHITECTURE ?= $(if $(AWS_ENDPOINT_URL),$(MACHINE),arm64)

.DEFAULT_GOAL := help
.PHONY: help demo local test race lint build deploy logs delete clean

help: ## show this menu
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## run the whole story on a local AWS endpoint: no account, no Docker
	@$(LOCAL) && exec .build/local demo

local: ## serve the local AWS endpoint with both stacks (PORT=4566; EMPTY=1: nothing deployed)
	@$(LOCAL) && exec .build/local -port $(PORT) $(if $(EMPTY),-empty)

test: $(TOOLS) ## run every test
	go test ./...
	@go test -v -run 'CutOff|RandomSchedules' ./internal/credentials | grep -E '^(crash points|random schedules)'

race: $(TOOLS) ## run every test under the race detector, with fewer random schedules
	go test -race -short ./...

lint: $(TOOLS) ## gofmt, go vet, staticcheck, cfn-lint, sam validate
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	cfn-lint prerequisite.yaml template.yaml
	sam validate --lint --template prerequisite.yaml
	sam validate --lint --template template.yaml

build: $(TOOLS) ## build every function for Lambda with sam build
	CGO_ENABLED=0 GOFLAGS='-buildvcs=false -tags=lambda.norpc "-ldflags=-s -w -buildid="' sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: build ## deploy both stacks to your account, or to AWS_ENDPOINT_URL
	aws cloudformation deploy --region $(REGION) --stack-name $(PREREQUISITE) --template-file prerequisite.yaml --no-fail-on-empty-changeset
	sam deploy --no-fail-on-empty-changeset --parameter-overrides Architecture=$(ARCHITECTURE)

logs: $(TOOLS) ## show what the functions logged in the last ten minutes
	sam logs

delete: $(TOOLS) ## delete both stacks
	sam delete --no-prompts --region $(REGION)
	aws cloudformation delete-stack --region $(REGION) --stack-name $(PREREQUISITE)

clean: ## remove what was built and installed here
	rm -rf .aws-sam .build .venv

$(TOOLS): .ci/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
