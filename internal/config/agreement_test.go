package config_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// with is a file that is right but for the value of one key, which is given by its path.
func with(t *testing.T, path string, value any) (content []byte) {
	t.Helper()
	account := object{"name": "main", "base_url": "https://ycm.example.com", "client_id": "demo-client-id", "client_secret": "x"}
	pbx := object{"url": "https://pbx.example.com", "client_id": "pbx-client-id", "client_secret": "y"}
	file := object{"accounts": []any{account}}
	at := file
	steps := strings.Split(path, ".")
	for i, step := range steps {
		name, isList := strings.CutSuffix(step, "[]")
		switch last := i == len(steps)-1; {
		case step == "":
		case last && isList:
			at[name] = []any{value}
		case last:
			at[name] = value
			if name == "client_secret_file" {
				delete(at, "client_secret")
			}
		case path == "accounts" || path == "accounts[]":
		case name == "accounts":
			at = account
		case name == "pbxs":
			account["pbxs"] = []any{pbx}
			at = pbx
		case isList:
			item := object{}
			for _, r := range required[strings.Join(steps[:i+1], ".")] {
				item[r] = "x"
			}
			at[name] = []any{item}
			at = item
		default:
			below, found := at[name].(object)
			if !found {
				below = object{}
				at[name] = below
			}
			at = below
		}
	}
	content, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// said is what loading says of a key, and of what is above and below it.
func said(t *testing.T, folder, path string, content []byte) (about []string) {
	t.Helper()
	_, err := config.Load(t.Context(), write(t, folder, string(content)), false)
	for _, p := range problemsOf(t, err) {
		field := strings.ReplaceAll(regexp.MustCompile(`\[\d+\]`).ReplaceAllString(p.Field, "[]"), "?", "NAME")
		if strings.HasPrefix(field, path) || strings.HasPrefix(path, field) {
			about = append(about, p.Message)
		}
	}
	return about
}

// wrongKind is what the exporter says of a value that cannot be one whatever it holds.
var wrongKind = regexp.MustCompile(`^must be (lines of|a list|a single|a whole number|a duration|true or false|between 1 and|TLS10|pbx, cluster|vendors, )|is not a known key|is not supported: |^is missing`)

// For each key and for values of every kind: what the exporter takes, the schema takes, and a value of the wrong kind neither.
func TestSchemaAndExporterAgree(t *testing.T) {
	schema, folder := compiled(t), t.TempDir()
	values := []any{
		nil, true, "false", 0, 1, 7, 9, -1, 2.5, "5", "text", "", "1m", "0", "90s", "1h30m", "soon", "TLS12", "pbx", "full", "https://a.example.com",
		"http://a.example.com", "http://127.0.0.1:1", "<yours>",
		[]any{},
		[]any{"pbx"},
		[]any{nil},
		[]any{object{}},
		object{},
		object{"no_such_key": 1},
	}
	allKeys(t).each(func(k *key) {
		if k.path == "" || strings.Contains(k.path, "NAME[]") {
			return
		}
		for _, value := range values {
			content := with(t, k.path, value)
			document, err := parsed(content)
			if err != nil {
				t.Fatal(err)
			}
			complaints, invalid := said(t, folder, k.path, content), schema.Validate(document)
			switch {
			case len(complaints) == 0 && invalid != nil:
				t.Errorf("%s: %#v is taken by the exporter, but not by the schema: %v", k.path, value, invalid)
			case slices.ContainsFunc(complaints, wrongKind.MatchString) && invalid == nil:
				t.Errorf("%s: %#v is taken by the schema, but not by the exporter: %q", k.path, value, complaints)
			}
		}
	})
}

// Each limit that the schema and the documentation have is the code's: what is just within it is taken, and what is just
// beyond it is not.
func TestLimitsAreTheCodes(t *testing.T) {
	beyond := map[any]any{1: 0, 8: 9, 1_000_000: 1_000_001, "1s": "999ms", "10m": "10m1s", "1d": "1d1s", "30d": "30d1s", "1y": "1y1s"}
	proved, folder := map[string]bool{}, t.TempDir()
	allKeys(t).each(func(k *key) {
		l := limitOf(k.path)
		proved[ofAnyCollector(k.path)] = true
		var taken, refused []any
		for _, edge := range []any{l.least, l.most} {
			if edge != nil {
				taken, refused = append(taken, edge), append(refused, beyond[edge])
			}
		}
		for _, word := range l.oneOf {
			taken, refused = append(taken, word), append(refused, word+"s")
		}
		complains := func(value any) bool {
			return slices.ContainsFunc(said(t, folder, k.path, with(t, k.path, value)), func(message string) bool { return strings.HasPrefix(message, "must be ") })
		}
		for _, value := range taken {
			if complains(value) {
				t.Errorf("%s: %v is within its limit, but refused", k.path, value)
			}
		}
		for _, value := range refused {
			if !complains(value) {
				t.Errorf("%s: %v is beyond its limit, but taken", k.path, value)
			}
		}
	})
	for path := range limits {
		if !proved[path] {
			t.Errorf("limits has %s, but there is no such key", path)
		}
	}
	for _, name := range refused {
		path := httpClient + name
		if about := said(t, folder, path, with(t, path, "x")); len(about) == 0 {
			t.Errorf("%s is taken, so it must be in the schema", path)
		}
	}
}
