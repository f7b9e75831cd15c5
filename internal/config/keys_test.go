package config_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
)

// key is something that can be written into config.yml, as the code has it: a value, a list or a mapping of keys.
type key struct {
	path  string // such as accounts[].rate_limit.burst, where [] is each item of a list
	kind  kind
	value any // what holds where nothing is written; nil if there is no default
	below []*key
}

type kind string

const (
	text     kind = "text"
	file     kind = "file name"
	hidden   kind = "secret"
	address  kind = "URL"
	number   kind = "whole number"
	truth    kind = "true or false"
	duration kind = "duration"
	list     kind = "list"     // below has the item
	headers  kind = "headers"  // below has what each of any name may hold
	mapping  kind = "settings" // below has the keys
)

// refused are the keys that settings of prometheus/common have, and that are an error here.
var refused = []string{
	"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file", "follow_redirects",
	"tls_config.ca_ref", "tls_config.cert_ref", "tls_config.key_ref",
}

const httpClient = "accounts[].http_client."

// allKeys is what can be written into a whole file, with what a file has where nothing is written.
func allKeys(t *testing.T) *key {
	t.Helper()
	cfg := load(t, "testdata/good/minimal.yml", false)
	// What has no default is not one because the smallest file must have it.
	a := &cfg.Accounts[0]
	a.Name, a.BaseURL, a.Credentials = "", nil, config.Credentials{}
	return keyOf(t, "", reflect.ValueOf(cfg).Elem())
}

func keyOf(t *testing.T, path string, v reflect.Value) *key {
	t.Helper()
	k := &key{path: path}
	if v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct && v.Type() != reflect.TypeFor[*url.URL]() {
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		v = v.Elem()
	}
	switch special := v.Interface().(type) {
	case secret.Text, promconfig.Secret:
		k.kind = hidden
		return k
	case *url.URL, promconfig.URL:
		k.kind = address
		return k
	case promconfig.TLSVersion:
		k.kind = text
		return k
	case time.Duration:
		k.kind, k.value = duration, model.Duration(v.Int()).String()
		return k
	case config.Collectors:
		k.kind = mapping
		for _, c := range special {
			at := path + "." + c.Name
			one := &key{path: at, kind: mapping, below: fieldsOf(t, at, reflect.ValueOf(c.Schedule))}
			one.below = append(one.below, fieldsOf(t, at, reflect.ValueOf(c.Settings))...)
			k.below = append(k.below, one)
		}
		return k
	case promconfig.Headers: // Nothing but an inlined map.
		v = v.Field(0)
	}
	switch v.Kind() {
	case reflect.Int:
		k.kind, k.value = number, v.Int()
	case reflect.Bool:
		k.kind, k.value = truth, v.Bool()
	case reflect.String:
		if k.kind = text; strings.HasSuffix(path, "_file") || strings.HasSuffix(path, ".files[]") {
			k.kind = file
		}
		if v.Len() > 0 {
			k.value = v.String()
		}
	case reflect.Slice:
		k.kind, k.below = list, []*key{keyOf(t, path+"[]", reflect.New(v.Type().Elem()).Elem())}
		if v.Len() > 0 && k.below[0].kind == text {
			k.value = v.Interface()
		}
		if path == "accounts" {
			k.below[0] = keyOf(t, path+"[]", v.Index(0))
		}
	case reflect.Map:
		k.kind, k.below = headers, []*key{keyOf(t, path+".NAME", reflect.New(v.Type().Elem()).Elem())}
	case reflect.Struct:
		k.kind, k.below = mapping, fieldsOf(t, path, v)
	default:
		t.Fatalf("%s is read into a %s: teach keyOf what can be written there", path, v.Type())
	}
	return k
}

func fieldsOf(t *testing.T, path string, v reflect.Value) (below []*key) {
	t.Helper()
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	for i := 0; v.Kind() == reflect.Struct && i < v.NumField(); i++ {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		at := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case option == "inline":
			below = append(below, fieldsOf(t, path, v.Field(i))...)
		case name != "" && !isRefused(at):
			below = append(below, keyOf(t, at, v.Field(i)))
		}
	}
	return below
}

func isRefused(path string) bool {
	for _, r := range refused {
		if path == httpClient+r {
			return true
		}
	}
	return false
}

// each visits a key and all that is below it.
func (k *key) each(visit func(*key)) {
	visit(k)
	for _, b := range k.below {
		b.each(visit)
	}
}

// limit is what a value must keep to besides its kind.
type limit struct {
	least, most any      // of a number or a duration
	oneOf       []string // of a text; of a list, the words that can be written in its place
	pattern     string   // of a text or a URL
	unique      bool     // of a list's items
}

// httpsOrLoopback is what checkURL requires of a scheme.
const httpsOrLoopback = `^\s*([Hh][Tt][Tt][Pp][Ss]://[^/?#]|[Hh][Tt][Tt][Pp]://(127\.|[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|\[::1\]))`

// limits are those of the keys. That they are the code's is proved at each of them; see TestLimitsAreTheCodes.
var limits = map[string]limit{
	"accounts[].name":                     {pattern: `^[a-zA-Z0-9_.-]{1,128}$`},
	"accounts[].base_url":                 {pattern: httpsOrLoopback},
	"accounts[].pbxs[].url":               {pattern: httpsOrLoopback},
	httpClient + "proxy_url":              {pattern: `^\s*([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss]5[Hh]?)://[^/?#]`},
	"accounts[].rate_limit.burst":         {least: 1, most: 1_000_000},
	"accounts[].rate_limit.rate":          {least: 1, most: 1_000_000},
	"accounts[].rate_limit.interval":      {least: "1s", most: "1d"},
	"accounts[].timeout":                  {least: "1s", most: "10m"},
	"accounts[].page_concurrency":         {least: 1, most: 8},
	httpClient + "tls_config.min_version": {oneOf: []string{"TLS10", "TLS11", "TLS12", "TLS13"}},
	httpClient + "tls_config.max_version": {oneOf: []string{"TLS10", "TLS11", "TLS12", "TLS13"}},
	"collectors.NAME.interval":            {least: "1s", most: "30d"},
	"collectors.NAME.stale_after":         {least: "1s", most: "1y"},
	"collectors.firmware.types":           {unique: true},
	"collectors.firmware.types[]":         {oneOf: []string{"pbx", "cluster", "cm"}},
	"collectors.autoprovisioning.depth":   {oneOf: []string{"vendors", "models", "full"}},

	"collectors.autoprovisioning.required_phones": {oneOf: []string{"in_use"}},
}

// required are the keys that a mapping must have.
var required = map[string][]string{
	"":                  {"accounts"},
	"accounts[]":        {"name", "base_url", "client_id"},
	"accounts[].pbxs[]": {"url", "client_id"},
	"collectors.autoprovisioning.required_phones[]": {"vendor", "model"},
}

// limitOf finds the limit of a key; each collector has the same for its schedule.
func limitOf(path string) limit {
	if l, ok := limits[path]; ok {
		return l
	}
	return limits[ofAnyCollector(path)]
}

// ofAnyCollector is the path of a collector's schedule without its name, and any other path as it is.
func ofAnyCollector(path string) string {
	if rest, found := strings.CutPrefix(path, "collectors."); found {
		if _, key, below := strings.Cut(rest, "."); below && (key == "enabled" || key == "interval" || key == "stale_after") {
			return fmt.Sprintf("collectors.NAME.%s", key)
		}
	}
	return path
}
