# Each target does its own set-up: on a fresh clone `make demo` and `make test` are all that is needed.
PACKAGES ?= auto
# `dotnet msbuild`, since `dotnet build` prints a summary at any verbosity.
BUILD = dotnet msbuild -restore -m -nologo -v:quiet -p:Configuration=Release

.DEFAULT_GOAL := help
.PHONY: help setup build demo up test bench format clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: ## install what is needed and find out which packages restore (PACKAGES=real|compat|auto)
	@bash scripts/setup.sh $(PACKAGES)

build: setup ## build everything
	@$(BUILD) Nearline.sln

demo: setup ## train on real history, run all parts, show sets following events (DATA=dir for other data)
	@echo building
	@$(BUILD) src/Nearline.Cli/Nearline.Cli.csproj
	@./nearline demo $(if $(DATA),--data $(DATA)) $(if $(DATASET),--dataset $(DATASET))

up: setup ## the same parts, up until Ctrl-C
	@echo building
	@$(BUILD) src/Nearline.Cli/Nearline.Cli.csproj
	@./nearline up $(if $(DATA),--data $(DATA)) $(if $(DATASET),--dataset $(DATASET))

test: setup ## every suite
	@bash scripts/test.sh

bench: setup ## every benchmark, each against a peer in the same run; writes bench/results (one alone: make bench-training)
	@bash bench/run.sh

bench-%: setup
	@bash bench/run.sh $*

format: ## what dotnet format would change
	@dotnet format Nearline.sln --verify-no-changes --exclude artifacts

clean: ## remove build outputs and what runs wrote; keeps set-up
	rm -rf artifacts runs
