# Each target does its own set-up: on a fresh clone `make demo` and `make test` are all that is needed.
PACKAGES ?= auto
# `dotnet msbuild`, since `dotnet build` prints a summary at any verbosity.
BUILD = dotnet msbuild -restore -m -nologo -v:quiet -p:Configuration=Release

.DEFAULT_GOAL := help
.PHONY: help setup build demo up test check-gpu bench format clean figures quality-p1-beauty quality-p1-sports quality-p2 quality-p3 quality-content-p1 quality-content-p2 quality-cold-start

help: ## what there is to make
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 28

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

check-gpu: setup ## whether this machine's GPU computes what its CPU computes (docs/gpu.md)
	@properties=$$(bash scripts/gpu.sh) && $(BUILD) $$properties bench/Nearline.Bench/Nearline.Bench.csproj
	@dotnet artifacts/bin/Nearline.Bench/release/nearline-bench.dll gpu-check

bench: setup ## every benchmark; writes bench/results (one alone: make bench-training, bench-graph)
	@bash bench/run.sh

bench-%: setup
	@bash bench/run.sh $*

# Quality on the fixed protocols (docs/evaluation.md). RESUME=1 keeps the runs that are there, SEEDS=1 makes one seed of three.
QUALITY_DATA = $(or $(DATA),../shared/data)
COMPARE = ./nearline compare $(if $(RESUME),--resume) $(if $(PARALLEL),--parallel $(PARALLEL)) $(if $(SEEDS),--seeds $(SEEDS))
P3_USERS ?= 2000
P3_WORLD = runs/p3-world-$(P3_USERS)
CLI = $(BUILD) src/Nearline.Cli/Nearline.Cli.csproj

# $(call GRAPH,data set,protocol): the data set's content graph, trained where it is not there yet.
GRAPHS = runs/graphs/$(1)-$(2)
GRAPH = [ -f $(GRAPHS)/graph.json ] || ./nearline graph --data $(QUALITY_DATA) --dataset $(1) --protocol $(2) --out $(GRAPHS) --set Threads=1

quality-p2: setup ## models on MovieLens 100K over seeds, beside SASRec and others (DATA=dir)
	@$(CLI)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset ml-100k --models bench/quality/p2.txt --reference SASRec --out bench/results/quality-p2.json

quality-p1-beauty: setup ## the same on Amazon Beauty
	@$(CLI)
	@$(call GRAPH,Beauty,leave-one-out)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset Beauty --models bench/quality/p1.txt --graph $(call GRAPHS,Beauty,leave-one-out) --reference SASRec --unfiltered-too --out bench/results/quality-p1-beauty.json

quality-p1-sports: setup ## the same on Amazon Sports and Outdoors
	@$(CLI)
	@$(call GRAPH,Sports_and_Outdoors,leave-one-out)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset Sports_and_Outdoors --models bench/quality/p1.txt --graph $(call GRAPHS,Sports_and_Outdoors,leave-one-out) --reference SASRec --unfiltered-too --out bench/results/quality-p1-sports.json

quality-p3: setup ## the variants of the paper's table 2 on the simulated world's last day
	@$(CLI)
	@[ -d $(P3_WORLD) ] || ./nearline simulate --out $(P3_WORLD) --users $(P3_USERS)
	@$(COMPARE) --data $(P3_WORLD) --protocol last-day --models bench/quality/p3.txt --seeds 1 --reference M5 --out bench/results/quality-p3.json

quality-content-p1: setup ## what content does on Amazon Beauty: graph, linear, raw metadata, none
	@$(CLI)
	@$(call GRAPH,Beauty,leave-one-out)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset Beauty --models bench/quality/content-p1.txt --graph $(call GRAPHS,Beauty,leave-one-out) --unfiltered-too --out bench/results/quality-content-p1.json

quality-content-p2: setup ## the same on MovieLens 100K
	@$(CLI)
	@$(call GRAPH,ml-100k,leave-one-out)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset ml-100k --models bench/quality/content-p2.txt --graph $(call GRAPHS,ml-100k,leave-one-out) --out bench/results/quality-content-p2.json

quality-cold-start: setup ## shows of Amazon Beauty that training did not know, found by content
	@$(CLI)
	@$(call GRAPH,Beauty,cold-start)
	@$(COMPARE) --data $(QUALITY_DATA) --dataset Beauty --protocol cold-start --models bench/quality/cold-start.txt --graph $(call GRAPHS,Beauty,cold-start) --reference "content KNN" --out bench/results/quality-cold-start.json

figures: ## docs/figures.md from bench/results
	@python3 scripts/figures.py

format: ## what dotnet format would change
	@dotnet format Nearline.sln --verify-no-changes --exclude artifacts

clean: ## remove build outputs and what runs wrote; keeps set-up
	rm -rf artifacts runs
