package yeastar_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestTextsAreFitForLabels(t *testing.T) {
	for wire, want := range map[string]string{
		`"Harbour Dental"`:                   "Harbour Dental",
		`" kept "`:                           " kept ",
		`"\n\tQuay\r\n"`:                     "Quay",
		`"a\u001b[31m\nb\u0000"`:             "a\ufffd[31m\ufffdb\ufffd",
		`"\u007f\u0085\u009f\u00a0"`:         "\ufffd\ufffd\ufffd\u00a0",
		"\"raw \u0085 C1\"":                  "raw \ufffd C1",
		`"Zwölf é 診療所 👩‍⚕️"`:                 "Zwölf é 診療所 👩‍⚕️",
		`"\ud800x"`:                          "\ufffdx",
		"\"\xff\"":                           "\ufffd",
		`42`:                                 "42",
		`1.50`:                               "1.50",
		`true`:                               "true",
		`null`:                               "",
		`{"a":1}`:                            "",
		`"` + strings.Repeat("é", 600) + `"`: strings.Repeat("é", 500),
		`"` + strings.Repeat(`\u0001`, 900) + `"`:                            strings.Repeat("\ufffd", 333),
		`"x` + strings.Repeat("é", 600) + `"`:                                "x" + strings.Repeat("é", 499),
		`"a\u202ab\u202bc\u202cd\u202de\u202ef\u2066g\u2067h\u2068i\u2069j"`: "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg\ufffdh\ufffdi\ufffdj",
		`"\u2029\u202f\u2065\u206a – “a” €"`:                                 "\u2029\u202f\u2065\u206a – “a” €",
	} {
		if text, ok := yeastar.TextOf([]byte(wire)); text != want || ok != (wire[0] != '{') {
			t.Errorf("%s: got %q, readable: %v, want %q", wire, text, ok, want)
		}
	}
}

func TestSerialNumbersThatMayStandInAPath(t *testing.T) {
	for sn, want := range map[string]bool{
		"3658B4311190001": true, "a-b_C": true, "": false, "..": false, "a/b": false, "a?b": false, "a%2fb": false, "a b": false,
		"é": false, "a\n": false, strings.Repeat("1", 64): true, strings.Repeat("1", 65): false,
	} {
		if got := yeastar.IsSerialNumber(sn); got != want {
			t.Errorf("%q: got %v, want %v", sn, got, want)
		}
	}
}

func TestListsAreBoundedAndNeverFail(t *testing.T) {
	type item struct {
		ID yeastar.Number `json:"id"`
	}
	for _, c := range []struct {
		wire                     string
		items                    int
		absent, more, unreadable bool
		problem                  string
	}{
		{`[{"id":1},{"id":2}]`, 2, false, false, false, ""},
		{`[]`, 0, false, false, false, ""},
		{`[7,null,"x",[],{"id":[]}]`, 5, false, false, false, ""},
		{`{"id":1}`, 1, false, false, false, "the response has no list where one was expected"},
		{`null`, 0, true, false, false, "the response has no data"},
		{`""`, 0, true, false, false, "the response has no data"},
		{`"x"`, 0, false, false, true, "the response has no list where one was expected"},
		{`true`, 0, false, false, true, "the response has no list where one was expected"},
		{`[` + strings.Repeat(`0,`, yeastar.MaxItems-1) + `0]`, yeastar.MaxItems, false, false, false, ""},
		{`[` + strings.Repeat(`0,`, yeastar.MaxItems) + `0]`, yeastar.MaxItems, false, true, false, "the list of the response has more than 5000 items"},
	} {
		var l yeastar.List[item]
		err := json.Unmarshal([]byte(c.wire), &l)
		if err != nil || len(l.Items) != c.items || l.Absent() != c.absent || l.More != c.more || l.Unreadable() != c.unreadable || l.Problem() != c.problem {
			t.Errorf("%.40s: got %d items, absent %v, more %v, unreadable %v, %q and error %v; want %+v",
				c.wire, len(l.Items), l.Absent(), l.More, l.Unreadable(), l.Problem(), err, c)
		}
	}
}

// The vendor's products report failures in these forms, and its pages do not say which is YCM's.
func TestFailuresAreReadInEveryForm(t *testing.T) {
	for body, want := range map[string]struct {
		code    int
		message string
		class   yeastar.Class
	}{
		`{"code":1000042,"msg":"NO"}`:                                        {1000042, "NO", yeastar.Denied},
		`{"errcode":"-1","errmsg":"NO"}`:                                     {-1, "NO", yeastar.Server},
		`{"status":"Failed","errno":"10003"}`:                                {10003, "", yeastar.NotFound},
		`{"status":"Failed","errorCode":7,"detail":"NO"}`:                    {7, "NO", yeastar.Invalid},
		`{"status":"Failed","errors":[{"code":"1000040","message":"NO"},1]}`: {1000040, "NO", yeastar.RateLimited},
		`{"status":"Failed","errors":{"errorCode":1000040}}`:                 {1000040, "", yeastar.RateLimited},
		`{"error":"invalid_client","error_description":"NO"}`:                {0, "invalid_client: NO", yeastar.Auth},
		`{"error":{"code":1000005,"message":"NO"}}`:                          {1000005, "NO", yeastar.NotFound},
		`{"status":"Failed","errMsg":"TOKEN_EXPIRED"}`:                       {0, "TOKEN_EXPIRED", yeastar.Auth},
		`{"status":"Failed","code":"RATE_LIMIT_EXCEEDED"}`:                   {0, "RATE_LIMIT_EXCEEDED", yeastar.RateLimited},
		`{"status":"Failed","code":"rate-limit exceeded","msg":"slow"}`:      {0, "rate-limit exceeded: slow", yeastar.RateLimited},
		`{"status":"Failed","errMsg":"ACCESS_DENIED","detailMsg":"no"}`:      {0, "ACCESS_DENIED", yeastar.Denied},
		`{"status":"Failed","errCode":"405","errorMsg":"NO"}`:                {0, "NO", yeastar.Invalid},
		`{"detailMessage":"DATA NOT FOUND"}`:                                 {0, "DATA NOT FOUND", yeastar.NotFound},
		`{"errorMessage":"INVALID_TOKEN"}`:                                   {0, "INVALID_TOKEN", yeastar.Auth},
		`{"code":1e12,"msg":[1]}`:                                            {0, "", yeastar.Invalid},
		`{"status":["Failed"],"errors":7}`:                                   {0, "7", yeastar.Invalid},
		`{"errCode":"TOKEN_EXPIRED"}`:                                        {0, "TOKEN_EXPIRED", yeastar.Auth},
		`{"ERRORCODE":"ACCESS_DENIED"}`:                                      {0, "ACCESS_DENIED", yeastar.Denied},
		`{"errors":["RATE_LIMIT_EXCEEDED"]}`:                                 {0, "RATE_LIMIT_EXCEEDED", yeastar.RateLimited},
		`{"errors":"RATE_LIMIT_EXCEEDED"}`:                                   {0, "RATE_LIMIT_EXCEEDED", yeastar.RateLimited},
		`{"code":1999999,"message":"TOKEN_EXPIRED"}`:                         {1999999, "TOKEN_EXPIRED", yeastar.Auth},
		`{"code":"404","detailMsg":"ACCESS_DENIED"}`:                         {0, "ACCESS_DENIED", yeastar.Denied},
		`{"code":10004,"message":"ACCESS_DENIED"}`:                           {10004, "ACCESS_DENIED", yeastar.Auth},
	} {
		var e yeastar.Envelope
		if failure := yeastar.Decode([]byte(body), &e); failure != nil {
			t.Errorf("%s: %v", body, failure)
		}
		if f := e.Failure(405); f.Code != want.code || f.Message != want.message || f.Class != want.class || f.HTTPStatus != 405 {
			t.Errorf("%s: got code %d and %q, %s under HTTP %d; want %d and %q, %s under HTTP 405",
				body, f.Code, f.Message, f.Class, f.HTTPStatus, want.code, want.message, want.class)
		}
		if rejected := strings.Contains(body, "TOKEN") || strings.Contains(body, "10004"); e.Failure(405).TokenRejected() != rejected {
			t.Errorf("%s: the token is rejected: %v, want %v", body, !rejected, rejected)
		}
	}
	for body, want := range map[string]bool{
		`{}`: false, `{"status":"Success"}`: false, `{"status":" SUCCESS","errcode":0}`: false, `{"status":null}`: false,
		`{"status":"Failed"}`: true, `{"status":500}`: true, `{"status":{}}`: true, `{"errcode":1}`: true, `{"errcode":"?"}`: true,
	} {
		var e yeastar.Envelope
		if failure := yeastar.Decode([]byte(body), &e); failure != nil || e.Failed() != want {
			t.Errorf("%s: failed is %v beside the error %v, want %v", body, e.Failed(), failure, want)
		}
	}
}

// Under HTTP 200, some products write the HTTP status in place of a code.
func TestHTTPStatusInPlaceOfACode(t *testing.T) {
	for body, want := range map[string]yeastar.Class{
		`{"code":"401","msg":"x"}`: yeastar.Auth, `{"code":403}`: yeastar.Denied, `{"errCode":"404"}`: yeastar.NotFound,
		`{"code":"429"}`: yeastar.RateLimited, `{"errors":[{"code":503}]}`: yeastar.Server, `{"code":"200","status":"Failed"}`: yeastar.Server,
	} {
		var e yeastar.Envelope
		if failure := yeastar.Decode([]byte(body), &e); failure != nil {
			t.Errorf("%s: %v", body, failure)
		}
		if f := e.Failure(200); f.Class != want || f.Code != 0 || f.TokenRejected() != (want == yeastar.Auth) {
			t.Errorf("%s: got %s and code %d, token rejected: %v; want %s", body, f.Class, f.Code, f.TokenRejected(), want)
		}
	}
}

// FuzzDecoders puts any JSON value into each decoder: none may fail, and what comes out is fit to be shown.
func FuzzDecoders(f *testing.F) {
	for _, seed := range []string{
		`12`, `"12"`, `null`, `""`, `1e3`, `-0`, `"\u0000"`, `{"a":[]}`, `[[]]`, `true`, `"Enabled"`, `"\ud800"`, `1729786748123`,
		`{"text":"a","list":[{"text":1},2],"record":{"id":"3","nested":{"count":1}},"errors":[{"code":1}],"error":"x","status":"Failed","errcode":5}`,
	} {
		f.Add([]byte(seed))
	}
	type everything struct {
		ID     int64          `api:"id"`
		IDs    []int64        `api:"ids"`
		Host   string         `api:"host,host"`
		Word   string         `api:"word,shared"`
		Name   string         `api:"name"`
		Switch yeastar.Switch `api:"switch"`
		Count  yeastar.Int    `api:"nested.count"`
		Time   yeastar.Int    `api:"nested.time,time"`
	}
	type wire struct {
		yeastar.Envelope
		Number yeastar.Number                           `json:"number"`
		List   yeastar.List[struct{ N yeastar.Number }] `json:"list"`
		Record yeastar.Record[everything]               `json:"record"`
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if !json.Valid(value) {
			return
		}
		bodies := [][]byte{value}
		for _, field := range []string{"number", "list", "record", "errors", "error", "status", "errcode", "msg"} {
			bodies = append(bodies, slices.Concat([]byte(`{"`+field+`":`), value, []byte(`}`)))
		}
		for _, field := range []string{"id", "ids", "host", "word", "name", "switch", "nested", "count", "time"} {
			bodies = append(bodies, slices.Concat([]byte(`{"record":{"`+field+`":`), value, []byte(`,"nested" : {"`+field+`":`), value, []byte(`}}}`)))
		}
		for _, body := range bodies {
			var w wire
			if failure := yeastar.Decode(body, &w); failure != nil {
				if len(body) > len(value) {
					t.Errorf("%s: %v", body, failure)
				}
				continue
			}
			r := w.Record.Value
			for _, s := range []string{r.Host, r.Word, r.Name} {
				if !utf8.ValidString(s) || len(s) > yeastar.MaxText || strings.ContainsFunc(s, unicode.IsControl) {
					t.Errorf("%s: the text %q is not fit to be shown", body, s)
				}
			}
			if id := w.Record.ID; id < 0 || id != r.ID || len(r.IDs) > 0 && slices.Min(r.IDs) <= 0 {
				t.Errorf("%s: got the ids %d, %d and %v", body, id, r.ID, r.IDs)
			}
			count, _ := w.Number.Count()
			unixTime, _ := w.Number.Time()
			for _, i := range []yeastar.Int{count, unixTime, r.Count, r.Time} {
				if n, ok := i.Get(); ok && n < 0 {
					t.Errorf("%s: got %d", body, n)
				}
			}
			h := &yeastar.HTTP{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})}
			failure := h.Do(t.Context(), yeastar.Request{URL: "http://ycm.example.com"}, func(*yeastar.Answer) *yeastar.Error { return w.Failure(200) })
			if s := failure.Error(); !utf8.ValidString(s) || len(s) > 1024 || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("%s: the error %q is not fit to be shown", body, s)
			}
		}
	})
}
