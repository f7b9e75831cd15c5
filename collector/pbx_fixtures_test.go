package collector

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// fixturePBX answers for the fixtures' PBXs as YCM's proxy does: one tells all, one refuses everything, and the
// others cannot be reached. What the first has no file for it refuses too.
func fixturePBX(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	pbx := func(parts ...string) string { return filepath.Join(append([]string{"testdata", "pbx"}, parts...)...) }
	file := pbx("not_served.json")
	switch sn := r.PathValue("sn"); sn {
	case "3658B431119XXXXX":
		q := r.URL.Query()
		words := []string{strings.ReplaceAll(r.PathValue("path"), "/", "_")}
		if q.Has("menu") {
			words = []string{q.Get("menu"), q.Get("vendor"), q.Get("model")}
		}
		words = strings.FieldsFunc(strings.Join(words, "."), func(c rune) bool { return c == '.' })
		file = pbx(sn, strings.Join(words, ".")+".json")
		if _, err := os.Stat(file); err != nil {
			file = pbx("refused.json")
		}
	case "3658B431121XXXXX":
		file = pbx("refused.json")
	}
	http.ServeFile(w, r, file)
}
