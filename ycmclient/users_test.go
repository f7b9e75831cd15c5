package ycmclient_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// idPages is a YCM that lists records with those ids on a page, the first time that it is requested and so on, and counts total.
func idPages(field string, total int, ids func(page, time int) []int) http.RoundTripper {
	times := map[string]int{}
	return inProcess{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reply(w, 200, map[string]any{"access_token": "abc", "expires_in": 1800})
			return
		}
		number := r.URL.Query().Get("pageNumber")
		times[number]++
		page, _ := strconv.Atoi(number)
		var list []string
		for _, id := range ids(page, times[number]) {
			list = append(list, fmt.Sprintf(`{%q:%d}`, field, id))
		}
		reply(w, 200, map[string]any{"status": "Success", "data": map[string]any{"total": total, "list": json.RawMessage("[" + strings.Join(list, ",") + "]")}})
	})}
}

// A user may be deleted while YCM counts more users than it lists. No user can be queried by its id.
func TestUserThatVanishesBetweenTwoPasses(t *testing.T) {
	client := newClient(t, idPages("userId", 4, func(page, time int) []int {
		switch {
		case page > 1:
			return nil
		case time == 1:
			return []int{1, 2, 3}
		default:
			return []int{1, 3}
		}
	}), nil)
	if got, err := client.Users(t.Context()); yeastar.ClassOf(err) != yeastar.Invalid {
		t.Errorf("got %+v and the error %v, want an invalid error", got, err)
	}
}
