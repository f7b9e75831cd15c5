FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG REVISION=""
RUN CGO_ENABLED=0 go build -trimpath -o /ycm_exporter \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=$(cat VERSION) -X github.com/prometheus/common/version.Revision=${REVISION}" .

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /ycm_exporter /ycm_exporter
USER 65532:65532
EXPOSE 10055
ENTRYPOINT ["/ycm_exporter"]
CMD ["--config.file=/etc/ycm_exporter/config.yml"]
