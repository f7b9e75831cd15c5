package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Image, service and chart set flags through the environment, where a flag that does not exist would go unnoticed.
func TestDeploymentsSetFlagsThatExist(t *testing.T) {
	help := &output{}
	if code := run(t.Context(), []string{"--help"}, help, help); code != 0 {
		t.Fatalf("--help: exit code %d, want 0; it printed:\n%s", code, help)
	}
	variable := regexp.MustCompile(`YCM_EXPORTER_[A-Z_]*[A-Z]`)
	for _, file := range []string{
		"Dockerfile", "deploy/systemd/ycm_exporter.service", "deploy/systemd/ycm_exporter.default",
		"deploy/helm/ycm-exporter/values.yaml", "deploy/helm/ycm-exporter/templates/statefulset.yaml", "docs/install.md",
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range variable.FindAllString(string(content), -1) {
			if !strings.Contains(help.String(), "$"+name+")") {
				t.Errorf("%s sets %s, but no flag is read from it", file, name)
			}
		}
	}
}
