# search_service: the article store and the index, both below /var/lib/dateline, the one volume to back up.
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
COPY --from=build /opt/dateline/packages/search_service /opt/dateline/packages/dateline /opt/dateline/packages/
RUN apt-get update \
 && sort --unique /opt/dateline/packages/* | xargs apt-get install --yes --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin dateline \
 && install --directory --owner=dateline --group=dateline --mode=0700 /var/lib/dateline
COPY --from=build /opt/dateline/bin/search_service /opt/dateline/bin/dateline /opt/dateline/bin/
COPY --from=build /opt/dateline/share/dateline /opt/dateline/share/dateline
USER 10001:10001
VOLUME ["/var/lib/dateline"]
EXPOSE 50052
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/opt/dateline/bin/dateline", "health", "--address", "127.0.0.1:50052"]
ENTRYPOINT ["/opt/dateline/bin/search_service"]
CMD ["--listen", "0.0.0.0:50052", "--data_dir", "/var/lib/dateline", "--classifier", "classifier:50051"]
