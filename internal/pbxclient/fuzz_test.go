package pbxclient_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func seeds(f *testing.F) {
	for _, h := range hostile {
		f.Add([]byte(h.body))
	}
	for _, body := range []string{
		systemBody,
		`{"errcode":0,"total_number":2,"data":[{"id":27,"status":1,"name":"a","type":"peer"},{"id":"28","status":"41"}]}`,
		`{"errcode":"0","total_number":1e3,"data":{"id":1.0,"name":"\u0000\ud800"}}`,
		`{"errcode":0,"data":[{"text":"CP920","value":"CP920","type":"DECT"},{"value":24},7,null]}`,
		`{"errcode":0,"access_token":"a","refresh_token":7,"access_token_expire_time":"1800","refresh_token_expire_time":-1}`,
		`{"errcode":0,"total_number":2,"data":[{"id":1,"online_status":{"sip_phone":{"status_list":[{"status":0},{"status":"1"},7]},"linkus_web":{"status":1}}},{"id":2,"online_status":[{"linkus_mobile":[{"status":1},{"status_list":null}]}]}]}`,
		`{"errcode":0,"total_number":3,"data":[{"id":1,"vendor":"Yealink","model":"T54W","assigned_ext_status":"registered","assigned_ext_num":1001},{"id":"2","vendor":{},"model":"\u0000\ud800","assigned_ext_num":"Unassigned"},{"model":"x"}]}`,
		`{"errcode":0,"data":{"extension_capacity":"40","extension_used":-1,"cc_capacity":1e300,"ai_transcription_pack_used":0.5,"ai_receptionist_onetime_capacity":null}}`,
		`{"errcode":40002,"errmsg":"PARAMETER ERROR","invalid_param_list":[{"field":"a","validation_type":"required"}]}`,
	} {
		f.Add([]byte(body))
	}
}

// FuzzAnswers gives any body to every call: none may panic, and what comes out of it is fit for labels.
func FuzzAnswers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		ctx, c := t.Context(), proxied(string(body))
		var shown []string
		check := func(err error) {
			if err != nil && yeastar.ReachOf(err) == yeastar.NotSent && !cutOff(err) {
				t.Errorf("got %v, want an error of the PBX", err)
			}
			if err != nil {
				shown = append(shown, err.Error())
			}
		}
		system, err := c.SystemInformation(ctx)
		check(err)
		shown = append(shown, system.FirmwareVersion)
		if up, ok := system.Uptime.Get(); ok && up < 0 {
			t.Errorf("got an up-time of %d", up)
		}

		trunks, err := c.Trunks(ctx)
		check(err)
		for i, trunk := range trunks.Trunks {
			shown = append(shown, trunk.Name, string(trunk.Type), trunk.Status.String())
			if i > 0 && trunk.ID <= trunks.Trunks[i-1].ID || i >= pbxclient.MaxTrunks {
				t.Errorf("trunk %d has id %d after %d", i, trunk.ID, trunks.Trunks[max(i, 1)-1].ID)
			}
		}

		extensions, err := c.Extensions(ctx)
		check(err)
		for i, extension := range extensions {
			if slices.Max(extension[:]) > pbxclient.Online {
				t.Errorf("extension %d has the states %v", i, extension)
			}
		}
		phones, err := c.Phones(ctx)
		check(err)
		for _, phone := range phones {
			shown = append(shown, phone.Vendor, phone.Model, phone.State.String())
		}
		capacity, err := c.Capacity(ctx)
		check(err)
		for _, quota := range []pbxclient.Quota{
			capacity.TranscriptionOnetime, capacity.TranscriptionPack, capacity.ReceptionistOnetime, capacity.ReceptionistPack,
		} {
			for _, figure := range []yeastar.Int{quota.Capacity, quota.Used} {
				if n, ok := figure.Get(); ok && n < 0 {
					t.Errorf("a quota has the figure %d", n)
				}
			}
		}

		vendors, err := c.PhoneVendors(ctx)
		check(err)
		for i, v := range vendors {
			shown = append(shown, v.Value, v.Name, v.Type)
			if v.Value == "" || i > 0 && v.Value <= vendors[i-1].Value {
				t.Errorf("vendor %d is %q after %q", i, v.Value, vendors[max(i, 1)-1].Value)
			}
		}
		methods, err := c.ProvisioningMethods(ctx, "Yealink", "CP920")
		check(err)
		for _, m := range methods {
			shown = append(shown, m.Value, m.Type)
		}
		for _, s := range shown {
			if !utf8.ValidString(s) || len(s) > 1024 || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("%q is not fit to be shown", s)
			}
		}
	})
}

// FuzzLogin gives any body to the login: the client may log in at most once a call, and sends other requests only with a token.
func FuzzLogin(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		var requested []string
		pbx := roundTripper(func(r *http.Request) (*http.Response, error) {
			requested = append(requested, r.URL.Path)
			answer := body
			if r.Method == http.MethodGet {
				answer = []byte(systemBody)
				if r.URL.Query().Get("access_token") == "" {
					t.Errorf("%s was requested without a token", r.URL.Path)
				}
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
		})
		c := pbxclient.Direct(pbxclient.Options{
			URL: &url.URL{Scheme: "https", Host: "pbx.example.com"}, Secret: secret.Static(secret.New("x")), Transport: pbx,
			Guard: newGuard(), Timeout: 30 * time.Second,
		})
		_, err := c.SystemInformation(t.Context())
		if len(requested) == 0 || len(requested) > 2 || (err == nil) != (len(requested) == 2) {
			t.Errorf("got error %v after %q, want one login, and one call after a good one", err, requested)
		}
		if err != nil && yeastar.ClassOf(err) == yeastar.Network && !cutOff(err) {
			t.Errorf("got %v, want an error about the answer", err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// cutOff reports whether the answer was incomplete, which is the network's fault.
func cutOff(err error) bool { return strings.Contains(err.Error(), "the response is incomplete") }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
