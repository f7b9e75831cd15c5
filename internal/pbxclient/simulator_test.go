package pbxclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// simulated is a YCM over real HTTP, with both ways to its PBXs.
type simulated struct {
	*ycmtest.Server
	ycm *ycmclient.Client
	pbx pbxclient.Options
	url *url.URL
}

func simulate(t *testing.T, o ycmtest.Options) simulated {
	t.Helper()
	s := simulated{Server: ycmtest.New(o)}
	over := httptest.NewServer(s)
	t.Cleanup(func() {
		over.Close()
		for _, v := range s.Violations() {
			t.Errorf("the simulator saw a violation: %s", v)
		}
	})
	var err error
	if s.url, err = url.Parse(over.URL); err != nil {
		t.Fatal(err)
	}
	s.ycm = ycmclient.New(ycmclient.Options{
		Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
		Account: "main", BaseURL: s.url, ClientID: "demo-client-id",
		Secret: secret.Static(secret.New("demo-client-secret")), Transport: over.Client().Transport,
		RateLimit: ycmclient.RateLimit{Burst: 1_000_000, Rate: 1_000_000, Interval: time.Second},
	})
	s.pbx = pbxclient.Options{
		Account: "main", ClientID: "demo-pbx-client-id",
		Secret: secret.Static(secret.New("demo-pbx-client-secret")), Transport: over.Client().Transport,
		Guard: newGuard(), Timeout: 30 * time.Second,
	}
	return s
}

// both makes a client of each way to a PBX.
func (s simulated) both(t *testing.T, p ycmtest.PBX) map[string]*pbxclient.Client {
	t.Helper()
	o := s.pbx
	o.URL = s.url.JoinPath("pbx", p.URL)
	return map[string]*pbxclient.Client{"through YCM": pbxclient.Proxied(s.ycm, "main", p.SN), "directly": direct(t, o)}
}

func running(p *ycmtest.PBX) {
	p.Status, p.Activation, p.Version, p.APIError, p.Silent = ycmtest.Running, "Activated", "84.19.0.22", 0, false
}

// everything is all that one PBX reports of itself and of a vendor.
func everything(ctx context.Context, c *pbxclient.Client) (all []any, err error) {
	system, failed := c.SystemInformation(ctx)
	system.Uptime = 0
	all, err = append(all, system), errors.Join(err, failed)
	trunks, failed := c.Trunks(ctx)
	all, err = append(all, trunks), errors.Join(err, failed)
	vendors, failed := c.PhoneVendors(ctx)
	all, err = append(all, vendors), errors.Join(err, failed)
	models, failed := c.PhoneModels(ctx, "Yealink")
	all, err = append(all, models), errors.Join(err, failed)
	templates, failed := c.PhoneTemplates(ctx, "CP920")
	all, err = append(all, templates), errors.Join(err, failed)
	methods, failed := c.ProvisioningMethods(ctx, "Yealink", "CP920")
	return append(all, methods), errors.Join(err, failed)
}

func TestProxyAndDirectAccessReportTheSame(t *testing.T) {
	s := simulate(t, ycmtest.Options{PBXs: -1})
	p := s.Add(func(p *ycmtest.PBX) {
		running(p)
		p.Name = "Harbour Dental"
		for id := range int64(250) {
			p.Trunks = append(p.Trunks, ycmtest.Trunk{ID: id, Name: fmt.Sprintf("trunk %d", id), Status: 41, Type: "register"})
		}
	})
	ways := s.both(t, p)
	through, err := everything(t.Context(), ways["through YCM"])
	if err != nil {
		t.Fatal(err)
	}
	directly, err := everything(t.Context(), ways["directly"])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(through, directly); diff != "" {
		t.Errorf("-through YCM +directly:\n%s", diff)
	}
	shown := fmt.Sprintf("%+v", directly)
	if !strings.Contains(shown, "84.19.0.22") || !strings.Contains(shown, "rps") || strings.Count(shown, "RegistrationFailed") != 250 {
		t.Errorf("the PBX's firmware, method or 250 trunks are missing in %.500s", shown)
	}
	if strings.Contains(shown, s.ProvisioningLink(p.ID)) {
		t.Error("the provisioning link is shown")
	}
}

func TestModelNameOfTwoVendors(t *testing.T) {
	s := simulate(t, ycmtest.Options{PBXs: -1})
	for way, c := range s.both(t, s.Add(running)) {
		templates, err := c.PhoneTemplates(t.Context(), "H3")
		if err != nil || len(templates) != 2 {
			t.Errorf("%s: got %v and error %v, want the templates of both vendors", way, templates, err)
		}
		methods, err := c.ProvisioningMethods(t.Context(), "Fanvil", "H3")
		if err != nil || len(methods) == 0 {
			t.Errorf("%s: got %v and error %v, want the methods of one of them", way, methods, err)
		}
	}
}

func TestPBXsThatDoNotServe(t *testing.T) {
	for name, c := range map[string]struct {
		edit           func(*ycmtest.PBX)
		through, reach yeastar.Reach
	}{
		"stopped":         {func(p *ycmtest.PBX) { p.Status = ycmtest.Stopped }, yeastar.NoAnswer, yeastar.NoAnswer},
		"unactivated":     {func(p *ycmtest.PBX) { p.Activation = "Unactivated" }, yeastar.NotSent, yeastar.Answered},
		"silent":          {func(p *ycmtest.PBX) { p.Silent = true }, yeastar.NoAnswer, yeastar.NoAnswer},
		"API too old":     {func(p *ycmtest.PBX) { p.APIError = 10001 }, yeastar.Answered, yeastar.Answered},
		"API off":         {func(p *ycmtest.PBX) { p.APIError = 10005 }, yeastar.Answered, yeastar.Answered},
		"address blocked": {func(p *ycmtest.PBX) { p.APIError = 70004 }, yeastar.Answered, yeastar.Answered},
		"IP forbidden":    {func(p *ycmtest.PBX) { p.APIError = 70087 }, yeastar.Answered, yeastar.Answered},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t, ycmtest.Options{PBXs: -1})
			ways := s.both(t, s.Add(func(p *ycmtest.PBX) { running(p); c.edit(p) }))
			_, err := ways["through YCM"].SystemInformation(t.Context())
			if got := yeastar.ReachOf(err); got != c.through {
				t.Errorf("through YCM: got reach %d (%v), want %d", got, err, c.through)
			}
			_, err = ways["directly"].SystemInformation(t.Context())
			if got := yeastar.ReachOf(err); got != c.reach {
				t.Errorf("directly: got reach %d (%v), want %d", got, err, c.reach)
			}
		})
	}
}

func TestTokensOfOthersFillTheCap(t *testing.T) {
	s := simulate(t, ycmtest.Options{PBXs: -1})
	p := s.Add(running)
	s.pbx.URL = s.url.JoinPath("pbx", p.URL)
	for range 8 {
		mustAnswer(t, direct(t, s.pbx))
	}
	_, err := direct(t, s.pbx).SystemInformation(t.Context())
	expect(t, err, yeastar.Answered, yeastar.RateLimited, 60002)
	if !strings.Contains(err.Error(), "too many valid tokens") {
		t.Errorf("got %v, want advice about the limit of tokens", err)
	}
}

func TestADayOfPollsHoldsOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ycmtest.New(ycmtest.Options{PBXs: -1})
		defer s.Close()
		p := s.Add(running)
		c := pbxclient.Direct(inMemory(s, p, "demo-pbx-client-secret"))
		for poll := range 288 {
			if poll%50 == 7 {
				s.ExpirePBXTokens() // as after a restart
			}
			mustAnswer(t, c)
			if n := s.PBXTokens(p.ID); n != 1 {
				t.Fatalf("%d tokens are valid after poll %d, want 1", n, poll)
			}
			time.Sleep(5 * time.Minute)
		}
		mustAnswer(t, c)
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := s.PBXTokens(p.ID); n != 0 {
			t.Errorf("%d tokens were left behind", n)
		}
		if n := s.Stats().PBXLoginsRefused; n != 0 {
			t.Errorf("%d logins were refused, want none", n)
		}
	})
}

func TestWrongSecretDoesNotBlockTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ycmtest.New(ycmtest.Options{PBXs: -1})
		defer s.Close()
		p := s.Add(running)
		given := "wrong"
		o := inMemory(s, p, "")
		o.Secret = func() (secret.Text, error) { return secret.New(given), nil }
		c := pbxclient.Direct(o)
		for range 2000 {
			c.SystemInformation(t.Context())
			time.Sleep(10 * time.Second)
		}
		if stats := s.Stats(); stats.PBXLoginsRefused != 4 || stats.Lockouts != 0 {
			t.Errorf("five hours of polls brought %d refused logins and %d lock-outs, want 4 and 0", stats.PBXLoginsRefused, stats.Lockouts)
		}
		given = "demo-pbx-client-secret"
		mustAnswer(t, c)
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func inMemory(s *ycmtest.Server, p ycmtest.PBX, clientSecret string) pbxclient.Options {
	return pbxclient.Options{
		Account: "main", URL: &url.URL{Scheme: "https", Host: p.URL}, ClientID: "demo-pbx-client-id",
		Secret: secret.Static(secret.New(clientSecret)), Transport: s.Transport(),
		Guard: newGuard(), Timeout: 30 * time.Second,
	}
}
