package config

import (
	"encoding"
	"errors"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// unsupported are keys of prometheus/common that are unknown here: YCM's token is the header Authorization, and there is no secret manager.
var unsupported = regexp.MustCompile(`^(basic_auth|authorization|oauth2|bearer_token|bearer_token_file|ca_ref|cert_ref|key_ref)$`)

// authorization are those of them that would set the header Authorization.
var authorization = regexp.MustCompile(`^(basic_auth|authorization|oauth2|bearer_token|bearer_token_file)$`)

var kinds = map[yaml.Kind]string{
	yaml.MappingNode: "a mapping (lines of key: value)", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value",
	yaml.AliasNode: "an alias (*); write the value itself",
}

// key is something that can be written in a mapping.
type key struct {
	name     string
	required string // the hint for a key that must be written
	out      reflect.Value
}

// keysOf lists the keys of a struct by its yaml tags, or of the collectors by their names.
func keysOf(out reflect.Value) (keys []key) {
	if all, ok := out.Interface().(Collectors); ok {
		for i := range all {
			keys = append(keys, key{name: all[i].Name, out: reflect.ValueOf(&all[i]).Elem()})
		}
		return keys
	}
	for out.Kind() == reflect.Pointer || out.Kind() == reflect.Interface {
		out = out.Elem()
	}
	for i := 0; out.Kind() == reflect.Struct && i < out.NumField(); i++ {
		field := out.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" {
			keys = append(keys, keysOf(out.Field(i))...)
		} else if name != "" && !unsupported.MatchString(name) {
			keys = append(keys, key{name, field.Tag.Get("required"), out.Field(i)})
		}
	}
	return keys
}

// decode fills out from node, and leaves it as it is where nothing is written. The decoder of yaml.v3 is not used, because it
// shows values, does not name fields, and stops at the first mistake in a type of prometheus/common.
func (d *document) decode(path string, node *yaml.Node, out reflect.Value) {
	if isNull(node) {
		return
	}
	d.values[path] = node
	want, read := yaml.ScalarNode, d.decodeScalar
	switch target := out.Addr().Interface().(type) {
	case **url.URL, *promconfig.URL, *secret.Text:
	case *Collectors:
		want, read = yaml.MappingNode, d.decodeMapping
	case **promconfig.Headers:
		*target = new(promconfig.Headers)
		d.decode(path, node, reflect.ValueOf(&(*target).Headers).Elem())
		return
	default:
		switch out.Kind() {
		case reflect.Struct, reflect.Map:
			want, read = yaml.MappingNode, d.decodeMapping
		case reflect.Slice:
			if _, word := target.(encoding.TextUnmarshaler); !word || node.Kind != yaml.ScalarNode {
				want, read = yaml.SequenceNode, d.decodeList
			}
		}
	}
	if node.Kind != want {
		d.problem(path, "must be %s, not %s", kinds[want], kinds[node.Kind])
		return
	}
	read(path, node, out)
}

func (d *document) decodeList(path string, node *yaml.Node, out reflect.Value) {
	out.SetZero()
	for i, content := range node.Content {
		value, at := reflect.New(out.Type().Elem()), itemAt(path, i)
		if account, ok := value.Interface().(*Account); ok {
			account.RateLimit = RateLimit{Burst: 75, Rate: 75, Interval: time.Minute}
			account.Timeout, account.PageConcurrency = 30*time.Second, 1
			account.HTTPClient = promconfig.DefaultHTTPClientConfig
			account.HTTPClient.FollowRedirects = false
		}
		d.lines[at] = content.Line
		d.decode(at, content, value.Elem())
		d.must(at, d.given(at), "is empty; fill it in or delete it")
		out.Set(reflect.Append(out, value.Elem()))
	}
}

// decodeMapping reads a struct with its keys, or a map of HTTP headers.
func (d *document) decodeMapping(path string, node *yaml.Node, out reflect.Value) {
	keys, first, isMap := keysOf(out), make(map[string]int), out.Kind() == reflect.Map
	if isMap {
		out.Set(reflect.MakeMap(out.Type()))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value, line := node.Content[i], node.Content[i+1], node.Content[i].Line
		at, before := keyAt(path, name.Value), first[name.Value]
		known := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value })
		if before == 0 {
			first[name.Value], d.lines[at] = line, line
		}
		switch {
		case before > 0:
			d.problemAt(line, at, "is a duplicate of line %d; keep one of them", before)
		case known >= 0:
			d.decode(at, value, keys[known].out)
		case isMap && httpguts.ValidHeaderFieldName(name.Value):
			entry := reflect.New(out.Type().Elem()).Elem()
			d.decode(at, value, entry)
			out.SetMapIndex(reflect.ValueOf(name.Value), entry)
		case isMap:
			d.problemAt(line, at, "is not the name of an HTTP header, which consists of letters, digits and -")
		case authorization.MatchString(name.Value):
			d.problemAt(line, at, "is not supported: the exporter uses the header Authorization itself, for the token of the account")
		default:
			known := ""
			for _, k := range keys {
				if k.name != "follow_redirects" { // It has no other value than false.
					known += ", " + k.name
				}
			}
			d.problemAt(line, at, "is not a known key (known: %s)", strings.TrimPrefix(known, ", "))
		}
	}
	for _, k := range keys {
		if at := keyAt(path, k.name); k.required != "" {
			d.must(at, d.given(at), "is missing; %s", k.required)
			d.must(at, !k.out.IsZero() && (k.out.Kind() != reflect.String || strings.TrimSpace(k.out.String()) != ""), "is empty; %s", k.required)
		}
	}
}

// isNull reports whether no value is written: nothing at all, or null.
func isNull(node *yaml.Node) bool { return node.Tag == "!!null" && node.Style&yaml.TaggedStyle == 0 }

var (
	variable    = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*\})?`)
	placeholder = regexp.MustCompile(`(^|//)<[^<>]*>`)
)

// decodeScalar reads a single value as it is written: a Client ID of digits is not a number. Variables are expanded here,
// after the YAML has been parsed, so that they can hold anything.
func (d *document) decodeScalar(path string, node *yaml.Node, out reflect.Value) {
	text := variable.ReplaceAllStringFunc(node.Value, func(found string) string {
		name := strings.Trim(found, "${}")
		value, set := os.LookupEnv(name)
		switch {
		case !d.expandEnv && name == "":
			return found
		case !d.expandEnv:
			d.problem(path, "has a ${NAME} that is not expanded; start with --config.expand-env, or write the value itself")
		case found == "$$":
			return "$"
		case name == "":
			d.problem(path, "has a ${ without NAME}; write ${NAME}, or $$ for a $")
		case !set:
			d.problemAt(d.line(path), path, "the environment has no variable %s; set it, or write $$ for a $", name)
		}
		return value
	})
	switch {
	case node.Style&yaml.TaggedStyle != 0:
		d.problem(path, "begins with !, which YAML reads as a tag; put quotes around the value")
	case placeholder.MatchString(node.Value):
		d.problem(path, "has a <placeholder>; replace it with your own value")
	case !d.failed[path]:
		if err := scan(text, out); err != nil {
			d.problem(path, "%s", err)
		}
	}
}

// scan reads a text into out. The error says what would be right.
func scan(text string, out reflect.Value) (err error) {
	var hint string
	trimmed := strings.TrimSpace(text)
	switch out := out.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return out.UnmarshalText([]byte(text))
	case *secret.Text:
		*out = secret.New(trimmed)
	case *promconfig.URL:
		return scan(text, reflect.ValueOf(&out.URL).Elem())
	case **url.URL:
		hint = "must be a URL, such as https://host.example.com"
		*out, err = url.Parse(trimmed)
	case *promconfig.TLSVersion:
		hint = "must be TLS10, TLS11, TLS12 or TLS13"
		var known bool
		if *out, known = promconfig.TLSVersions[trimmed]; !known {
			err = strconv.ErrSyntax
		}
	case *int:
		hint = "must be a whole number, written only with digits"
		*out, err = strconv.Atoi(trimmed)
	case *bool:
		hint = "must be true or false"
		if *out = strings.EqualFold(trimmed, "true"); !*out && !strings.EqualFold(trimmed, "false") {
			err = strconv.ErrSyntax
		}
	case *time.Duration:
		hint = "must be a duration, such as 30s, 1m or 1h30m"
		*(*model.Duration)(out), err = model.ParseDuration(trimmed)
	default:
		reflect.ValueOf(out).Elem().SetString(text)
	}
	if err != nil {
		return errors.New(hint)
	}
	return nil
}
