//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// backfillWeek gives Prometheus a week of history that ends with what it has scraped: of the sums that the dashboards draw
// over time, of the accounts' pools, and of one PBX, whose id it returns.
func (s *stack) backfillWeek(t *testing.T) (account, pbx string) {
	t.Helper()
	shown, err := s.query(`topk(1, count by (account, cloud_pbx_id) (count by (account, cloud_pbx_id, __name__) ({__name__=~"ycm_cloud_pbx_.+", cloud_pbx_id!=""})))`)
	if err != nil || len(shown) != 1 {
		t.Fatalf("there is no PBX: %v, %v", shown, err)
	}
	account, pbx = shown[0].Metric["account"], shown[0].Metric["cloud_pbx_id"]
	now, err := s.query(fmt.Sprintf(`{__name__=~"account_region_group.*|ycm_cloud_pbxs|cloud_pbx:.*:ratio|ycm_subscription_.*|ycm:threshold:.*"} or {__name__=~"ycm_cloud_pbx_.+", account=%q, cloud_pbx_id=%q}`, account, pbx))
	if err != nil || len(now) == 0 {
		t.Fatalf("there is nothing to make a history of: %d series, %v", len(now), err)
	}
	slices.SortFunc(now, func(a, b sample) int { return strings.Compare(a.Metric["__name__"], b.Metric["__name__"]) })

	path := filepath.Join(t.TempDir(), "week.om")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	end := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	for _, series := range now {
		writeWeek(t, out, series, end)
	}
	fmt.Fprintln(out, "# EOF")
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
	// In blocks of 2 hours, which is the default, promtool would read the file a hundred times.
	cmd := exec.CommandContext(t.Context(), tool(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=54h", path, s.prometheusData)
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("making the week's blocks: %v\n%s", err, printed)
	}
	within(t, 5*time.Minute, func() error {
		old, err := s.query(`account_region_group:ycm_cloud_pbx_active_calls:sum offset 2d`)
		if err == nil && len(old) == 0 {
			err = errors.New("Prometheus has not loaded the week")
		}
		return err
	})
	return account, pbx
}

// escaped writes a label's value as OpenMetrics wants it.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// writeWeek writes the history of one series, a sample each five minutes.
func writeWeek(t *testing.T, out *bufio.Writer, series sample, end time.Time) {
	t.Helper()
	name := series.Metric["__name__"]
	var labels []string
	for label, value := range series.Metric {
		if label != "__name__" {
			labels = append(labels, label+`="`+escaped.Replace(value)+`"`)
		}
	}
	slices.Sort(labels)
	last, err := strconv.ParseFloat(fmt.Sprint(series.Value[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	const week, dayBefore = 7 * 24 * time.Hour, 24 * time.Hour // of which the last day is compared with the one a week before
	for at := end.Add(-week - dayBefore); at.Before(end); at = at.Add(5 * time.Minute) {
		value, passed := last, 1-end.Sub(at).Hours()/week.Hours()
		switch {
		case strings.Contains(name, "active_calls"):
			value = math.Round(last * busy(at) / busy(end) * (0.9 + 0.1*passed))
		case strings.Contains(name, "recording_used"):
			value = last * (0.8 + 0.2*passed)
		case strings.HasSuffix(name, ":ratio"), strings.HasSuffix(name, "_used"):
			value = last * (0.95 + 0.05*passed)
		}
		fmt.Fprintf(out, "%s{%s} %v %d\n", name, strings.Join(labels, ","), value, at.Unix())
	}
}

// busy is how many calls are active: most in the afternoon, half as much at the weekend.
func busy(at time.Time) float64 {
	at = at.UTC()
	level := 1 + 0.6*math.Sin(2*math.Pi*(float64(at.Hour())+float64(at.Minute())/60-9)/24)
	if day := at.Weekday(); day == time.Saturday || day == time.Sunday {
		level /= 2
	}
	return level
}
