package config

import (
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// text is the single value that is written here, as it is written: a Client ID of digits is no number. Variables of the
// environment are expanded if that was asked for.
func (p place) text() (string, bool) {
	if p.node.Kind != yaml.ScalarNode {
		p.problem("must be a single value, not %s", kind(p.node))
		return "", false
	}
	if p.node.Style&yaml.TaggedStyle != 0 {
		p.problem("begins with !, which YAML takes for a tag; put quotes around the value")
		return "", false
	}
	if p.doc.lookup == nil {
		return p.node.Value, true
	}
	return p.expand(p.node.Value)
}

var reference = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{`)

// expand replaces ${NAME} by the environment's variable, and $$ by $.
func (p place) expand(text string) (string, bool) {
	ok := true
	expanded := reference.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$$" {
			return "$"
		}
		if found == "${" {
			p.problem("has a ${ that no NAME} follows; write ${NAME}, or $$ for a $")
			ok = false
			return ""
		}
		name := found[2 : len(found)-1]
		value, set := p.doc.lookup(name)
		if !set {
			p.problem("the environment has no variable %s; set it, or write $$ for a $", name)
			ok = false
		}
		return value
	})
	return expanded, ok
}

func (p place) integer(out reflect.Value) {
	text, ok := p.text()
	if !ok {
		return
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		p.problem("must be a whole number, written with digits alone")
		return
	}
	out.SetInt(int64(n))
}

func (p place) boolean(out reflect.Value) {
	text, ok := p.text()
	if !ok {
		return
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true":
		out.SetBool(true)
	case "false":
		out.SetBool(false)
	default:
		p.problem("must be true or false")
	}
}

func (p place) duration(out *time.Duration) {
	text, ok := p.text()
	if !ok {
		return
	}
	d, err := model.ParseDuration(strings.TrimSpace(text))
	if err != nil {
		p.problem("must be a duration, such as 30s, 1m or 1h30m")
		return
	}
	*out = time.Duration(d)
}

func (p place) url(out **url.URL) {
	text, ok := p.text()
	if !ok {
		return
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		p.problem("must be a URL, such as https://host.example.com")
		return
	}
	*out = u
}

func (p place) tlsVersion(out *promconfig.TLSVersion) {
	text, ok := p.text()
	if !ok {
		return
	}
	version, known := promconfig.TLSVersions[text]
	if !known {
		p.problem("must be TLS10, TLS11, TLS12 or TLS13")
		return
	}
	*out = version
}
