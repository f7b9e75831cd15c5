package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
)

// Each link within the repository leads to a file that is there, and to a heading of it.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Fatal("listing the pages of the checkout: ", err)
	}
	followed := 0
	for page := range strings.Lines(string(out)) {
		page = strings.TrimSpace(page)
		for _, found := range link.FindAllStringSubmatch(read(t, page), -1) {
			file, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(file, ":") {
				continue // It leads out of the repository.
			}
			followed++
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			} else if anchor != "" && !headings(read(t, target))[anchor] {
				t.Errorf("%s links to %s: no heading of %s has this anchor", page, found[1], target)
			}
		}
	}
	if followed < 50 {
		t.Errorf("%d links were followed, want all of the documentation", followed)
	}
}

// headings are the anchors that a page has, made as GitHub does.
func headings(page string) map[string]bool {
	anchors := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		anchors[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, found[1])] = true
	}
	return anchors
}

// read returns a page without what is quoted in it.
func read(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(content), "")
}
