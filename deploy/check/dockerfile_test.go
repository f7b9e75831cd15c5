// Package check validates deployment files with the parsers of the programs that read them. It is a separate module because
// the exporter does not need these dependencies.
package check

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// bases replaces the registry: every image exists and has an empty configuration.
type bases struct{}

func (bases) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	return ref, "", []byte(`{"architecture": "amd64", "os": "linux"}`), nil
}

// lint returns the warnings of `docker build --check` for a Dockerfile, with all rules, including experimental ones.
func lint(t *testing.T, dockerfile []byte) (found []string) {
	t.Helper()
	amd64 := platforms.MustParse("linux/amd64")
	source := llb.NewSourceMap(nil, "Dockerfile", "dockerfile", dockerfile)
	source.Definition = &llb.Definition{}
	results, err := dockerfile2llb.DockerfileLint(t.Context(), dockerfile, dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			BuildPlatforms: []ocispecs.Platform{amd64},
			LinterConfig:   &linter.Config{ExperimentalAll: true},
		},
		TargetPlatform: &amd64,
		SourceMap:      source,
		MetaResolver:   bases{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if results.Error != nil {
		t.Fatalf("the Dockerfile cannot be read: %s", results.Error.Message)
	}
	for _, w := range results.Warnings {
		found = append(found, w.RuleName+": "+w.Detail)
	}
	return found
}

// `docker build --check` has no warnings for the Dockerfile.
func TestDockerfileIsClean(t *testing.T) {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range lint(t, dockerfile) {
		t.Error(warning)
	}
	// Each rule finds its mistake.
	for rule, mistake := range map[string][2]string{
		"FromAsCasing":                    {" AS build", " as build"},
		"JSONArgsRecommended":             {`ENTRYPOINT ["/ycm_exporter"]`, "ENTRYPOINT /ycm_exporter"},
		"UndefinedVar":                    {"ARG VERSION=\"\" REVISION=\"\"", "ARG VERSION=\"\""},
		"WorkdirRelativePath":             {"WORKDIR /src", "WORKDIR src"},
		"SecretsUsedInArgOrEnv":           {"ENV YCM_EXPORTER_CONFIG_FILE=", "ENV CLIENT_SECRET=x YCM_EXPORTER_CONFIG_FILE="},
		"ReservedStageName":               {" AS build", " AS scratch"},
		"FromPlatformFlagConstDisallowed": {"--platform=$BUILDPLATFORM", "--platform=linux/amd64"},
	} {
		wrong := strings.Replace(string(dockerfile), mistake[0], mistake[1], 1)
		if warnings := lint(t, []byte(wrong)); wrong == string(dockerfile) || !strings.Contains(strings.Join(warnings, "\n"), rule+": ") {
			t.Errorf("a Dockerfile with %q in place of %q: got %q, want a warning of the rule %s", mistake[1], mistake[0], warnings, rule)
		}
	}
}
