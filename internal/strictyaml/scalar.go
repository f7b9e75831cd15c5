package strictyaml

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// decodeScalar reads a single value as it is written: a Client ID of digits is no number.
func (f *File) decodeScalar(path string, node *yaml.Node, out reflect.Value) {
	if text, ok := f.text(path, node); ok {
		if want, ok := f.options.Scan(text, out.Addr().Interface()); !ok {
			f.Problem(path, "%s", want)
		}
	}
}

// decodeWord reads a single value that stands for a whole list.
func (f *File) decodeWord(path string, node *yaml.Node, out encoding.TextUnmarshaler) {
	if text, ok := f.text(path, node); ok {
		if err := out.UnmarshalText([]byte(text)); err != nil {
			f.Problem(path, "%s", err)
		}
	}
}

// text is a single value as it is meant; if it is not ok, its problems are reported.
func (f *File) text(path string, node *yaml.Node) (text string, ok bool) {
	if node.Style&yaml.TaggedStyle != 0 {
		f.Problem(path, "begins with !, which YAML takes for a tag; put quotes around the value")
		return "", false
	}
	text, problems := f.options.Text(node.Value)
	for _, problem := range problems {
		f.Problem(path, "%s", problem)
	}
	return text, len(problems) == 0
}

// Scan reads a text into what out points to, or says what would be right.
func Scan(text string, out any) (want string, ok bool) {
	var err error
	if value := reflect.ValueOf(out).Elem(); value.Kind() == reflect.String {
		value.SetString(text)
		return "", true
	}
	text = strings.TrimSpace(text)
	switch out := out.(type) {
	case *int:
		*out, err = strconv.Atoi(text)
		return "must be a whole number, written with digits alone", err == nil
	case *bool:
		*out, ok = strings.EqualFold(text, "true"), strings.EqualFold(text, "false")
		return "must be true or false", *out || ok
	case *time.Duration:
		var d model.Duration
		d, err = model.ParseDuration(text)
		*out = time.Duration(d)
		return "must be a duration, such as 30s, 1m or 1h30m", err == nil
	}
	return "cannot be set here; leave it out", false
}
