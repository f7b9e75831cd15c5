package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parse returns the top of the content's one YAML document, or reports why it cannot and returns nil.
func (f *File) parse(content []byte) *yaml.Node {
	f.lines[""] = 1
	text := &byteReader{content: content}
	decoder := yaml.NewDecoder(text)
	first, err := decodeNode(decoder)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		f.reportSyntax(err, text)
		return nil
	case err != nil || empty(first.Content[0]):
		f.Problem("", "the file is empty; %s", f.options.Empty)
		return nil
	}
	if second, err := decodeNode(decoder); err == nil {
		f.report("", second.Line, "a second YAML document begins here; keep one, without --- between its lines")
	} else if !errors.Is(err, io.EOF) {
		f.reportSyntax(err, text)
	}
	return first.Content[0]
}

// decodeNode reads one document. Versions of the library have panicked on malformed files, and a reload must not be able to
// end the process, so a panic becomes an error here.
func decodeNode(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			document, err = nil, fmt.Errorf("the YAML parser failed: %v", reason)
		}
	}()
	document = new(yaml.Node)
	if err := decoder.Decode(document); err != nil {
		return nil, err
	}
	return document, nil
}

// byteReader hands out a byte at a time, so that it knows where the parser stopped.
type byteReader struct {
	content []byte
	read    int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.read == len(r.content) {
		return 0, io.EOF
	}
	n := copy(p[:1], r.content[r.read:])
	r.read += n
	return n, nil
}

// lineOf is the line of the byte at an offset.
func (r *byteReader) lineOf(at int) int { return 1 + bytes.Count(r.content[:at], []byte("\n")) }

// syntaxErrors says in plain words what the library's errors mean. The library's own words are never shown: some of them
// quote the file ("unknown anchor 'the secret' referenced").
var syntaxErrors = []struct{ library, message string }{
	{"unknown anchor", "a value that begins with * is taken for an alias, but there is no such anchor; put quotes around the value"},
	{"tab character", "a tab indents this line; indent with spaces"},
	{"end of stream", "a quotation mark is opened here and never closed"},
	{"document indicator", "a quotation mark is opened here and never closed"},
	{"start any token", "a value begins with a character that YAML keeps for itself, such as @, % or `; put quotes around the value"},
	{"expected ':'", "a key without a colon and a space behind it; write key: value"},
	{"mapping values are not allowed", "a colon and a space within a value, or a line indented too far; " +
		"put quotes around the value, or indent the line like its neighbours"},
	{"',' or", "a { or [ is opened here and not closed, or something in it needs quotes"},
	{"'-' indicator", "the line is indented differently from the ones it belongs to; indent it like them"},
	{"expected key", "the line is indented differently from the ones it belongs to; indent it like them"},
	{"escape", "a backslash within double quotes begins an escape that YAML does not know; use single quotes"},
	{"hexdecimal", "a backslash within double quotes begins an escape that YAML does not know; use single quotes"},
	{"tag", "a value that begins with ! is taken for a tag; put quotes around the value"},
	{"'!'", "a value that begins with ! is taken for a tag; put quotes around the value"},
	{"control characters", "the file has control characters; save it as plain UTF-8 text"},
	{"UTF-", "the file has bytes that are not UTF-8; save it as plain UTF-8 text"},
	{"", "this is not valid YAML; look for a missing colon, quotation mark or space here and in the line above"},
}

var (
	syntaxError   = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
	tabError      = regexp.MustCompile(`tab character|start any token`)
	leadingTab    = regexp.MustCompile(`(?m)^[ ?-]*\t`)
)

// reportSyntax tells of an error of the YAML library, which stopped after what has been read of text.
func (f *File) reportSyntax(err error, text *byteReader) {
	// The library tells the line where the construct begins, or none. For lines that do not belong together the
	// construct is the whole list or mapping, so where it stopped is the better place.
	line, says := text.lineOf(max(text.read-1, 0)), err.Error()
	if found := syntaxError.FindStringSubmatch(says); found != nil && found[1] != "" {
		switch begin, _ := strconv.Atoi(found[1]); {
		case strings.Contains(says, "',' or"):
			line = begin + 1 // It counts these from 0.
		case !strings.Contains(says, "'-' indicator") && !strings.Contains(says, "expected key"):
			line = begin
		}
	}
	if found := unknownAnchor.FindStringSubmatch(says); found != nil {
		if at := bytes.Index(text.content, []byte("*"+found[1])); at >= 0 {
			line = text.lineOf(at)
		}
	}
	// A tab that begins a line or an item is a character that cannot start anything, or the library tells a line before it.
	if tabs := leadingTab.FindAllIndex(text.content[:text.read], -1); tabs != nil && tabError.MatchString(says) {
		if last := text.lineOf(tabs[len(tabs)-1][0]); last >= line {
			line, says = last, "tab character"
		}
	}
	for _, known := range syntaxErrors {
		if strings.Contains(says, known.library) {
			f.report("", line, "%s", known.message)
			return
		}
	}
}
