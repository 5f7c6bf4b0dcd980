# web_gateway: browsers in, gRPC out, and the search page. It holds no data.
# The first stage is the same, to the letter, in the three files of this folder, so that it is built once.
ARG DEBIAN=bookworm
FROM debian:${DEBIAN}-slim AS build
WORKDIR /src
COPY scripts/setup.sh scripts/
RUN scripts/setup.sh
COPY . .
RUN cmake --preset release -DDATELINE_BUILD_TESTS=OFF -DDATELINE_BUILD_BENCHMARKS=OFF \
 && cmake --build --preset release \
 && cmake --install build/release --prefix /opt/dateline --component Runtime --strip
RUN deploy/docker/runtime_packages.sh /opt/dateline/bin /opt/dateline/packages

FROM debian:${DEBIAN}-slim
COPY --from=build /opt/dateline/packages/web_gateway /opt/dateline/packages/
RUN apt-get update \
 && xargs apt-get install --yes --no-install-recommends < /opt/dateline/packages/web_gateway \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dateline
COPY --from=build /opt/dateline/bin/web_gateway /opt/dateline/bin/
COPY deploy/docker/http_probe.sh /opt/dateline/bin/
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["/opt/dateline/bin/http_probe.sh", "127.0.0.1", "8080", "/healthz"]
ENTRYPOINT ["/opt/dateline/bin/web_gateway"]
CMD ["--listen", "0.0.0.0:8080", "--search", "search:50052", "--classifier", "classifier:50051"]
