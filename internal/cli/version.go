package cli

import (
	"cmp"
	"strings"

	"github.com/prometheus/common/version"
)

// build is the version of the program and what it was built from, as far as that is known.
func build() string {
	known := []string{cmp.Or(version.Version, "unknown")}
	for _, part := range []struct{ name, value string }{
		{"branch", version.Branch},
		{"revision", version.GetRevision()},
		{"built", version.BuildDate},
		{"", version.GoVersion},
		{"platform", version.GoOS + "/" + version.GoArch},
	} {
		if part.value != "" && part.value != "unknown" {
			known = append(known, strings.TrimSpace(part.name+" "+part.value))
		}
	}
	return strings.Join(known, ", ")
}
