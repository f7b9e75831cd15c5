package capture

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// A field that a client reads must be in a capture, or a bug report does not show what the client made of it.
func TestCapturesKeepEveryFieldThatTheClientsRead(t *testing.T) {
	t.Parallel()
	kept := newScrubber([]map[string]bool{ycmclient.RecordFields(), pbxclient.RecordFields()}).fields
	found := 0
	for _, dir := range []string{"../../ycmclient", "../pbxclient"} {
		files, _ := filepath.Glob(dir + "/*.go")
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok && s.Name.Name == "WalkState" { // It is stored, not received.
					return false
				}
				field, ok := n.(*ast.Field)
				if !ok || field.Tag == nil {
					return true
				}
				tag, _ := strconv.Unquote(field.Tag.Value)
				names, _, _ := strings.Cut(cmp.Or(reflect.StructTag(tag).Get("json"), reflect.StructTag(tag).Get("api")), ",")
				for name := range strings.SplitSeq(names, ".") {
					if name == "" || strings.HasSuffix(name, "_") { // A prefix.
						continue
					}
					found++
					if _, ok := kept[strings.ToLower(name)]; !ok {
						t.Errorf("captures leave out the field %s: add its struct to RecordFields of %s", name, dir)
					}
				}
				return true
			})
		}
	}
	if found < 50 {
		t.Errorf("found %d fields, want those of all endpoints", found)
	}
}
