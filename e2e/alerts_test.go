//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"
)

// TestStack is what happens from the first scrape to the alert that wakes somebody, with real parts.
func TestStack(t *testing.T) {
	s := start(t)
	t.Run("every format is scraped without a warning", s.testScrapes)
	t.Run("every rule evaluates", s.testRules)
	t.Run("a stopped PBX fires in Alertmanager and resolves", s.testAlert)
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

// alerts asks Alertmanager for the active alerts of a PBX.
func (s *stack) alerts(name, id string) ([]map[string]string, error) {
	filter := url.Values{"filter": {fmt.Sprintf("alertname=%q", name), fmt.Sprintf("cloud_pbx_id=%q", id)}, "active": {"true"}}
	body, err := get(s.alertmanager + "/api/v2/alerts?" + filter.Encode())
	if err != nil {
		return nil, err
	}
	var found []struct{ Labels map[string]string }
	if err := json.Unmarshal(body, &found); err != nil {
		return nil, err
	}
	labels := make([]map[string]string, len(found))
	for i := range found {
		labels[i] = found[i].Labels
	}
	return labels, nil
}

func (s *stack) testAlert(t *testing.T) {
	running, err := s.query(`ycm_cloud_pbx_status{status="Running"} == 1 and on (cloud_pbx_id) ycm_cloud_pbx_info{type="Commercial"} and on (cloud_pbx_id) ycm_cloud_pbx_activated == 1`)
	if err != nil || len(running) == 0 {
		t.Fatalf("no PBX runs that could be stopped: %v", err)
	}
	pbx := running[0].Metric
	id := pbx["cloud_pbx_id"]

	s.steer(t, http.MethodPost, "/sim/pbx/"+id+"/status?value=Stopped")
	within(t, 2*time.Minute, func() error {
		alerts, err := s.alerts("YcmCloudPbxStopped", id)
		if err != nil {
			return err
		}
		if len(alerts) != 1 {
			return fmt.Errorf("Alertmanager has %d alerts for PBX %s, want 1", len(alerts), id)
		}
		for label, want := range map[string]string{"severity": "critical", "account": "demo", "name": pbx["name"], "region": pbx["region"]} {
			if got := alerts[0][label]; got != want {
				t.Errorf("the alert's label %s is %q, want %q", label, got, want)
			}
		}
		return nil
	})
	s.steer(t, http.MethodPost, "/sim/pbx/"+id+"/status?value=Running")
	within(t, 3*time.Minute, func() error {
		alerts, err := s.alerts("YcmCloudPbxStopped", id)
		if err == nil && len(alerts) != 0 {
			err = fmt.Errorf("the alert for PBX %s is not resolved", id)
		}
		return err
	})
}

// steer tells the demo's simulator to do something.
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
