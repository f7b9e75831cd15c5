package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const schemaFile = "../../config.schema.json"

// object is a JSON object.
type object = map[string]any

// A value may be written as text, too, and stand in a variable of the environment.
const variable = `\$\{[A-Za-z_][A-Za-z0-9_]*\}`

// texts says what the text looks like that a value of each kind can be written as.
var texts = map[kind]string{
	number:   `^\s*[+]?0*[1-9][0-9]*\s*$`,
	truth:    `^\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\s*$`,
	duration: `^\s*([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?\s*$`,
}

// schemaOf is the JSON schema of what can be written for a key. meaning has what each key is for.
func schemaOf(k *key, meaning map[string]string) object {
	s, l := object{}, limitOf(k.path)
	may := func(types ...any) { s["type"] = append(types, "null") }
	pattern := texts[k.kind]
	if l.pattern != "" {
		pattern = l.pattern
	}
	switch k.kind {
	case mapping:
		properties := object{}
		for _, b := range k.below {
			properties[b.path[strings.LastIndex(b.path, ".")+1:]] = schemaOf(b, meaning)
		}
		may("object")
		s["properties"], s["additionalProperties"] = properties, false
		if names := required[k.path]; names != nil {
			s["required"] = names
			for _, name := range names {
				p := properties[name].(object)
				types := p["type"].([]any)
				p["type"], p["minLength"] = types[:len(types)-1], 1 // null is as good as nothing.
			}
		}
		if properties["client_secret"] != nil {
			for _, name := range []string{"client_secret", "client_secret_file"} {
				properties[name].(object)["minLength"] = 1
			}
			s["oneOf"] = []object{given("client_secret"), given("client_secret_file")}
		}
	case list:
		if may("array"); l.oneOf != nil {
			may("array", "string")
		}
		item := schemaOf(k.below[0], meaning)
		types := item["type"].([]any)
		item["type"] = types[:len(types)-1]
		s["items"] = item
		if l.unique || k.path == "accounts" {
			s["minItems"], s["uniqueItems"] = 1, l.unique
		}
	case headers:
		may("object")
		s["additionalProperties"] = schemaOf(k.below[0], meaning)
	case number:
		may("integer", "string")
		s["minimum"], s["maximum"] = l.least, l.most
	case truth:
		may("boolean", "string")
	case duration:
		may("string")
		s["minLength"] = len("1s")
	default:
		may("string", "number", "boolean")
		if strings.HasSuffix(k.path, ".client_id") || strings.HasSuffix(k.path, ".client_secret") {
			s["type"] = []any{"string", "null"} // A number would be rounded.
		}
		s["not"] = object{"type": "string", "pattern": `(^|//)<[^<>]*>`} // It is a placeholder of the example.
	}
	if l.oneOf != nil {
		words := []any{nil}
		for _, word := range l.oneOf {
			words = append(words, word)
		}
		s["anyOf"] = []object{{"enum": words}, {"type": "string", "pattern": variable}}
		if k.kind == list {
			s["anyOf"] = append(s["anyOf"].([]object), object{"type": "array"})
		}
	}
	if pattern != "" {
		s["pattern"] = pattern + "|" + variable
	}
	if k.value != nil {
		s["default"] = k.value
	}
	if m := meaning[ofAnyCollector(k.path)]; m != "" {
		s["description"] = m
	}
	return s
}

// given holds where a key has a value.
func given(name string) object {
	return object{"required": []string{name}, "properties": object{name: object{"not": object{"type": "null"}}}}
}

// markup is what a description does not have of the documentation's words.
var markup = strings.NewReplacer("`", "", "**", "", `\|`, "|")

var link = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)

func writtenSchema(t *testing.T) []byte {
	t.Helper()
	meaning := map[string]string{}
	for path, m := range documented(t) {
		meaning[path] = markup.Replace(link.ReplaceAllString(m, "$1"))
	}
	s := schemaOf(allKeys(t), meaning)
	s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", "Configuration of ycm_exporter"
	s["type"] = "object"
	out := &bytes.Buffer{}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Editors complete and check config.yml by the schema, so that it must be of the settings that there are.
func TestSchemaIsOfTheSettings(t *testing.T) {
	want := writtenSchema(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not of the settings (-code +file); write it with go test ./internal/config -update:\n%s", schemaFile, diff)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(writtenSchema(t)))
	if err == nil {
		err = compiler.AddResource("schema", document)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// parsed is a YAML file as an editor hands it to a schema: with texts for keys, and no types but those of JSON.
func parsed(content []byte) (any, error) {
	var document any
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	written, err := json.Marshal(plain(document))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(written))
}

func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
		return v
	case map[any]any:
		all := object{}
		for name, value := range v {
			all[fmt.Sprint(name)] = plain(value)
		}
		return all
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func TestGoodFilesKeepToTheSchema(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("testdata/good/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no good files: %v", err)
	}
	for _, file := range append(files, "../../docs/examples/two-accounts.yml", "../../docs/examples/self-hosted.yml", "../../docs/examples/direct-pbxs.yml") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, err := parsed(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s is a good file, but not by the schema: %v", file, err)
		}
	}
}

// The example names its schema, and an editor marks in it just what must be changed.
func TestExampleNamesTheSchema(t *testing.T) {
	_, content := example(t)
	if !strings.HasPrefix(content, "# yaml-language-server: $schema="+filepath.Base(schemaFile)+"\n") {
		t.Errorf("the example does not begin with a line with which editors find where %s is", filepath.Base(schemaFile))
	}
	schema := compiled(t)
	for _, placeholder := range append(slices.Sorted(maps.Keys(placeholders)), "") {
		document, err := parsed([]byte(replaceAll(content, placeholder)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); (err == nil) != (placeholder == "") {
			t.Errorf("with the placeholder %q left in the example, the schema says: %v", placeholder, err)
		}
	}
}

// onlyLoaded are the bad files that a schema cannot distinguish from good ones: what is wrong with them is between two values, or in
// the world.
var onlyLoaded = []string{
	"alias", "client_twice", "default_rate_above_burst", "env_not_expanded", "expand_env_types",
	"expand_env_unset", "http_client_headers", "http_client_proxy", "http_client_proxy_not_a_url", "http_client_tls_content", "http_client_tls_files",
	"http_client_tls_key", "http_client_tls_lone_key", "http_client_tls_pair", "http_client_tls_versions",
	"pbxs_paths", "rate_above_burst", "rate_above_default_burst", "required_phones", "required_phones_unseen", "second_document_broken", "secret_file_empty", "secret_file_is_a_folder",
	"secret_file_missing", "secret_file_missing_folder", "secret_files_invisible", "stale_after_below_default_interval",
	"syntax_tag", "two_documents", "url_of_the_api",
}

func TestBadFilesDoNotKeepToTheSchema(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	var passed []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if document, err := parsed(content); err == nil && schema.Validate(document) == nil {
			passed = append(passed, strings.TrimSuffix(filepath.Base(file), ".yml"))
		}
	}
	if diff := cmp.Diff(onlyLoaded, passed); diff != "" {
		t.Errorf("the bad files that the schema takes are not those that only the exporter can recognise (-want +got):\n%s", diff)
	}
}
