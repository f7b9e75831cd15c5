package pbxclient_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestSystemInformation(t *testing.T) {
	plain := pbxclient.SystemInformation{FirmwareVersion: "84.8.0.25", Uptime: yeastar.IntOf(24852)}
	nothing := pbxclient.SystemInformation{Uptime: yeastar.Absent}
	named := func(version string) pbxclient.SystemInformation {
		s := nothing
		s.FirmwareVersion = version
		return s
	}
	for name, c := range map[string]struct {
		body string
		want pbxclient.SystemInformation
	}{
		"as documented":      {systemBody, plain},
		"an array of one":    {strings.Replace(strings.Replace(systemBody, `:{`, `:[{`, 1), `}}`, `}]}`, 1), plain},
		"quoted numbers":     {strings.Replace(systemBody, "24852", `" 24852 "`, 1), plain},
		"floats":             {strings.Replace(systemBody, "24852", `2.4852e4`, 1), plain},
		"nothing reported":   {`{"errcode":0,"data":{}}`, nothing},
		"null everywhere":    {`{"errcode":0,"data":{"firmware_version":null,"up_time":null}}`, nothing},
		"wrong types":        {`{"errcode":0,"data":{"firmware_version":[],"up_time":{}}}`, nothing},
		"unreadable numbers": {`{"errcode":0,"data":{"up_time":"a while"}}`, nothing},
		"negative numbers":   {`{"errcode":0,"data":{"up_time":-1}}`, nothing},
		"a number as name":   {`{"errcode":0,"data":{"firmware_version":42}}`, named("42")},
		"a boolean as name":  {`{"errcode":0,"data":{"firmware_version":true,"up_time":true}}`, named("true")},
		"control characters": {`{"errcode":0,"data":{"firmware_version":"a\u001b[31m\nb\u0000"}}`, named("a\ufffd[31m\ufffdb\ufffd")},
		"invalid UTF-8":      {"{\"errcode\":0,\"data\":{\"firmware_version\":\"a\xff\xfeb\"}}", named("a\ufffd\ufffdb")},
		"a lone surrogate":   {`{"errcode":0,"data":{"firmware_version":"\ud800x"}}`, named("\ufffdx")},
		"an endless name":    {`{"errcode":0,"data":{"firmware_version":"` + strings.Repeat("é", 600_000) + `"}}`, named(strings.Repeat("é", 500))},
		"a name cut in a rune": {
			`{"errcode":0,"data":{"firmware_version":"x` + strings.Repeat("é", 600) + `"}}`, named("x" + strings.Repeat("é", 499)),
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
