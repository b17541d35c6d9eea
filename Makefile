# Everything a person needs: make run, make test, make bench. `make help` lists.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help run test check generate bench build tools

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

run: ## run the demo school
	go run ./cmd/tripwire demo

build: ## build the stripped binary into dist/
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o dist/tripwire ./cmd/tripwire

generate: ## write the pages' Go code anew from the .templ files
	go tool templ generate -path internal/web/page

tools: ## install PostgreSQL, Chromium and LibreOffice where they are missing (Debian, as root)
	scripts/install-tools

check: ## formatting, vet, lint, freshness of generated code
	scripts/check

test: tools check ## every check and test, on both engines and in a real browser
	scripts/with-postgres scripts/test

bench: tools ## measure, and print the tables of docs/performance.md
	scripts/with-postgres --durable go run ./internal/bench
