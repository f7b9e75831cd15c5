package strictyaml

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("index out of range") }

func TestPanicOfTheParserBecomesAnError(t *testing.T) {
	document, err := decodeNode(yaml.NewDecoder(panickingReader{}))
	if document != nil || err == nil || !strings.Contains(err.Error(), "the YAML parser failed") {
		t.Errorf("got document %v and error %v, want an error that the parser failed", document, err)
	}
}
