# `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help check fmt-check clippy doc tools-check fix build test test-cluster sim chaos bench bench-growth bench-share bench-plot bench-peers k8s-check k8s-broker-check images million rolling demo up down clean-local

# What `make demo` runs against the fleet, once it is up; the API's URL is added as --api URL.
DEMO ?= target/release/warren-demo --orders examples/order/orders.json

help: ## Shows this text
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: fmt-check tools-check clippy doc ## Checks everything that needs no broker: format, lints, docs, dependencies, scripts (changes nothing)

fmt-check:
	cargo fmt --all --check

tools-check:
	@for check in tools/check/*; do echo "$$check"; "$$check"; done

clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

fix: ## Formats, and mends what clippy can mend
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	cargo fmt --all

build: ## Builds the release binaries into target/release
	cargo build --release --workspace --bins --locked

test: ## Runs all tests, against the repository's own RabbitMQ and PostgreSQL (or WARREN_TEST_AMQP, WARREN_TEST_POSTGRES)
	tools/test

test-cluster: ## Kills the node that leads the control queues of a three-node RabbitMQ cluster, three times, under load
	tools/test -p end-to-end --test cluster -- --ignored --nocapture

sim: ## Simulates a whole cluster by seeds (SEEDS=n FROM=n; without SEEDS: what two cores run in five minutes)
	cargo run --quiet --release --locked -p warren-sim -- --threads 2 --from $(or $(FROM),1) \
		$(if $(SEEDS),--seeds $(SEEDS),--seeds 1000000000 --minutes 5)

chaos: ## Storms: a real fleet under load, killed and restarted by seed, then judged (SEED=n, CHAOS="--minutes 3 …"; docs/chaos.md)
	cargo build --release --locked --quiet -p warren-chaos
	target/release/warren-chaos $(if $(SEED),--seed $(SEED)) $(CHAOS)

rolling: ## Restarts every orchestrator-svc of a loaded fleet in turn, and measures what instances notice (docs/chaos.md)
	cargo build --release --locked --quiet -p warren-chaos
	target/release/warren-chaos rolling

bench: ## Measures the fleet beside what the broker alone can do (BENCH="--quick --only w1": within a minute; docs/performance.md)
	bench/run speed $(BENCH)

bench-growth: ## Measures that cost grows with nothing: histories, stores, fan-outs, processes (BENCH="--quick --only history"; docs/growth.md)
	bench/run growth $(BENCH)

bench-share: ## Measures how more workers share work that waits, and what a tenant notices of another's flood (docs/growth.md)
	bench/run share

bench-plot: ## Draws what `make bench` wrote into docs/performance.svg, what `make bench-growth` wrote into docs/growth.svg (OF=growth)
	cargo run --quiet --release --locked -p warren-bench -- plot $(OF)

bench-peers: ## Measures other engines beside it (PEERS=folder with their programs: see bench/peers; docs/performance.md)
	PEERS="$(PEERS)" bench/peers $(BENCH)

million: ## Measures a million waiting instances: memory, start, new work beside them, a burst of timers (about five minutes)
	bench/run million

k8s-check: ## Checks deploy/kubernetes, the Dockerfile and compose.yaml (CRDS=folder of definitions; docs/kubernetes.md)
	tools/k8s-check

k8s-broker-check: ## Runs the binaries on a RabbitMQ 4 as the users of deploy/kubernetes, with their permissions
	tools/k8s-broker-check

images: ## Builds the container images warren/client-api, warren/orchestrator-svc, warren/activity-worker (BUILD=command)
	@for image in client-api orchestrator-svc activity-worker; do \
		$(or $(BUILD),docker build) --target $$image --tag warren/$$image:0.1.0 .; \
	done

demo: ## Starts everything, runs the main job on it and stops what it started
	deploy/local/demo $(DEMO)

up: ## Starts RabbitMQ, client-api, orchestrator-svc and three workers on this machine
	deploy/local/fleet up

down: ## Stops them
	deploy/local/fleet down

clean-local: ## Stops everything local and deletes its data (.local)
	deploy/local/fleet down
	deploy/local/rabbitmq stop
	WARREN_RABBITMQ=4 deploy/local/rabbitmq stop
	deploy/local/postgres remove
	rm -rf $${WARREN_LOCAL:-.local}/{fleet,rabbitmq,rabbitmq-4}
