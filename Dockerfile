# The build runs on the architecture of the builder and cross-compiles for that of the image, without emulation.
FROM --platform=$BUILDPLATFORM docker.io/library/golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH REVISION=""
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build REVISION="$REVISION" && \
    scripts/licenses.sh >licenses && \
    mkdir state

FROM scratch
ARG VERSION="" REVISION=""
LABEL org.opencontainers.image.title="ycm_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Yeastar Central Management" \
      org.opencontainers.image.source="https://github.com/ycm-exporter/ycm_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/licenses /licenses/
COPY --from=build /src/ycm_exporter /ycm_exporter
# A new volume takes its owner from this folder, so that the root file system can stay read-only. The exporter creates a
# folder with mode 0700 in it for its state, because a volume can have any mode.
COPY --from=build --chown=65532:65532 /src/state /var/lib/ycm_exporter
VOLUME /var/lib/ycm_exporter
USER 65532:65532
# Flags for all commands in the image: the exporter, --once, --doctor and the health check below.
ENV YCM_EXPORTER_CONFIG_FILE=/etc/ycm_exporter/config.yml \
    YCM_EXPORTER_STORAGE_PATH=/var/lib/ycm_exporter/state
EXPOSE 10055
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/ycm_exporter", "--healthcheck"]
ENTRYPOINT ["/ycm_exporter"]
