package ycmclient_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// listOf makes a transport of a YCM whose list is always this body.
func listOf(body string) http.RoundTripper {
	return inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reply(w, 200, map[string]any{"access_token": "abc", "expires_in": 1800})
			return
		}
		_, _ = io.WriteString(w, body)
	})}
}

// readOne reads a list of one record with these further fields.
func readOne(t testing.TB, fields string) (ycmclient.CloudPBX, *watch) {
	t.Helper()
	w := newWatch()
	body := `{"data":{"total":1,"list":[{"cloudPbxId":7,` + fields + `}]},"status":"Success"}`
	list, err := newClient(t, listOf(body), func(o *ycmclient.Options) { o.Observer = w }).Walk(t.Context(), nil, nil, nil)
	if err != nil || len(list.PBXs) != 1 {
		t.Fatalf("%s: %d PBXs and the error %v, want one", fields, len(list.PBXs), err)
	}
	return list.PBXs[0], w
}

func TestNumbersAreReadHoweverTheyAreWritten(t *testing.T) {
	const absent = -1
	for _, c := range []struct {
		wire string
		want int64
		odd  bool
	}{
		{`0`, 0, false},
		{`12`, 12, false},
		{`"12"`, 12, false},
		{`" 12\t"`, 12, false},
		{`12.0`, 12, false},
		{`"1.2e1"`, 12, false},
		{`"+12"`, 12, false},
		{`9007199254740993`, 9007199254740993, false},
		{`"9223372036854775807"`, math.MaxInt64, false},
		{`null`, absent, false},
		{`""`, absent, false},
		{`"  "`, absent, false},
		{`-1`, absent, true},
		{`"-1"`, absent, true},
		{`12.5`, absent, true},
		{`"n/a"`, absent, true},
		{`"12 PBXs"`, absent, true},
		{`"0x10"`, absent, true},
		{`"1_000"`, absent, true},
		{`"1,000"`, absent, true},
		{`"inf"`, absent, true},
		{`"NaN"`, absent, true},
		{`1e400`, absent, true},
		{`9223372036854775808`, absent, true},
		{`1e16`, absent, true},
		{`true`, absent, true},
		{`{}`, absent, true},
		{`[12]`, absent, true},
		{`"` + strings.Repeat("1", 65) + `"`, absent, true},
		{`"１２"`, absent, true},
	} {
		pbx, w := readOne(t, `"activeCalls":`+c.wire)
		if n(pbx.ActiveCalls) != c.want || (w.unexpected["activeCalls"] == 1) != c.odd {
			t.Errorf("%s: got %d, unexpected %v; want %d, unexpected %v", c.wire, n(pbx.ActiveCalls), w.unexpected, c.want, c.odd)
		}
	}
	if pbx, _ := readOne(t, `"name":"x"`); pbx.ActiveCalls != yeastar.Absent {
		t.Errorf("a missing field is %d, want absent", n(pbx.ActiveCalls))
	}
}

// Seconds and milliseconds are distinguished for all dates that a calendar has, and "never" is served as it is.
func TestTimesAreSecondsOrMilliseconds(t *testing.T) {
	const absent = -1
	for _, c := range []struct {
		wire string
		want int64
		odd  bool
	}{
		{`1`, 1, false},
		{`999999999`, 999999999, false},
		{`1729786748`, 1729786748, false},
		{`"1729786748"`, 1729786748, false},
		{`4102444800`, 4102444800, false},     // 2100-01-01
		{`9999999999`, 9999999999, false},     // 2286-11-20
		{`32503680000`, 32503680000, false},   // 3000-01-01
		{`253370764800`, 253370764800, false}, // 9999-01-01
		{`253402214400`, 253402214400, false}, // 9999-12-31
		{`253402300799`, 253402300799, false}, // 9999-12-31T23:59:59
		{`"253402300799"`, 253402300799, false},
		{`999999999999`, 999999999999, false},
		{`1000000000000`, 1000000000, false}, // 2001-09-09 in milliseconds
		{`1729786748123`, 1729786748, false},
		{`4102444800000`, 4102444800, false},
		{`9999999999999`, 9999999999, false},
		{`253402214400000`, 253402214400, false},
		{`253402300799999`, 253402300799, false},
		{`253402318799000`, 253402318799, false}, // 9999-12-31T23:59:59 in New York
		{`253402387199999`, 253402387199, false},
		{`253402387200000`, absent, true},
		{`1729786748123456`, absent, true},
		{`9223372036854775807`, absent, true},
		{`0`, absent, false},
		{`"0"`, absent, false},
		{`null`, absent, false},
		{`-5`, absent, true},
		{`"2024-10-24"`, absent, true},
	} {
		fields := []string{"planExpirationDate", "expirationDate", "lastBackupTime", "createTime", "initialStartUpTime", "lastUsedTime"}
		pbx, w := readOne(t, `"`+strings.Join(fields, `":`+c.wire+`,"`)+`":`+c.wire)
		for i, got := range []yeastar.Int{pbx.PlanExpiration, pbx.Expiration, pbx.LastBackup, pbx.Created, pbx.FirstStarted, pbx.TemplateLastUsed} {
			if n(got) != c.want || (w.unexpected[fields[i]] == 1) != c.odd {
				t.Errorf("%s %s: got %d, unexpected %v; want %d, unexpected %v", fields[i], c.wire, n(got), w.unexpected, c.want, c.odd)
			}
		}
	}
}

// The label host is the host and the port of the URL, whatever else YCM sends with them.
func TestHostOfAPBX(t *testing.T) {
	for wire, want := range map[string]string{
		"pbx.example.com":                               "pbx.example.com",
		" pbx.example.com ":                             "pbx.example.com",
		"pbx.example.com:8088":                          "pbx.example.com:8088",
		"https://pbx.example.com":                       "pbx.example.com",
		"https://pbx.example.com:8088/path?query#part":  "pbx.example.com:8088",
		"pbx.example.com/path":                          "pbx.example.com",
		"pbx.example.com?next=https://else.example.com": "pbx.example.com",
		"//pbx.example.com/":                            "pbx.example.com",
		"https://user:password@pbx.example.com/":        "pbx.example.com",
		"user:password@pbx.example.com:8088":            "pbx.example.com:8088",
		"https://[2001:db8::1]:8088/":                   "[2001:db8::1]:8088",
		"[2001:db8::1]":                                 "[2001:db8::1]",
		"2001:db8::1":                                   "2001:db8::1",
		"192.0.2.1":                                     "192.0.2.1",
		"https://bücher.example.com":                    "bücher.example.com",
		"https://":                                      "",
		"https:///path":                                 "",
		"http:/pbx.example.com":                         "",
		"pbx.example.com:port":                          "",
		"https://user:password@":                        "",
		"see the list of PBXs":                          "",
		"<b>pbx</b>":                                    "",
		`https:\\pbx.example.com`:                       "",
		"pbx\u0000.example.com":                         "",
	} {
		quoted, _ := json.Marshal(wire)
		pbx, w := readOne(t, `"url":`+string(quoted))
		if pbx.URL != want || (w.unexpected["url"] == 1) != (want == "") {
			t.Errorf("%s: the host is %q, unexpected %v; want %q", wire, pbx.URL, w.unexpected, want)
		}
	}
	if pbx, w := readOne(t, `"url":""`); pbx.URL != "" || len(w.unexpected) > 0 {
		t.Errorf("an empty URL is %q, unexpected %v; want nothing", pbx.URL, w.unexpected)
	}
}

func TestSwitchesTakeEveryWordForYesAndNo(t *testing.T) {
	for want, wires := range map[yeastar.Switch][]string{
		yeastar.SwitchOn:     {`"Enabled"`, `"enable"`, `"yes"`, `"TRUE"`, `true`, `"on"`, `1`, `"1"`, `" Enabled "`, `"Activated"`, `"Subscribed"`},
		yeastar.SwitchOff:    {`"Disabled"`, `"disable"`, `"no"`, `"false"`, `false`, `"off"`, `0`, `"0"`, `"Unactivated"`, `"Not Subscribed"`},
		yeastar.SwitchAbsent: {`null`, `""`, `"perhaps"`, `2`, `{}`, `[true]`},
	} {
		for _, wire := range wires {
			pbx, w := readOne(t, `"allowSuperiorPasswordlessLogin":`+wire)
			odd := want == yeastar.SwitchAbsent && wire != `null` && wire != `""`
			if pbx.SuperiorPasswordlessLogin != want || (w.unexpected["allowSuperiorPasswordlessLogin"] == 1) != odd {
				t.Errorf("%s: got %d, unexpected %v; want %d, unexpected %v", wire, pbx.SuperiorPasswordlessLogin, w.unexpected, want, odd)
			}
			on, ok := pbx.SuperiorPasswordlessLogin.Get()
			if on != (want == yeastar.SwitchOn) || ok != (want != yeastar.SwitchAbsent) {
				t.Errorf("%s: Get() = %v, %v", wire, on, ok)
			}
		}
	}
}

func TestTextsAndStatuses(t *testing.T) {
	pbx, w := readOne(t, `"name":"\"Quay\" \u0026 Söhne\nBerth 4","sn":3658,"url":null,"group":["a"],"region":true,"pbxStatus":" rUNNING","plan":"`+strings.Repeat("é", 600)+`","type":"a\u202eb\u2066c\u2069\u2028"`)
	want := ycmclient.CloudPBX{Name: "\"Quay\" & Söhne\ufffdBerth 4", SN: "3658", Region: "true", Status: ycmclient.Running, Plan: strings.Repeat("é", 500), Type: "a\ufffdb\ufffdc\ufffd\u2028"}
	got := ycmclient.CloudPBX{Name: pbx.Name, SN: pbx.SN, URL: pbx.URL, Group: pbx.Group, Region: pbx.Region, Status: pbx.Status, Plan: pbx.Plan, Type: pbx.Type}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"group": 1}, w.unexpected); diff != "" {
		t.Errorf("unexpected values (-want +got):\n%s", diff)
	}
	pbx, w = readOne(t, `"pbxStatus":"Exploding"`)
	if pbx.Status != ycmclient.StatusUnknown || w.unexpected["pbxStatus"] != 1 {
		t.Errorf("an unknown status is %v, unexpected %v", pbx.Status, w.unexpected)
	}
	if pbx, w = readOne(t, `"name":"x"`); pbx.Status != ycmclient.StatusUnknown || len(w.unexpected) > 0 {
		t.Errorf("a missing status is %v, unexpected %v", pbx.Status, w.unexpected)
	}
}

// FuzzScalars puts any JSON value into fields of each kind.
func FuzzScalars(f *testing.F) {
	for _, seed := range []string{`12`, `"12"`, `null`, `""`, `1e3`, `-0`, `"\u0000"`, `{"a":[]}`, `[[]]`, `true`, `"Enabled"`, `"\ud800"`, `1729786748123`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		if !json.Valid([]byte(wire)) {
			return
		}
		body := fmt.Sprintf(`{"data":{"total":1,"list":[{"cloudPbxId":7,"name":%[1]s,"region":%[1]s,"pbxStatus":%[1]s,"im":%[1]s,"usedExtensions":%[1]s,"createTime":%[1]s}]}}`, wire)
		list, err := ycmclient.DecodePage([]byte(body))
		if err != nil || len(list) != 1 {
			t.Fatalf("%q costs its record: %d PBXs and the error %v", wire, len(list), err)
		}
		checkRecord(t, list[0])
		if n, err := strconv.ParseInt(strings.TrimSpace(wire), 10, 64); err == nil && n >= 0 && list[0].UsedExtensions != yeastar.IntOf(n) {
			t.Errorf("%q was read as %d", wire, list[0].UsedExtensions)
		}
		var text string
		if json.Unmarshal([]byte(wire), &text) == nil && len(text) <= 1000/3 && strings.HasPrefix(strings.TrimSpace(wire), `"`) && list[0].Name != shown(text) {
			t.Errorf("%q was read as the name %q, want %q", wire, list[0].Name, shown(text))
		}
	})
}

// shown is a text as a label has it.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", r) {
			return utf8.RuneError
		}
		return r
	}, strings.Trim(text, "\t\n\v\f\r"))
}

// checkRecord checks what holds for every PBX, whatever YCM sends.
func checkRecord(t *testing.T, pbx ycmclient.CloudPBX) {
	t.Helper()
	if pbx.ID <= 0 || !slices.Contains(ycmclient.Statuses(), pbx.Status) || pbx.IM > yeastar.SwitchOn {
		t.Errorf("an impossible PBX: %+v", pbx)
	}
	for _, text := range []string{pbx.Name, pbx.SN, pbx.URL, pbx.Region, pbx.Type, pbx.Plan, pbx.Group, pbx.Version, pbx.LastUsedTemplate} {
		if !utf8.ValidString(text) || len(text) > 1000 || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("a text of %d bytes that is no label: %q", len(text), text)
		}
	}
	for _, count := range []yeastar.Int{
		pbx.ActiveCalls, pbx.ConcurrentCallCapacity, pbx.UsedExtensions, pbx.ExtensionCapacity, pbx.UsedRecording, pbx.RecordingCapacity,
	} {
		if n, ok := count.Get(); ok && n < 0 {
			t.Errorf("a count of %d", n)
		}
	}
	for _, at := range []yeastar.Int{pbx.PlanExpiration, pbx.Expiration, pbx.LastBackup, pbx.Created, pbx.FirstStarted, pbx.TemplateLastUsed} {
		if seconds, ok := at.Get(); ok && (seconds <= 0 || seconds >= 1e12) {
			t.Errorf("a time of %d", seconds)
		}
	}
}

// FuzzListAnswer lets a walk read any body.
func FuzzListAnswer(f *testing.F) {
	f.Add(200, render(3)[0])
	f.Add(200, []byte(`{"data":{"total":1,"list":[null]}}`))
	f.Add(200, []byte(`{"status":"Failed","errors":[{"code":"1000040"}]}`))
	f.Add(429, []byte(`<html>`))
	f.Add(200, []byte(`{"data":{"total":2,"list":[{"cloudPbxId":"1"},{"CLOUDPBXID":2,"Name":7}]},"Status":"success"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			requests := 0
			client := newClient(t, inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					reply(w, 200, map[string]any{"access_token": "abc", "expires_in": 86400})
					return
				}
				requests++
				w.WriteHeader(status)
				_, _ = w.Write(body)
			})}, nil)
			list, err := client.Walk(t.Context(), nil, nil, nil)
			if requests > 100 {
				t.Errorf("%d requests for a page", requests)
			}
			if err != nil {
				if list.PBXs != nil || yeastar.ClassOf(err) == yeastar.OK || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 2000 {
					t.Errorf("%d PBXs beside the error %q", len(list.PBXs), err)
				}
				return
			}
			last := int64(0)
			for _, pbx := range list.PBXs {
				checkRecord(t, pbx)
				if pbx.ID <= last {
					t.Errorf("PBX %d follows %d", pbx.ID, last)
				}
				last = pbx.ID
			}
		})
	})
}
