package pbxclient_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestSystemInformation(t *testing.T) {
	plain := pbxclient.SystemInformation{
		DeviceName: "Harbour Dental", SN: "3658B4311190001", FirmwareVersion: "84.8.0.25", Uptime: 24852, Timestamp: 1755852280,
	}
	nothing := pbxclient.SystemInformation{Uptime: yeastar.Absent, Timestamp: yeastar.Absent}
	named := func(name string) pbxclient.SystemInformation {
		s := nothing
		s.DeviceName = name
		return s
	}
	for name, c := range map[string]struct {
		body string
		want pbxclient.SystemInformation
	}{
		"as documented":       {systemBody, plain},
		"an array of one":     {strings.Replace(strings.Replace(systemBody, `:{`, `:[{`, 1), `}}`, `}]}`, 1), plain},
		"quoted numbers":      {strings.NewReplacer("24852", `"24852"`, "1755852280", `" 1755852280 "`).Replace(systemBody), plain},
		"floats":              {strings.NewReplacer("24852", `24852.0`, "1755852280", `1.75585228e9`).Replace(systemBody), plain},
		"milliseconds":        {strings.Replace(systemBody, "1755852280", "1755852280123", 1), plain},
		"nothing told":        {`{"errcode":0,"data":{}}`, nothing},
		"null everywhere":     {`{"errcode":0,"data":{"device_name":null,"up_time":null,"timestamp":null}}`, nothing},
		"wrong types":         {`{"errcode":0,"data":{"device_name":[1],"sn":{},"firmware_version":[],"up_time":{},"timestamp":[]}}`, nothing},
		"rubbish numbers":     {`{"errcode":0,"data":{"up_time":"a while","timestamp":1.5}}`, nothing},
		"negative numbers":    {`{"errcode":0,"data":{"up_time":-1,"timestamp":-1}}`, nothing},
		"numbers beyond time": {`{"errcode":0,"data":{"up_time":1e15,"timestamp":9223372036854775807}}`, nothing},
		"a time of never":     {`{"errcode":0,"data":{"timestamp":0}}`, nothing},
		"a number as name":    {`{"errcode":0,"data":{"device_name":42}}`, named("42")},
		"a boolean as name":   {`{"errcode":0,"data":{"device_name":true,"up_time":true}}`, named("true")},
		"control characters":  {`{"errcode":0,"data":{"device_name":"a\u001b[31m\nb\u0000"}}`, named("a\ufffd[31m\ufffdb\ufffd")},
		"invalid UTF-8":       {"{\"errcode\":0,\"data\":{\"device_name\":\"a\xff\xfeb\"}}", named("a\ufffd\ufffdb")},
		"a lone surrogate":    {`{"errcode":0,"data":{"device_name":"\ud800x"}}`, named("\ufffdx")},
		"an endless name":     {`{"errcode":0,"data":{"device_name":"` + strings.Repeat("é", 600_000) + `"}}`, named(strings.Repeat("é", 512))},
		"a name cut in a rune": {
			`{"errcode":0,"data":{"device_name":"x` + strings.Repeat("é", 600) + `"}}`, named("x" + strings.Repeat("é", 511)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proxied(c.body).SystemInformation(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
