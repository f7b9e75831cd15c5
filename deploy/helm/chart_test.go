// Package helm tests the Helm chart. What needs the program helm is skipped where it is not on the PATH.
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

// The chart installs the image of the release that it comes with.
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

// Somebody who installs the chart gets what its files say: any change of a manifest shows in a golden file.
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

// The plain manifests, for those without Helm, are the chart's with nothing of Helm in them.
func TestPlainManifests(t *testing.T) {
	out := render(t, "--values=../kubernetes/values.yml")
	ofHelm := regexp.MustCompile(`(?m)^(# Source: .*| *helm\.sh/chart: .*| *app\.kubernetes\.io/managed-by: .*)\n`)
	head := "# Made from the chart in deploy/helm by `make manifests`. README.md beside this file says what to change.\n"
	golden(t, manifests, head+ofHelm.ReplaceAllString(out, ""))
	conforms(t, out)
}

// Rules and dashboards in the cluster are those of the repository, all of them, and nothing is lost on the way.
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

// The values that the documentation shows give what it says.
func TestExampleValues(t *testing.T) {
	out := render(t, "--values=../../docs/examples/kubernetes.values.yml")
	for _, want := range []string{"kind: ServiceMonitor", "kind: PrometheusRule", "kind: NetworkPolicy", "name: south", "secretName: ycm,"} {
		if !strings.Contains(out, want) {
			t.Errorf("docs/examples/kubernetes.values.yml gives nothing with %q", want)
		}
	}
	conforms(t, out)
}

// A mistake in the values is told before anything reaches the cluster.
func TestMistakesAreRefused(t *testing.T) {
	account := "--set=config.accounts[0].name=main,"
	for name, test := range map[string]struct{ set, want string }{
		"no account":                 {"--set=demo=false", "give the exporter an account under config.accounts"},
		"secret in the ConfigMap":    {account + "config.accounts[0].client_secret=hunter2", "account main: client_secret would be readable in a ConfigMap"},
		"a PBX's secret":             {account + "config.accounts[0].pbxs[0].client_secret=hunter2", "account main: client_secret would be readable in a ConfigMap"},
		"two exporters":              {"--set=demo=true,replicas=2", "additional properties 'replicas' not allowed"},
		"more shards than there are": {"--set=demo=true,serviceMonitor.shards=65", "serviceMonitor/shards"},
		"volume shared by two Pods":  {"--set=demo=true,persistence.accessModes[0]=ReadWriteMany", "persistence/accessModes"},
		"key of no configuration":    {"--set=demo=true,config.account=x", "additional properties 'account' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := template(t, test.set)
			if err == nil {
				t.Fatalf("helm template %s: succeeded, want an error with %q", test.set, test.want)
			}
			if !strings.Contains(out, test.want) {
				t.Errorf("helm template %s: got\n%s\nwant an error with %q", test.set, out, test.want)
			}
			if strings.Contains(out, "hunter2") {
				t.Errorf("helm template %s: the error shows the secret:\n%s", test.set, out)
			}
		})
	}
}

func TestLint(t *testing.T) {
	if out, err := helm(t, "lint", "--strict", "--set=demo=true", chart); err != nil {
		t.Errorf("helm lint --strict: %v\n%s", err, out)
	}
}

// A packaged chart holds the rules and dashboards themselves, not links that lead nowhere, and no more than it needs.
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
		t.Errorf("the package has %s, which nobody needs in it", unwanted)
	}
	out, err := exec.CommandContext(t.Context(), "helm", "template", "x", packages[0], "--kube-version=1.34", "--set=demo=true,prometheusRule.enabled=true").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "kind: PrometheusRule") {
		t.Errorf("helm template of the package: %v, want the rules in\n%.2000s", err, out)
	}
}

// helm runs the program, and gives what it printed.
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

// document is what the tests look at in a manifest.
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
			t.Fatalf("manifest %d is no YAML: %v", len(all)+1, err)
		}
		all = append(all, d)
	}
}

// withoutFiles leaves out the manifests of rules and dashboards, which have a test of their own.
func withoutFiles(manifests string) string {
	var kept []string
	for _, m := range strings.SplitAfter(manifests, "\n---\n") {
		if !strings.Contains(m, "templates/prometheusrule.yaml") && !strings.Contains(m, "templates/dashboards.yaml") {
			kept = append(kept, m)
		}
	}
	return strings.Join(kept, "")
}

// conforms has kubeconform check the manifests against the schemas that KUBERNETES_SCHEMAS names, if both are there.
func conforms(t *testing.T, manifests string) {
	t.Helper()
	schemas := os.Getenv("KUBERNETES_SCHEMAS")
	if _, err := exec.LookPath("kubeconform"); err != nil || schemas == "" {
		t.Log("kubeconform is not on the PATH or KUBERNETES_SCHEMAS is not set: the manifests are not checked against Kubernetes's schemas")
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
		t.Errorf("%s is not what the chart gives (-file +chart); if that is meant, `make manifests` rewrites it:\n%s", path, diff)
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
