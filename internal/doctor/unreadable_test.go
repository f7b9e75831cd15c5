package doctor_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// onPage meets the requests for a page that the test names.
func onPage(is func(number, size int) bool) func(*http.Request) bool {
	return func(r *http.Request) bool {
		number, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
		size, _ := strconv.Atoi(r.URL.Query().Get("pageSize"))
		return is(number, size)
	}
}

// louder writes the names of fields in capitals.
func louder(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		_, _ = w.Write(regexp.MustCompile(`"[A-Za-z]+":`).ReplaceAllFunc(answer.Body.Bytes(), bytes.ToUpper))
	})
}

// What the exporter's own walk makes of a list is what the report says of it, and why.
func TestReportAgreesWithTheWalk(t *testing.T) {
	set := func(field, value string) ycmtest.Fault {
		return ycmtest.Fault{Effect: ycmtest.Set(field, value)}
	}
	rows := `{"status":"Success","data":{"total":140,"pageNumber":1,"rows":[{"cloudPbxId":7}]}}`
	for name, c := range map[string]struct {
		fault  ycmtest.Fault
		fails  bool
		report string
	}{
		"nothing odd":                {ycmtest.Fault{Match: onPage(func(int, int) bool { return false })}, false, "The total is borne out by the list: 140."},
		"page number ignored":        {ycmtest.Fault{Effect: ycmtest.IgnorePage(true)}, true, "Page 2 is the same as page 1"},
		"no total":                   {set("total", ""), true, "The list has no total that is a whole number"},
		"a total with a comma":       {set("total", `"1,400"`), true, "The list has no total that is a whole number"},
		"a negative total":           {set("total", "-1"), true, "YCM counts -1 PBXs, which cannot be."},
		"a total of two millions":    {set("total", "2000000"), true, "YCM counts 2000000 PBXs, which cannot be."},
		"ids of letters":             {set("cloudPbxId", `"a1b2"`), true, "No record has an id (cloudPbxId)"},
		"records that are arrays":    {set("list", `[["7"]]`), true, "The records of the list are no objects."},
		"names in another case":      {ycmtest.Fault{Effect: louder}, false, "The total is borne out by the list: 140."},
		"no JSON":                    {ycmtest.Fault{Effect: ycmtest.Answer(200, "application/json", "{,}")}, true, "HTTP 200 with what is called JSON and is none in the place of JSON"},
		"a list by another name":     {ycmtest.Fault{Effect: ycmtest.Answer(200, "application/json", rows)}, true, "YCM counts 140 PBXs, but the answer has no list. It has the fields data, status, and in data pageNumber, rows, total."},
		"data that is an array":      {set("data", `[{"cloudPbxId":7}]`), true, "it is no page of a list, but has the fields data, requestId, status, time, and data is an array."},
		"a status of its own":        {set("status", `"OK"`), true, "a status that is neither Success nor Failed"},
		"a total on page 1 alone":    {ycmtest.Fault{Match: onPage(func(n, _ int) bool { return n > 1 }), Effect: ycmtest.Set("total", "")}, true, "Page 2 has records and no total."},
		"pages of 50 refused":        {ycmtest.Fault{Match: onPage(func(_, size int) bool { return size > 10 }), Effect: ycmtest.Failure(1000004, ycmtest.Shape{})}, false, "YCM refuses to list 50 records a page by their ids (HTTP 500, code 1000004 INVALID_PARAMETER, taken for invalid), and does so where pages of 10 are asked for."},
		"any size refused":           {ycmtest.Fault{Match: onPage(func(_, size int) bool { return size > 0 }), Effect: ycmtest.Failure(1000004, ycmtest.Shape{Always200: true})}, false, "and does so where no size and no order is asked for."},
		"a failure past the end":     {ycmtest.Fault{Match: onPage(func(n, _ int) bool { return n > 3 }), Effect: ycmtest.Failure(1000001, ycmtest.Shape{})}, false, "A page past the end is refused: HTTP 500, code 1000001 SERVER_ERROR, taken for server."},
		"the list refused every way": {ycmtest.Fault{Effect: ycmtest.Failure(1000004, ycmtest.Shape{})}, true, "The list of Cloud PBXs cannot be read: HTTP 500, code 1000004 INVALID_PARAMETER"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.fault.Effect == nil {
				c.fault.Effect = ycmtest.HTML(500)
			}
			c.fault.Endpoint = ycmtest.CloudPBXList
			walked := walk(t, 140, func(s *ycmtest.Server) { s.Inject(c.fault) })
			examine(t, ycmtest.Options{PBXs: 140, Healthy: true}, func(s *ycmtest.Server, _ *doctor.Options) { s.Inject(c.fault) }, func(_ *ycmtest.Server, a doctor.Account) {
				if a.Works == c.fails || (walked == nil) == c.fails {
					t.Errorf("the report says that the exporter works: %v; a walk ends with the error %v:\n%s", a.Works, walked, text(t, a))
				}
				if report := strings.Join(strings.Fields(text(t, a)), " "); !strings.Contains(report, c.report) {
					t.Errorf("the report does not tell %q:\n%s", c.report, text(t, a))
				}
			})
		})
	}
}

// A list may be in any order that stays. In one that does not, nobody can tell what was missed: a walk of a shuffled one may be
// lucky and find all, so that of it the report alone is sure.
func TestReportOfTheOrderAgreesWithTheWalk(t *testing.T) {
	for order, report := range map[ycmtest.Order]string{
		ycmtest.Rising: "The list rises by id, also when", ycmtest.Falling: "The list falls by id", ycmtest.ByName: "The sort is not honoured",
		ycmtest.Alternating: "The order of the list changes from page to page", ycmtest.Shuffled: "The list is in another order each time",
	} {
		for _, pbxs := range []int{60, 140, 600} {
			t.Run(fmt.Sprint(order, " of ", pbxs), func(t *testing.T) {
				odd := func(s *ycmtest.Server) { s.SetListing(ycmtest.Listing{Order: order}) }
				walked := walk(t, pbxs, odd)
				examine(t, ycmtest.Options{PBXs: pbxs, Healthy: true}, func(s *ycmtest.Server, _ *doctor.Options) { odd(s) }, func(_ *ycmtest.Server, a doctor.Account) {
					if stays := order != ycmtest.Alternating && order != ycmtest.Shuffled; a.Works != stays || order != ycmtest.Shuffled && (walked == nil) != stays {
						t.Errorf("the report says that the exporter works: %v; a walk ends with the error %v:\n%s", a.Works, walked, text(t, a))
					}
					if got := strings.Join(strings.Fields(text(t, a)), " "); !strings.Contains(got, report) {
						t.Errorf("the report does not tell %q:\n%s", report, text(t, a))
					}
				})
			})
		}
	}
}

// walk reads a list as the exporter does.
func walk(t *testing.T, pbxs int, odd func(*ycmtest.Server)) error {
	t.Helper()
	s := ycmtest.New(ycmtest.Options{PBXs: pbxs, Seed: 1, Healthy: true})
	defer s.Close()
	odd(s)
	o := configured(s.Transport())
	client := ycmclient.New(ycmclient.Options{Account: "walk", BaseURL: o.BaseURL, ClientID: o.ClientID, Secret: o.Secret, Transport: o.Transport})
	defer client.Close()
	var state ycmclient.WalkState
	_, err := client.Walk(t.Context(), &state, nil, nil)
	return err
}

// However many collectors there are, the doctor asks no more than it may: what the list and the login need comes first,
// then the collectors that are enabled, and of those that are left out the report says so.
func TestReportOfMoreCollectorsThanRequests(t *testing.T) {
	for _, added := range []int{1, 2, doctor.MostRequests} {
		t.Run(strconv.Itoa(added), func(t *testing.T) {
			examine(t, ycmtest.Options{PBXs: 240, Healthy: true}, func(_ *ycmtest.Server, o *doctor.Options) {
				for n := range added {
					o.Collectors = append(o.Collectors, asking(fmt.Sprintf("added_%d", n+1), n == added-1))
				}
			}, func(s *ycmtest.Server, a doctor.Account) {
				found := map[string]doctor.Finding{}
				for _, f := range a.Findings {
					found[f.Check] = f
				}
				for _, check := range []string{"total", "sort", "past_end", "single", "refresh", "cloud_pbx", "firmware", "subscription"} {
					if f, told := found[check]; !told || f.Verdict != doctor.Fine {
						t.Errorf("%s: %+v, want it to be fine, whatever else is asked", check, f)
					}
				}
				left := 0
				for check, f := range found {
					if strings.Contains(f.Text, "nothing was asked, because the doctor's requests were used up") {
						left++
						if check == fmt.Sprintf("added_%d", added) {
							t.Errorf("%s, which is enabled, was left out", check)
						}
					}
				}
				if left == 0 && added == doctor.MostRequests {
					t.Error("no collector is said to be left out")
				}
				if a.Requests > doctor.MostRequests || len(s.Requests()) != a.Requests {
					t.Errorf("%d requests are said to be sent, and %d were", a.Requests, len(s.Requests()))
				}
			})
		})
	}
}

// asking is a collector that asks a PBX for something that no other one asks for.
func asking(name string, enabled bool) collector.Configured {
	return collector.Configured{
		Collector: collector.Collector{Name: name, AsksPBXs: true, New: func(a collector.Account) collector.Poller { return asks{name, a.YCM} }},
		Schedule:  collector.Schedule{Enabled: enabled, Interval: time.Hour, StaleAfter: 3 * time.Hour},
	}
}

type asks struct {
	name string
	ycm  *ycmclient.Client
}

func (asks) Reading() any                  { return nil }
func (asks) Restore(any) exposition.Source { return nil }

func (c asks) Poll(ctx context.Context, _ func(done, total int)) (exposition.Source, error) {
	return nil, c.ycm.Proxy(ctx, "A1", "openapi/v1.0/"+c.name+"/list", nil, func(body []byte) (*yeastar.Envelope, *yeastar.Error) {
		var e yeastar.Envelope
		failed := yeastar.Decode(body, &e)
		return &e, failed
	})
}
