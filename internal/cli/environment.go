package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// checkEnvironment tells which variable of the environment does not fit its flag: kingpin reads YCM_EXPORTER_WEB_SD_SHARDS
// in the place of --web.sd-shards, but its errors name neither.
func checkEnvironment(app *kingpin.Application) error {
	for _, flag := range app.Model().Flags {
		variable := "YCM_EXPORTER_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(flag.Name))
		value := os.Getenv(variable)
		_, repeated := flag.Value.(interface{ IsCumulative() bool })
		if value == "" || repeated || flag.Hidden || flag.Name == "help" || flag.Name == "version" {
			continue
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("the environment has %s=%q, which does not fit --%s: %w", variable, value, flag.Name, err)
		}
	}
	return nil
}
