//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDailyGroupsAreSentInTheMorning starts a daily alert before the morning begins, with the example's configuration
// at another time of day: nothing is sent until the morning, and then it is, once, in the words of ycm.tmpl.
func TestDailyGroupsAreSentInTheMorning(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	type sent struct {
		at   time.Time
		text string
	}
	messages := make(chan sent, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			Attachments []struct{ Title, Text string }
		}
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil || len(message.Attachments) != 1 {
			t.Errorf("the message cannot be read: %v", err)
			return
		}
		messages <- sent{time.Now(), message.Attachments[0].Title + "\n" + message.Attachments[0].Text}
		fmt.Fprint(w, "ok")
	}))
	defer receiver.Close()

	morning := time.Now().UTC().Add(90 * time.Second).Truncate(time.Minute)
	config, err := os.ReadFile(filepath.Join(root, "alerts", "alertmanager.example.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for pattern, replacement := range map[string]string{
		`start_time: '08:00', end_time: '09:30'`: fmt.Sprintf("start_time: '%s', end_time: '%s'", morning.Format("15:04"), morning.Add(2*time.Minute).Format("15:04")),
		`weekdays: \['monday:friday'\]`:          "weekdays: ['sunday:saturday']",
		`group_wait: 2m`:                         "group_wait: 1s",
		`group_interval: 1h`:                     "group_interval: 20s",
		`(?m)^  - name: daily$`:                  "  - name: daily\n    slack_configs: [{api_url: '" + receiver.URL + `', title: '{{ template "ycm.title" . }}', text: '{{ template "ycm.text" . }}'}]`,
	} {
		changed := regexp.MustCompile(pattern).ReplaceAll(config, []byte(replacement))
		if string(changed) == string(config) {
			t.Fatalf("the example has no %s", pattern)
		}
		config = changed
	}
	if morning.Day() != morning.Add(2*time.Minute).Day() {
		t.Skip("a morning cannot last past midnight")
	}
	templates, err := os.ReadFile(filepath.Join(root, "alerts", "ycm.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freePort(t)
	for name, content := range map[string][]byte{"alertmanager.yml": config, "ycm.tmpl": templates} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	launch(t, dir, nil, tool(t, "alertmanager"), "--config.file=alertmanager.yml", "--storage.path=data",
		"--web.listen-address="+address, "--cluster.listen-address=")
	within(t, 30*time.Second, func() error { _, err := get("http://" + address + "/-/ready"); return err })
	started := time.Now().UTC()
	resp, err := http.Post("http://"+address+"/api/v2/alerts", "application/json", strings.NewReader(
		`[{"labels": {"alertname": "YcmBackupOld", "account": "main", "severity": "warning", "notify": "daily"},
		"annotations": {"summary": "Outdated backup", "description": "It is old.", "dashboard_url": "/d/ycm-fleet", "runbook_url": "https://runbook"},
		"startsAt": "`+started.Format(time.RFC3339)+`", "endsAt": "`+started.Add(time.Hour).Format(time.RFC3339)+`"}]`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("Alertmanager answers the alert with %s", resp.Status)
	}

	want := "WARNING: Outdated backup\n- It is old.\n  On this list since " + started.Format(time.DateOnly) +
		".\n  http://localhost:3000/d/ycm-fleet\nRunbook: https://runbook"
	select {
	case message := <-messages:
		if got := strings.TrimSpace(message.text); message.at.Before(morning) || got != want {
			t.Errorf("notified at %s: %q, want %q, not before %s", message.at.Format(time.TimeOnly), got, want, morning.Format(time.TimeOnly))
		}
	case <-time.After(time.Until(morning) + 2*time.Minute):
		t.Fatalf("nothing was sent in the morning, from %s on", morning.Format(time.TimeOnly))
	}
	select {
	case message := <-messages:
		t.Errorf("notified once more at %s: %q", message.at.Format(time.TimeOnly), message.text)
	case <-time.After(45 * time.Second):
	}
}
