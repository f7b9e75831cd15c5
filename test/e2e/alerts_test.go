//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestStack is what happens from the first scrape to the alert that pages on-call, with real parts.
func TestStack(t *testing.T) {
	s := start(t)
	t.Run("every format is scraped without a warning", s.testScrapes)
	t.Run("every rule evaluates", s.testRules)
	t.Run("a stopped PBX fires in Alertmanager and resolves", s.testAlert)
	t.Run("a region's failure is one alert", s.testRegion)
	t.Run("every panel of every dashboard shows data", s.testPanels)
}

func (s *stack) testScrapes(t *testing.T) {
	within(t, time.Minute, func() error {
		up, err := s.query(`up == 1 and on (job) scrape_samples_scraped > 1000`)
		if err == nil && len(up) != 3 {
			err = fmt.Errorf("%d of 3 jobs are up: %v", len(up), up)
		}
		return err
	})
	within(t, time.Minute, func() error {
		native, err := s.query(`histogram_count(ycm_api_request_duration_seconds{endpoint="cloud_pbx_list"}) > 0`)
		if err == nil && len(native) == 0 {
			err = fmt.Errorf("the request durations are no native histogram")
		}
		return err
	})
	if complaint := regexp.MustCompile(`(?m)^.*level=(WARN|ERROR).*$`).FindString(s.prometheusProcess.output()); complaint != "" {
		t.Errorf("Prometheus complains: %s", complaint)
	}
}

func (s *stack) testRules(t *testing.T) {
	within(t, 2*time.Minute, func() error {
		body, err := get(s.prometheus + "/api/v1/rules")
		if err != nil {
			return err
		}
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, Health, LastError string }
				}
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		rules := 0
		for _, group := range answer.Data.Groups {
			for _, rule := range group.Rules {
				rules++
				if rule.Health != "ok" {
					return fmt.Errorf("rule %s: health %s %s", rule.Name, rule.Health, rule.LastError)
				}
			}
		}
		if rules == 0 {
			return fmt.Errorf("no rules are loaded")
		}
		t.Logf("%d rules evaluate", rules)
		return nil
	})
}

// alert is what Alertmanager reports of an alert.
type alert struct {
	Labels, Annotations map[string]string
	Status              struct {
		State       string // active, suppressed
		InhibitedBy []string
	}
}

// alerts returns Alertmanager's alerts that match.
func (s *stack) alerts(matchers ...string) ([]alert, error) {
	body, err := get(s.alertmanager + "/api/v2/alerts?" + url.Values{"filter": matchers}.Encode())
	if err != nil {
		return nil, err
	}
	var found []alert
	return found, json.Unmarshal(body, &found)
}

// A small PBX that stops is a mail, a large one pages on-call; both link to their dashboard.
func (s *stack) testAlert(t *testing.T) {
	// There is no notification of a PBX that its customer has not activated yet, nor at once of a trial.
	const commercial = ` and on (cloud_pbx_id) ycm_cloud_pbx_info{type="Commercial"} and on (cloud_pbx_id) ycm_cloud_pbx_activated == 1
		and on (cloud_pbx_id) ycm_cloud_pbx_status{status="Running"} == 1`
	stopped := map[string]sample{}
	for severity, query := range map[string]string{
		"warning":  `ycm_cloud_pbx_extensions_capacity < 20` + commercial,
		"critical": `ycm_cloud_pbx_extensions_capacity >= 20 and on (cloud_pbx_id) cloud_pbx:ycm_cloud_pbx_extensions_capacity:page` + commercial,
	} {
		var pbxs []sample
		within(t, 2*time.Minute, func() (err error) {
			pbxs, err = s.query(query)
			if err == nil && len(pbxs) == 0 {
				err = fmt.Errorf("no PBX runs that could be stopped: no answer to %s", query)
			}
			return err
		})
		stopped[severity] = pbxs[0]
		s.steer(t, http.MethodPost, "/sim/pbx/"+pbxs[0].Metric["cloud_pbx_id"]+"/status?value=Stopped")
	}
	for severity, pbx := range stopped {
		id := pbx.Metric["cloud_pbx_id"]
		within(t, 2*time.Minute, func() error {
			alerts, err := s.alerts(`alertname="YcmCloudPbxStopped"`, fmt.Sprintf("cloud_pbx_id=%q", id))
			if err != nil {
				return err
			}
			if len(alerts) != 1 {
				return fmt.Errorf("Alertmanager has %d alerts for PBX %s, want 1", len(alerts), id)
			}
			for label, want := range map[string]string{"severity": severity, "account": "demo", "name": pbx.Metric["name"], "region": pbx.Metric["region"]} {
				if got := alerts[0].Labels[label]; got != want {
					t.Errorf("the alert's label %s is %q, want %q", label, got, want)
				}
			}
			if got, want := alerts[0].Annotations["dashboard_url"], "/d/ycm-pbx?var-account=demo&var-pbx="+id; got != want {
				t.Errorf("the alert's dashboard_url is %q, want %q", got, want)
			}
			return nil
		})
		s.steer(t, http.MethodDelete, "/sim/pbx/"+id+"/status")
	}
	within(t, 3*time.Minute, func() error {
		for _, pbx := range stopped {
			alerts, err := s.alerts(`alertname="YcmCloudPbxStopped"`, fmt.Sprintf("cloud_pbx_id=%q", pbx.Metric["cloud_pbx_id"]))
			if err != nil {
				return err
			}
			if len(alerts) != 0 {
				return fmt.Errorf("the alert of PBX %s is not resolved", pbx.Metric["cloud_pbx_id"])
			}
		}
		return nil
	})
}

// When all PBXs of a region stop, one alert names the region and the number, and silences those of its PBXs.
func (s *stack) testRegion(t *testing.T) {
	const region = "Europe(Frankfurt)"
	pbxs, err := s.query(fmt.Sprintf(`ycm_cloud_pbx_status{status="Running", region=%q} == 1`, region))
	if err != nil || len(pbxs) < 10 {
		t.Fatalf("%d PBXs run in %s: %v", len(pbxs), region, err)
	}
	for _, pbx := range pbxs {
		s.steer(t, http.MethodPost, "/sim/pbx/"+pbx.Metric["cloud_pbx_id"]+"/status?value=Stopped")
	}
	within(t, 2*time.Minute, func() error {
		outages, err := s.alerts(`alertname="YcmManyCloudPbxsNotRunning"`)
		if err != nil {
			return err
		}
		if len(outages) != 1 {
			return fmt.Errorf("%d regions have an outage, want 1", len(outages))
		}
		summary := regexp.MustCompile(`^(\d+) of \d+ Cloud PBXs of region (.*) are not running`).FindStringSubmatch(outages[0].Annotations["summary"])
		if summary == nil || summary[2] != region {
			return fmt.Errorf("the summary of the outage is %q, which lacks the number or the region", outages[0].Annotations["summary"])
		}
		if number, _ := strconv.Atoi(summary[1]); number < len(pbxs) {
			return fmt.Errorf("the outage is one of %d PBXs, want at least %d", number, len(pbxs))
		}
		stopped, err := s.alerts(`alertname="YcmCloudPbxStopped"`, fmt.Sprintf("region=%q", region))
		if err != nil {
			return err
		}
		if len(stopped) < len(pbxs)/2 {
			return fmt.Errorf("%d PBXs of the region are reported as stopped, want about %d", len(stopped), len(pbxs))
		}
		for _, a := range stopped {
			if a.Status.State != "suppressed" || len(a.Status.InhibitedBy) == 0 {
				return fmt.Errorf("the alert of PBX %s is %s, want it silenced by the region's", a.Labels["cloud_pbx_id"], a.Status.State)
			}
		}
		return nil
	})
	for _, pbx := range pbxs {
		s.steer(t, http.MethodDelete, "/sim/pbx/"+pbx.Metric["cloud_pbx_id"]+"/status")
	}
}

// steer changes a PBX of the demo's simulator.
func (s *stack) steer(t *testing.T, method, path string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.simulator+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%s %s: got %s, want 204", method, path, resp.Status)
	}
}
