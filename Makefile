# New here? Start with `make demo` and `make test`.
GO      ?= go
VERSION := $(shell cat VERSION)
REVISION = $(shell git rev-parse --short HEAD 2>/dev/null)
PKG     := github.com/prometheus/common/version
LDFLAGS  = -s -w -X $(PKG).Revision=$(REVISION)
# scripts/promtool.sh unpacks promtool there, and tests take it from the PATH.
export PATH := $(PATH):$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ycm_exporter/usr/bin
# The race detector needs a C compiler.
RACE    := $(if $(shell command -v $(or $(CC),gcc)),-race,)

GOFUMPT      := mvdan.cc/gofumpt@v0.12.0
GOLANGCILINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.10.0
GORELEASER   := github.com/goreleaser/goreleaser/v2@v2.15.0
HELM         := helm.sh/helm/v3/cmd/helm@v3.22.0
KUBECONFORM  := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
ACTIONLINT   := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOVULNCHECK  := golang.org/x/vuln/cmd/govulncheck@v1.1.4
SYFT         := github.com/anchore/syft/cmd/syft@v1.50.0

.PHONY: build
build: ## one static binary, ./ycm_exporter
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o ycm_exporter .

.PHONY: demo
demo: build ## export the simulated fleet on http://localhost:10055
	./ycm_exporter --demo

.PHONY: test
test: vet format promtool ## the test suite
	cd dashboards/generate && $(GO) test ./...
	$(GO) test -timeout 10m ./...

.PHONY: race
race: ## the test suite with the race detector, and the property tests at full length
	YCM_TEST_LONG=1 $(GO) test -race -timeout 30m ./...

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: format
format:
	@unformatted=$$($(GO) run $(GOFUMPT) -l $$(git ls-files '*.go')) || exit 1; \
	[ -z "$$unformatted" ] || { echo "Run 'make fmt' for:"; echo "$$unformatted"; exit 1; }

.PHONY: fmt
fmt: ## format the Go code
	$(GO) run $(GOFUMPT) -w $$(git ls-files '*.go')

.PHONY: promtool
promtool: ## check the metrics, and check and test the alerting rules
	@GO=$(GO) scripts/promtool.sh

.PHONY: lint
lint: vet format promtool ## what `test` checks of the code's form, and golangci-lint
	@command -v golangci-lint >/dev/null || $(GO) install $(GOLANGCILINT)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" golangci-lint run --build-tags e2e ./...
	cd dashboards/generate && PATH="$$PATH:$$($(GO) env GOPATH)/bin" golangci-lint run ./...

.PHONY: generate
generate: ## write all files that are generated from the code: golden files, tables of the documentation, the schema
	$(GO) test ./collector -count 1 -update
	$(GO) test ./internal/config ./internal/cli ./alerts -run 'Docs|Documentation|BadFiles|Schema|Readme' -count 1 -parallel 1 -update

.PHONY: dashboards
dashboards: ## write the dashboards' JSON
	cd dashboards/generate && $(GO) run .

.PHONY: bench
bench: ## benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: e2e
e2e: build ## the demo with real Prometheus, Alertmanager, Grafana and Chromium; see test/e2e/README.md
	cd test/e2e && npm install --no-audit --no-fund
	E2E_TOOLS=$(abspath $(E2E_TOOLS)) $(GO) test -tags e2e -count 1 -timeout 60m -v ./test/e2e

SOAK ?= 10m

.PHONY: soak
soak: ## ten minutes of incidents of all kinds, compared with the true state; SOAK=2h for longer, SOAK_FLAGS=-seed=N for the same again
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(GO) build $(RACE) -o "$$folder/ycm_exporter" . && $(GO) build -o "$$folder/soak" ./test/soak && \
	"$$folder/soak" -exporter "$$folder/ycm_exporter" -for $(SOAK) $(SOAK_FLAGS)

# podman builds it too: BUILDAH_FORMAT=docker make docker DOCKER=podman (the format keeps the health check).
DOCKER ?= docker
IMAGE  ?= ycm_exporter:$(VERSION)

.PHONY: docker
docker: ## the container image
	$(DOCKER) build $(DOCKER_FLAGS) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) -t $(IMAGE) .

.PHONY: docker-test
docker-test: ## run the image as in production: read-only, without rights, in 64 MiB
	DOCKER='$(DOCKER)' scripts/image-test.sh $(IMAGE)

.PHONY: release-files
release-files: build ## manual page, shell completions and licences, into build/
	mkdir -p build/completions
	scripts/man.sh ./ycm_exporter $(VERSION) >build/ycm_exporter.1
	gzip -9nkf build/ycm_exporter.1
	./ycm_exporter --completion-script-bash >build/completions/ycm_exporter.bash
	scripts/zsh.sh ./ycm_exporter >build/completions/_ycm_exporter
	GO=$(GO) scripts/licenses.sh >build/THIRD_PARTY_LICENSES
	cat LICENSE build/THIRD_PARTY_LICENSES >build/copyright

# Flags for goreleaser, such as --skip=sbom.
GORELEASER_FLAGS ?=

.PHONY: release-snapshot
release-snapshot: RELEASE = --snapshot
release-snapshot: goreleaser ## archives, packages, checksums and SBOMs of this commit, into dist/

.PHONY: release
release: tag goreleaser ## the same of the tag that is checked out, as a draft on GitHub

.PHONY: goreleaser
goreleaser:
	@command -v goreleaser >/dev/null || $(GO) install $(GORELEASER)
	@command -v syft >/dev/null || [ '$(findstring sbom,$(GORELEASER_FLAGS))' ] || $(GO) install $(SYFT)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" VERSION=$(VERSION) LDFLAGS='$(LDFLAGS)' \
	goreleaser release --clean $(RELEASE) $(GORELEASER_FLAGS)

.PHONY: package-test
package-test: ## install, start, upgrade and remove the deb in a separate system, and the rpm in a folder; needs root
	$(MAKE) release-snapshot GORELEASER_FLAGS=--skip=sbom
	$(SUDO) scripts/rpm-test.sh
	$(SUDO) scripts/package-test.sh

.PHONY: manifests
manifests: ## write the chart's golden files and the plain manifests; needs helm
	@command -v helm >/dev/null || $(GO) install $(HELM)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" $(GO) test ./deploy/helm -count 1 -update

.PHONY: chart
chart: ## the Helm chart, with rules and dashboards in it, into dist/
	@command -v helm >/dev/null || $(GO) install $(HELM)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" helm package --destination dist deploy/helm/ycm-exporter

.PHONY: tools
tools: ## install what tests use if it is there: helm, kubeconform, actionlint
	$(GO) install $(HELM)
	$(GO) install $(KUBECONFORM)
	$(GO) install $(ACTIONLINT)

.PHONY: chart-test
chart-test: tools ## all that is tested of the chart; KUBERNETES_SCHEMAS is where kubeconform finds the schemas
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" $(GO) test -count 1 -v ./deploy/helm

.PHONY: deploy-check
deploy-check: ## check Dockerfile, compose.yml and the example for Alloy with the parsers of the programs that read them
	cd deploy/check && $(GO) test -count 1 ./...

.PHONY: workflows
workflows: ## check the workflows of GitHub
	@command -v actionlint >/dev/null || $(GO) install $(ACTIONLINT)
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" actionlint

.PHONY: vulncheck
vulncheck: ## report known vulnerabilities in the code that is called
	$(GO) run $(GOVULNCHECK) ./...

# The tag of a release must match the file VERSION.
.PHONY: tag
tag:
	@[ "$$(git describe --tags --exact-match 2>/dev/null)" = 'v$(VERSION)' ] || { \
	echo 'The commit that is checked out is not tagged v$(VERSION), the version in the file VERSION.' >&2; exit 1; }

REGISTRY ?= ghcr.io/ycm-exporter/ycm_exporter

.PHONY: docker-release
docker-release: tag ## the image for amd64 and arm64, with SBOM and provenance, pushed to REGISTRY
	$(MAKE) docker DOCKER='docker buildx' IMAGE=$(REGISTRY):$(VERSION) DOCKER_FLAGS='--platform=linux/amd64,linux/arm64 \
	--push --sbom=true --provenance=mode=max --tag=$(REGISTRY):latest'

.PHONY: chart-release
chart-release: tag chart ## push the chart to the registry of the image
	PATH="$$PATH:$$($(GO) env GOPATH)/bin" helm push dist/ycm-exporter-$(VERSION).tgz oci://$(dir $(REGISTRY))charts

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
