package check

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads compose.yml with the given environment variables.
func compose(t *testing.T, variables ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose/compose.yml"}, cli.WithEnv(variables))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// compose.yml is valid, every mounted file exists, and the demo runs unless YCM_CONFIG_DIR is set.
func TestComposeBringsUpTheDemoAndAFleet(t *testing.T) {
	for _, own := range []struct {
		variables     []string
		demo, configs string
	}{
		{nil, "--demo", "."},
		{[]string{"YCM_CONFIG_DIR=./ycm"}, "--no-demo", "./ycm"},
	} {
		project := compose(t, own.variables...)
		exporter, err := project.GetService("exporter")
		if err != nil {
			t.Fatal(err)
		}
		if exporter.Command[0] != own.demo {
			t.Errorf("with %v the exporter is started with %q, want %s first", own.variables, exporter.Command, own.demo)
		}
		if want, _ := filepath.Abs("../compose/" + own.configs); exporter.Volumes[0].Source != want {
			t.Errorf("with %v the configuration comes from %s, want %s", own.variables, exporter.Volumes[0].Source, want)
		}
	}
	for name, service := range compose(t).Services {
		if !service.ReadOnly || len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" {
			t.Errorf("service %s: read-only is %t and %v is dropped, want a read-only root and no capabilities", name, service.ReadOnly, service.CapDrop)
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("service %s publishes port %s on %q, want only the loopback address", name, port.Published, port.HostIP)
			}
		}
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("service %s: %v", name, err)
			}
		}
	}
}
