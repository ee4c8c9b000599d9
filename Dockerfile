# syntax=docker/dockerfile:1

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# Dependencies in a layer of their own: it is rebuilt only when a manifest changes.
COPY Cargo.toml Cargo.lock ./
COPY probes/core/Cargo.toml probes/core/
COPY probes/keys/Cargo.toml probes/keys/
COPY probes/expect/Cargo.toml probes/expect/
COPY probes/http/Cargo.toml probes/http/
COPY probes/script/Cargo.toml probes/script/
COPY probes/ssh/Cargo.toml probes/ssh/
RUN for crate in . probes/*; do mkdir -p "$crate/src" && echo '//! Placeholder.' > "$crate/src/lib.rs"; done \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --locked --profile dist --bin sentrynet \
    && rm -rf src probes/*/src
COPY probes probes
COPY src src
# The placeholders are newer than the sources: cargo would keep them.
RUN find src probes -name '*.rs' -exec touch {} + \
    && cargo build --locked --profile dist --bin sentrynet \
    && cp target/dist/sentrynet /usr/local/bin/sentrynet

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # A real passwd entry: ssh refuses to run for a user without one.
    && useradd --uid 10001 --user-group --home-dir /var/lib/sentrynet --create-home --shell /usr/sbin/nologin sentrynet \
    && install -d -o sentrynet -g sentrynet /etc/sentrynet
COPY --from=build /usr/local/bin/sentrynet /usr/local/bin/sentrynet
COPY config.example.yaml /usr/share/doc/sentrynet/config.example.yaml
USER sentrynet
WORKDIR /var/lib/sentrynet
VOLUME ["/var/lib/sentrynet"]
ENV XDG_STATE_HOME=/var/lib
STOPSIGNAL SIGTERM
# Well as long as the scheduler ticks; it asks the daemon through the socket in the state directory.
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s CMD ["/usr/local/bin/sentrynet", "status"]
ENTRYPOINT ["/usr/local/bin/sentrynet"]
CMD ["run", "/etc/sentrynet/config.yaml"]
