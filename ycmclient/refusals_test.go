package ycmclient_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// walks makes four walks of a YCM and fails the test unless each has the whole fleet. It returns what the last one took.
func walks(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client) (pages int) {
	t.Helper()
	var state ycmclient.WalkState
	var previous []ycmclient.CloudPBX
	for walk := 1; walk <= 4; walk++ {
		before := ycm.Count(ycmtest.CloudPBXList)
		list, err := client.Walk(t.Context(), &state, previous, nil)
		if err != nil {
			t.Fatalf("walk %d: %v", walk, err)
		}
		if !slices.Equal(idsOf(list.PBXs), ycm.IDs()) {
			t.Fatalf("walk %d has %d PBXs, want the %d of the fleet", walk, len(list.PBXs), len(ycm.IDs()))
		}
		previous, pages = list.PBXs, ycm.Count(ycmtest.CloudPBXList)-before
	}
	return pages
}

// A page size or an order that YCM refuses is left out from then on.
func TestRefusedPageSizeOrOrderIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		refuses func(pageSize int, sort string) bool
		pages   int // What a walk takes that knows the list.
	}{
		"pages of 50":        {func(size int, _ string) bool { return size > 10 }, 14},
		"any size or order":  {func(size int, sort string) bool { return size > 0 || sort != "" }, 15},
		"nothing, as it was": {func(int, string) bool { return false }, 4},
	} {
		for _, shape := range []ycmtest.Shape{{}, {Always200: true}, {Body: ycmtest.ErrNo}} {
			t.Run(name+" by "+shape.String(), func(t *testing.T) {
				var logged bytes.Buffer
				edit := func(o *ycmclient.Options) { o.Logger = log.NewLogfmtLogger(&logged) }
				bubble(t, ycmtest.Options{PBXs: 132}, edit, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
					refused := ycm.Inject(ycmtest.Fault{
						Match: func(r *http.Request) bool {
							q := r.URL.Query()
							size, _ := strconv.Atoi(q.Get("pageSize"))
							return q.Get("pageNumber") != "" && c.refuses(size, q.Get("sort"))
						},
						Effect: ycmtest.Failure(1000004, shape),
					})
					if pages := walks(t, ycm, client); pages > c.pages {
						t.Errorf("a walk took %d requests, want at most %d", pages, c.pages)
					}
					if _, err := client.Users(t.Context()); err != nil {
						t.Errorf("the list of users: %v", err)
					}
					if most := 4; refused.Hits() > most {
						t.Errorf("%d requests were refused, want at most %d of two lists", refused.Hits(), most)
					}
					lines := strings.Count(logged.String(), "YCM rejected page size or sort order")
					if want := min(2, refused.Hits()); lines != want {
						t.Errorf("%d lines were logged, want %d, one for each list:\n%s", lines, want, &logged)
					}
				})
			})
		}
	}
}

// A list whose query is refused in every way fails with what YCM says.
func TestQueryThatIsRefusedInEveryWay(t *testing.T) {
	bubble(t, ycmtest.Options{PBXs: 60}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Failure(1000004, ycmtest.Shape{})})
		_, err := client.Walk(t.Context(), nil, nil, nil)
		if yeastar.ClassOf(err) != yeastar.Invalid || !strings.Contains(err.Error(), "1000004") {
			t.Errorf("got %v, want YCM's refusal", err)
		}
		if n := ycm.Count(ycmtest.CloudPBXList); n > 6 {
			t.Errorf("%d requests were made, want two rows of three", n)
		}
	})
}

// A YCM that fails where its list has ended loses no PBX, and one that fails within its list is not taken for shorter.
func TestYCMThatFailsPastTheEnd(t *testing.T) {
	for name, effect := range map[string]ycmtest.Effect{
		"a server error":           ycmtest.Failure(1000001, ycmtest.Shape{}),
		"a server error, HTTP 200": ycmtest.Failure(1000001, ycmtest.Shape{Always200: true}),
		"a gateway's page":         ycmtest.HTML(http.StatusInternalServerError),
		"a denial":                 ycmtest.Failure(1000042, ycmtest.Shape{}),
	} {
		from := func(page int) func(*http.Request) bool {
			return func(r *http.Request) bool {
				n, _ := strconv.Atoi(r.URL.Query().Get("pageNumber"))
				return n >= page
			}
		}
		for _, pbxs := range []int{1, 50, 100} {
			t.Run(name+" behind "+strconv.Itoa(pbxs)+" PBXs", func(t *testing.T) {
				bubble(t, ycmtest.Options{PBXs: pbxs}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Match: from((pbxs-1)/50 + 2), Effect: effect})
					if pages := walks(t, ycm, client); pages > 6 {
						t.Errorf("a walk took %d requests, want at most 6", pages)
					}
				})
			})
		}
		t.Run(name+" within", func(t *testing.T) {
			bubble(t, ycmtest.Options{PBXs: 140}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Match: from(3), Effect: effect})
				if list, err := client.Walk(t.Context(), nil, nil, nil); err == nil {
					t.Errorf("the walk succeeds with %d of 140 PBXs", len(list.PBXs))
				}
			})
		})
	}
}

// What comes with a token may be wrapped as all other answers are.
func TestTokenInTheEnvelope(t *testing.T) {
	for name, around := range map[string][2]string{
		"an object": {`{"status":"Success","requestId":"x","data":`, `}`},
		"a list":    {`{"status":"Success","requestId":"x","data":[`, `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, ycmtest.Options{PBXs: 3}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						bare := httptest.NewRecorder()
						next.ServeHTTP(bare, r)
						if !json.Valid(bare.Body.Bytes()) {
							t.Errorf("the simulator answers %q", bare.Body)
						}
						_, _ = w.Write([]byte(around[0] + bare.Body.String() + around[1]))
					})
				}})
				query(t, client)
				if left := time.Until(client.TokenExpiry()); left < 29*time.Minute {
					t.Errorf("the token lives for %v more, want half an hour", left)
				}
				time.Sleep(40 * time.Minute)
				query(t, client)
				if want := []string{"client_credentials ok", "refresh_token ok"}; !slices.Equal(w.logins, want) {
					t.Errorf("logins %v, want %v", w.logins, want)
				}
			})
		})
	}
}
