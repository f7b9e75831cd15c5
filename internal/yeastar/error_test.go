package yeastar_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want yeastar.Class
	}{
		{nil, yeastar.OK},
		{errors.New("anything"), yeastar.Network},
		{context.Canceled, yeastar.Network},
		{context.DeadlineExceeded, yeastar.Timeout},
		{&yeastar.Error{Class: yeastar.Denied}, yeastar.Denied},
		{errors.Join(errors.New("first"), &yeastar.Error{Class: yeastar.Auth}), yeastar.Auth},
	} {
		if got := yeastar.ClassOf(c.err); got != c.want {
			t.Errorf("ClassOf(%v) = %s, want %s", c.err, got, c.want)
		}
	}
	want := []yeastar.Class{"ok", "network", "timeout", "server", "rate_limited", "auth", "denied", "not_found", "invalid"}
	if diff := cmp.Diff(want, yeastar.Classes()); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}

func TestErrorsSayWhatFailedWhereAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  yeastar.Error
		want string
	}{
		{
			yeastar.Error{Account: "main", Endpoint: "cloud_pbx_list", Class: yeastar.Denied, HTTPStatus: 403, Code: 1000042, RequestID: "5ed0", Message: "ACCESS_DENIED"},
			"account main: cloud_pbx_list: denied (HTTP 403, code 1000042, request 5ed0): ACCESS_DENIED; grant the permission to the account in YCM, or disable the collector",
		},
		{
			yeastar.Error{Account: "main", PBX: "3658", Endpoint: "trunk/list", Class: yeastar.NotFound, Code: 10001, Advice: yeastar.NotFound.PBXAdvice()},
			"account main: PBX 3658: trunk/list: not_found (code 10001 INTERFACE NOT EXISTED); the firmware of the PBX may be too old for this request",
		},
		{
			yeastar.Error{Account: "main", PBX: "3658", Endpoint: "trunk/list", Class: yeastar.Server, Message: "OVERLOAD"},
			"account main: PBX 3658: trunk/list: server: OVERLOAD",
		},
		{
			yeastar.Error{Account: "main", Endpoint: "users", Class: yeastar.Network, Message: "given up", Err: context.Canceled},
			"account main: users: network: given up",
		},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestReachOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want yeastar.Reach
	}{
		{nil, yeastar.Answered},
		{errors.New("anything"), yeastar.NotSent},
		{&yeastar.Error{Class: yeastar.Auth}, yeastar.NotSent},
		{fmt.Errorf("sweep: %w", &yeastar.Error{Reach: yeastar.NoAnswer}), yeastar.NoAnswer},
	} {
		if got := yeastar.ReachOf(c.err); got != c.want {
			t.Errorf("ReachOf(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}
