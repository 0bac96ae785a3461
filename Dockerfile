# One image for each binary, from one build: docker build --target client-api (or orchestrator-svc, activity-worker).
# Binaries of your own with other orchestrators and activities: name their packages in PACKAGES, and give them a target
# like those at the end.
ARG BUILD_BASE=docker.io/library/rust:1.95-bookworm
# C library and certificates, and no shell. Its Debian must not be older than that of BUILD_BASE.
ARG RUNTIME_BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_BASE} AS chef
ARG CHEF_VERSION=0.1.78
RUN command -v cargo-chef || cargo install cargo-chef --version "$CHEF_VERSION" --locked
WORKDIR /warren

# What the dependencies are, without the code: as long as this stays the same, they are not built again.
FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
ARG PACKAGES="-p client-api -p orchestrator-svc -p activity-worker"
COPY --from=plan /warren/recipe.json .
# hadolint ignore=SC2086
RUN cargo chef cook --release --locked --bins $PACKAGES --recipe-path recipe.json
COPY . .
# hadolint ignore=SC2086
RUN cargo build --release --locked --bins $PACKAGES \
    && mkdir /out \
    && find target/release -maxdepth 1 -type f -executable -exec cp {} /out/ \;

# A number, since Kubernetes can't tell from a name that it is not root.
FROM ${RUNTIME_BASE} AS runtime
USER 65532:65532
WORKDIR /

FROM runtime AS client-api
COPY --from=build /out/client-api /usr/local/bin/client-api
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/client-api"]

FROM runtime AS orchestrator-svc
COPY --from=build /out/orchestrator-svc /usr/local/bin/orchestrator-svc
EXPOSE 8081
ENTRYPOINT ["/usr/local/bin/orchestrator-svc"]

FROM runtime AS activity-worker
COPY --from=build /out/activity-worker /usr/local/bin/activity-worker
EXPOSE 8082
ENTRYPOINT ["/usr/local/bin/activity-worker"]
