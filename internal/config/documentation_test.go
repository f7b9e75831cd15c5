package config_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const documentation = "../../docs/configuration.md"

// The documentation has tables of keys, which are the code's but for the last column, what a key means: that is written there
// and nowhere else, and goes into the schema from there. What a collector requests is in the example, above its name.
var keyTable = regexp.MustCompile(`(?s)(<!-- keys of (\S+): [^\n]*-->\n)(.*?)(<!-- end of keys -->)`)

// documented is what each key means, by its path.
func documented(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	meaning := map[string]string{}
	for _, table := range keyTable.FindAllStringSubmatch(string(content), -1) {
		for row := range strings.Lines(table[3]) {
			cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
			if len(cells) < 4 {
				continue
			}
			path := strings.TrimPrefix(table[2]+"."+strings.Trim(cells[1], " `"), "file.")
			meaning[path] = strings.ReplaceAll(strings.TrimSpace(cells[len(cells)-2]), "\x00", `\|`)
		}
	}
	return meaning
}

// costsOf is what the example says of each collector.
func costsOf(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../../config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Collectors yaml.Node }
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for i := 0; i+1 < len(file.Collectors.Content); i += 2 {
		key := file.Collectors.Content[i]
		said[key.Value] = strings.Join(strings.Fields(strings.ReplaceAll(key.HeadComment, "# ", "")), " ")
	}
	return said
}

func TestDocumentationHasEveryKey(t *testing.T) {
	content, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for _, table := range keyTable.FindAllStringSubmatch(string(content), -1) {
		tables = append(tables, table[2])
	}
	meaning, costs := documented(t), costsOf(t)
	rows := map[string][]string{}
	allKeys(t).each(func(k *key) {
		table, row := tableOf(k, tables)
		path := ofAnyCollector(k.path)
		if row == "" || slices.ContainsFunc(rows[table], func(r string) bool { return strings.HasPrefix(r, row) }) {
			return
		}
		if table == "collectors" {
			name := k.path[len("collectors."):]
			if costs[name] == "" {
				t.Errorf("config.example.yml does not say, above the key %s, what the collector requests and what that costs", name)
			}
			rows[table] = append(rows[table], row+" "+costs[name]+" |\n")
			return
		}
		if meaning[path] == "" {
			t.Errorf("%s does not say what %s means: add it with go test ./internal/config -update, and then write what it means", documentation, path)
		}
		rows[table] = append(rows[table], row+" "+meaning[path]+" |\n")
	})
	want := keyTable.ReplaceAllStringFunc(string(content), func(written string) string {
		parts := keyTable.FindStringSubmatch(written)
		head := "| key | type | default | meaning |\n|---|---|---|---|\n"
		if parts[2] == "collectors" {
			head = "| collector | enabled | interval | stale_after | what it requests, and what that costs |\n|---|---|---|---|---|\n"
		}
		return parts[1] + head + strings.Join(rows[parts[2]], "") + parts[4]
	})
	if *update {
		if err := os.WriteFile(documentation, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(content)); diff != "" {
		t.Errorf("%s is not of the settings (-code +file); write it with go test ./internal/config -update:\n%s", documentation, diff)
	}
}

// tableOf finds the table that has a key, and what its row says before the meaning; that is empty where a key has no row.
func tableOf(k *key, tables []string) (table, row string) {
	if strings.HasPrefix(k.path, "collectors.") && strings.Count(k.path, ".") == 1 {
		of := map[string]any{}
		for _, b := range k.below {
			of[b.path[len(k.path)+1:]] = b.value
		}
		return "collectors", fmt.Sprintf("| `%s` | `%v` | `%v` | `%v` |", k.path[len("collectors."):], of["enabled"], of["interval"], of["stale_after"])
	}
	switch {
	case k.kind == mapping, strings.HasSuffix(k.path, "[]"), strings.HasSuffix(k.path, ".NAME"):
		return "", ""
	case (k.kind == list || k.kind == headers) && k.below[0].kind == mapping && limitOf(k.path).oneOf == nil:
		return "", ""
	}
	path := ofAnyCollector(k.path)
	table = "file"
	for _, t := range tables {
		if strings.HasPrefix(path, t+".") && (table == "file" || len(t) > len(table)) && t != "collectors" {
			table = t
		}
	}
	name := strings.TrimPrefix(path, table+".")
	return table, fmt.Sprintf("| `%s` | %s | %s |", name, typeOf(k), defaultOf(k, path))
}

func typeOf(k *key) string {
	l := limitOf(k.path)
	switch {
	case k.kind == list && l.oneOf != nil:
		return "list, or `" + strings.Join(l.oneOf, "`, `") + "`"
	case k.kind == list:
		return "list of: " + typeOf(k.below[0])
	case k.kind == headers:
		return "map: header name to " + typeOf(k.below[0])
	case l.oneOf != nil:
		return "`" + strings.Join(l.oneOf, "`, `") + "`"
	case l.least != nil:
		return fmt.Sprintf("%s, %v to %v", k.kind, l.least, l.most)
	}
	return string(k.kind)
}

func defaultOf(k *key, path string) string {
	above, name := path[:max(strings.LastIndex(path, "."), 0)], path[strings.LastIndex(path, ".")+1:]
	switch {
	case slices.Contains(required[above], name):
		return "required"
	case strings.HasPrefix(name, "client_secret"):
		return "one of the two is required"
	case above == "collectors.NAME":
		return "see table above"
	case k.value == nil:
		return "none"
	}
	return fmt.Sprintf("`%v`", k.value)
}
