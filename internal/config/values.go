package config

import (
	"net/url"
	"regexp"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/strictyaml"
)

var (
	variable    = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	expandable  = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*\})?`)
	placeholder = regexp.MustCompile(`(^|//)<[^<>]*>`)
)

// text returns a single value of the file as it is meant, and what is wrong with it.
func (o Options) text(written string) (text string, problems []string) {
	switch {
	case placeholder.MatchString(written):
		return "", []string{"has a <placeholder> where a value of your own belongs; replace it"}
	case !o.ExpandEnv && variable.MatchString(written):
		return "", []string{"has a ${NAME} that is not expanded; start with --config.expand-env, or write the value itself"}
	case !o.ExpandEnv:
		return written, nil
	}
	text = expandable.ReplaceAllStringFunc(written, func(found string) string {
		if found == "$$" {
			return "$"
		}
		name := variable.FindStringSubmatch(found)
		if name == nil {
			problems = append(problems, "has a ${ that no NAME} follows; write ${NAME}, or $$ for a $")
			return ""
		}
		value, set := o.LookupEnv(name[1])
		if !set {
			problems = append(problems, "the environment has no variable "+name[1]+"; set it, or write $$ for a $")
		}
		return value
	})
	return text, problems
}

// scan reads a single value into what out points to, or says what would be right.
func scan(text string, out any) (want string, ok bool) {
	trimmed := strings.TrimSpace(text)
	switch out := out.(type) {
	case *secret.Text:
		*out = secret.New(trimmed)
		return "", true
	case **url.URL:
		u, err := url.Parse(trimmed)
		*out = u
		return "must be a URL, such as https://host.example.com", err == nil
	case *promconfig.URL:
		return scan(text, &out.URL)
	case *promconfig.TLSVersion:
		*out, ok = promconfig.TLSVersions[trimmed]
		return "must be TLS10, TLS11, TLS12 or TLS13", ok
	default:
		return strictyaml.Scan(text, out)
	}
}
