// Package helm tests the Helm chart. Tests that need helm are skipped if it is not on the PATH.
package helm

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "rewrite the golden files and the plain manifests")

const (
	chart     = "ycm-exporter"
	manifests = "../kubernetes/ycm-exporter.yml"
)

// The chart installs the image of its own release.
func TestVersionIsTheRepositorys(t *testing.T) {
	version, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Version    string `yaml:"version"`
		AppVersion string `yaml:"appVersion"`
	}
	readYAML(t, filepath.Join(chart, "Chart.yaml"), &c)
	want := strings.TrimSpace(string(version))
	if c.Version != want || c.AppVersion != want {
		t.Errorf("Chart.yaml: got version %s and appVersion %s, want %s for both, as in the file VERSION", c.Version, c.AppVersion, want)
	}
}

// Every change of a manifest shows in a golden file.
func TestManifests(t *testing.T) {
	values, err := filepath.Glob("testdata/*.values.yml")
	if err != nil || len(values) == 0 {
		t.Fatalf("looking for testdata/*.values.yml: found %d files, %v", len(values), err)
	}
	for _, file := range values {
		name := strings.TrimSuffix(filepath.Base(file), ".values.yml")
		t.Run(name, func(t *testing.T) {
			out := render(t, "--namespace=monitoring", "--values="+file)
			golden(t, filepath.Join("testdata", name+".golden.yml"), withoutFiles(out))
			conforms(t, out)
		})
	}
}

// The plain manifests are those of the chart without Helm's labels.
func TestPlainManifests(t *testing.T) {
	out := render(t, "--values=../kubernetes/values.yml")
	ofHelm := regexp.MustCompile(`(?m)^(# Source: .*| *helm\.sh/chart: .*| *app\.kubernetes\.io/managed-by: .*)\n`)
	head := "# Generated from the chart in deploy/helm by `make manifests`. README.md describes what to change.\n"
	golden(t, manifests, head+ofHelm.ReplaceAllString(out, ""))
	conforms(t, out)
}

// The chart installs all rules and dashboards of the repository, unchanged.
func TestRulesAndDashboardsAreTheRepositorys(t *testing.T) {
	rules, dashboards := map[string]any{}, map[string]any{}
	for _, d := range documents(t, render(t, "--values=testdata/everything.values.yml")) {
		switch {
		case d.Kind == "PrometheusRule" && d.Metadata.Labels["release"] == "prometheus":
			rules[d.Metadata.Name] = d.Spec
		case d.Kind == "ConfigMap" && d.Metadata.Labels["grafana_dashboard"] == "1" && d.Metadata.Annotations["grafana_folder"] == "YCM":
			for name, content := range d.Data {
				dashboards[name] = content
			}
		}
	}
	wantRules, wantDashboards := map[string]any{}, map[string]any{}
	for _, path := range files(t, "../../alerts/ycm.*.yml") {
		var spec any
		readYAML(t, path, &spec)
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "ycm."), ".yml")
		wantRules["fleet-"+strings.ReplaceAll(name, ".", "-")] = spec
	}
	for _, path := range files(t, "../../dashboards/*.json") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wantDashboards[filepath.Base(path)] = string(content)
	}
	if diff := cmp.Diff(wantRules, rules); diff != "" {
		t.Errorf("the rules are not those of alerts/ (-repository +chart):\n%s", diff)
	}
	if diff := cmp.Diff(wantDashboards, dashboards); diff != "" {
		t.Errorf("the dashboards are not those of dashboards/ (-repository +chart):\n%s", diff)
	}
}

// The example values in the documentation enable what they describe.
func TestExampleValues(t *testing.T) {
	out := render(t, "--values=../../docs/examples/kubernetes.values.yml")
	for _, want := range []string{"kind: ServiceMonitor", "kind: PrometheusRule", "kind: NetworkPolicy", "name: south", `secretName: "ycm",`} {
		if !strings.Contains(out, want) {
			t.Errorf("docs/examples/kubernetes.values.yml gives nothing with %q", want)
		}
	}
	conforms(t, out)
}

func TestLint(t *testing.T) {
	if out, err := helm(t, "lint", "--strict", "--set=demo=true", chart); err != nil {
		t.Errorf("helm lint --strict: %v\n%s", err, out)
	}
}

// A packaged chart contains the rules and dashboards, not dangling links, and no other files of their directories.
func TestPackageIsWhole(t *testing.T) {
	dir := t.TempDir()
	if out, err := helm(t, "package", "--destination="+dir, chart); err != nil {
		t.Fatalf("helm package: %v\n%s", err, out)
	}
	packages := files(t, filepath.Join(dir, "*.tgz"))
	list, err := exec.CommandContext(t.Context(), "tar", "tzf", packages[0]).Output()
	if err != nil {
		t.Fatalf("listing %s: %v", packages[0], err)
	}
	for _, path := range append(files(t, "../../alerts/ycm.*.yml"), files(t, "../../dashboards/*.json")...) {
		if want := chart + strings.TrimPrefix(path, "../.."); !strings.Contains(string(list), want+"\n") {
			t.Errorf("the package has no %s; it has:\n%s", want, list)
		}
	}
	if unwanted := regexp.MustCompile(`(?m)^.*(\.go|\.test\.yml)$`).FindString(string(list)); unwanted != "" {
		t.Errorf("the package has %s, want only rules and dashboards", unwanted)
	}
	out, err := exec.CommandContext(t.Context(), "helm", "template", "x", packages[0], "--kube-version=1.34", "--set=demo=true,prometheusRule.enabled=true").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "kind: PrometheusRule") {
		t.Errorf("helm template of the package: %v, want the rules in\n%.2000s", err, out)
	}
}

// helm runs helm and returns its output.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("helm"); err != nil {
		t.Skip("helm is not on the PATH: the chart is not tested; `make tools` installs it")
	}
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), "helm", args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

func template(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return helm(t, append([]string{"template", "ycm-exporter", chart, "--kube-version=1.34"}, args...)...)
}

func render(t *testing.T, args ...string) string {
	t.Helper()
	out, err := template(t, args...)
	if err != nil {
		t.Fatalf("helm template %s: %v\n%s", args, err, out)
	}
	return out
}

// document is the part of a manifest that the tests read.
type document struct {
	Kind     string
	Metadata struct {
		Name                string
		Labels, Annotations map[string]string
	}
	Data map[string]string
	Spec any
}

func documents(t *testing.T, manifests string) []document {
	t.Helper()
	var all []document
	for decoder := yaml.NewDecoder(strings.NewReader(manifests)); ; {
		var d document
		if err := decoder.Decode(&d); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("manifest %d is not valid YAML: %v", len(all)+1, err)
		}
		all = append(all, d)
	}
}

// withoutFiles removes the manifests of rules and dashboards, which have another test.
func withoutFiles(manifests string) string {
	var kept []string
	for _, m := range strings.SplitAfter(manifests, "\n---\n") {
		if !strings.Contains(m, "templates/prometheusrule.yaml") && !strings.Contains(m, "templates/dashboards.yaml") {
			kept = append(kept, m)
		}
	}
	return strings.Join(kept, "")
}

// conforms validates the manifests with kubeconform and the schemas of KUBERNETES_SCHEMAS, if both are available.
func conforms(t *testing.T, manifests string) {
	t.Helper()
	schemas := os.Getenv("KUBERNETES_SCHEMAS")
	if _, err := exec.LookPath("kubeconform"); err != nil || schemas == "" {
		t.Log("kubeconform is not on the PATH or KUBERNETES_SCHEMAS is not set: the manifests are not validated against the schemas of Kubernetes")
		return
	}
	c := exec.CommandContext(t.Context(), "kubeconform", "-strict", "-summary", "-schema-location", schemas)
	c.Stdin = strings.NewReader(manifests)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("kubeconform: %v\n%s", err, out)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs from the output of the chart (-file +chart); if this is intended, run `make manifests`:\n%s", path, diff)
	}
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("looking for %s: found %d files, %v", pattern, len(found), err)
	}
	return found
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
