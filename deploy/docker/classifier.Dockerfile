# classifier_service: tags and extraction. It keeps no data, so its root may be read-only.
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
COPY --from=build /opt/dateline/packages/classifier_service /opt/dateline/packages/dateline /opt/dateline/packages/
RUN apt-get update \
 && sort --unique /opt/dateline/packages/* | xargs apt-get install --yes --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dateline
COPY --from=build /opt/dateline/bin/classifier_service /opt/dateline/bin/dateline /opt/dateline/bin/
COPY --from=build /opt/dateline/share/dateline /opt/dateline/share/dateline
USER 10001:10001
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/opt/dateline/bin/dateline", "health", "--address", "127.0.0.1:50051"]
ENTRYPOINT ["/opt/dateline/bin/classifier_service"]
CMD ["--listen", "0.0.0.0:50051"]
