package config

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

// parse makes the file's one YAML document of its content and returns its top. The top has nothing to read when the file
// could not be parsed, which has been reported then.
func (d *document) parse() place {
	top := place{doc: d, line: 1}
	content, ok := d.read()
	if !ok {
		return top
	}
	text := &byteReader{content: content}
	decoder := yaml.NewDecoder(text)

	first, err := decodeNode(decoder)
	if err != nil && !errors.Is(err, io.EOF) {
		d.reportSyntax(err, text)
		return top
	}
	if first != nil {
		top.node = first.Content[0]
	}
	if !top.given() {
		top.problem("the file is empty; write accounts: and at least one account below it")
		return top
	}

	second, err := decodeNode(decoder)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.reportSyntax(err, text)
	default:
		place{doc: d, line: second.Line}.problem("a second YAML document begins here; keep one, without --- between its lines")
	}
	return top
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

// line is the line of the last byte that was read.
func (r *byteReader) line() int {
	return 1 + bytes.Count(r.content[:max(r.read-1, 0)], []byte("\n"))
}

// syntaxErrors says in plain words what the library's errors mean. The library's own words are never shown: some of them
// quote the file ("unknown anchor 'the secret' referenced").
var syntaxErrors = []struct{ library, message string }{
	{"unknown anchor", "a value that begins with * is taken for an alias, but there is no such anchor; put quotes around the value"},
	{"tab character", "a tab indents this line or one below it; indent with spaces"},
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
)

// reportSyntax tells of an error of the YAML library, which stopped after what has been read of text.
func (d *document) reportSyntax(err error, text *byteReader) {
	// The library tells the line where the construct begins, or none. For lines that do not belong together the
	// construct is the whole list or mapping, so where it stopped is the better place.
	line, says := text.line(), err.Error()
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
			line = 1 + bytes.Count(text.content[:at], []byte("\n"))
		}
	}
	for _, known := range syntaxErrors {
		if strings.Contains(says, known.library) {
			place{doc: d, line: line}.problem("%s", known.message)
			return
		}
	}
}
