package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// user is what one poll learned of a user. Of one whose subscription the API withholds the rest is known.
type user struct {
	ycmclient.User
	Subscription *ycmclient.UserSubscription
}

// users queries what the account's subordinate users, resellers and colleagues among them, have been assigned: one request
// each.
func users() Collector {
	return ofAccount("users", off(time.Hour), usersColumns(), queryUsers, ycmclient.EndpointUsers, ycmclient.EndpointUserSubscription)
}

func queryUsers(ctx context.Context, a Account) ([]user, error) {
	listed, err := a.YCM.Users(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]user, len(listed))
	for i, one := range listed {
		a.Progress(i, len(listed))
		all[i].User = one
		s, err := a.YCM.UserSubscription(ctx, one.ID)
		switch {
		case err == nil:
			all[i].Subscription = &s
		case !withheld(err):
			return nil, fmt.Errorf("subscription of user %d: %w", one.ID, err)
		}
	}
	return all, nil
}

// usersColumns declares what is known of users (Query All the YCM Users) and of what they have (Query the Subscription
// of a YCM User). Their names and e-mail addresses are not.
func usersColumns() []series.Column[[]user] {
	return []series.Column[[]user]{
		{
			Name:   "ycm_user_info",
			Help:   "A subordinate user of the account, always 1, with id (userId), type (userType) and company.",
			Labels: []string{"company", "user_id", "user_type"},
			Read: func(all *[]user, labels []string, sample func(float64)) {
				for _, u := range *all {
					copy(labels, []string{u.Company, decimal(u.ID), u.Type})
					sample(1)
				}
			},
		},
		perUser("ycm_user_cloud_pbxs", "Cloud PBXs that the user created (createdCloudPbx); a Hosting User's include those of all users below, so do not add up.",
			1, func(u *user) yeastar.Int { return u.CloudPBXs }),
		ofUser("ycm_user_extensions_capacity", "Extensions that the user may assign (totalExtensions).",
			1, func(s *ycmclient.UserSubscription) yeastar.Int { return s.TotalExtensions }),
		ofUser("ycm_user_extensions_used", "Extensions that the user has assigned (usedExtensions).",
			1, func(s *ycmclient.UserSubscription) yeastar.Int { return s.UsedExtensions }),
		ofUser("ycm_user_concurrent_calls_capacity", "Concurrent calls that the user may assign (totalConcurrentCalls).",
			1, func(s *ycmclient.UserSubscription) yeastar.Int { return s.TotalConcurrentCalls }),
		ofUser("ycm_user_concurrent_calls_used", "Concurrent calls that the user has assigned (usedConcurrentCalls).",
			1, func(s *ycmclient.UserSubscription) yeastar.Int { return s.UsedConcurrentCalls }),
		ofUser("ycm_user_recording_capacity_seconds", "Call recording that the user may assign, in seconds (totalRecordings, which the API gives in minutes).",
			60, func(s *ycmclient.UserSubscription) yeastar.Int { return s.TotalRecording }),
		ofUser("ycm_user_recording_used_seconds", "Call recording that the user has assigned, in seconds (usedRecordings, which the API gives in minutes).",
			60, func(s *ycmclient.UserSubscription) yeastar.Int { return s.UsedRecording }),
	}
}

func perUser(name, help string, factor float64, get func(*user) yeastar.Int) series.Column[[]user] {
	return series.Column[[]user]{Name: name, Help: help, Labels: []string{"user_id"}, Read: func(all *[]user, labels []string, sample func(float64)) {
		for i := range *all {
			u := &(*all)[i]
			if n, ok := get(u).Get(); ok {
				labels[0] = decimal(u.ID)
				sample(factor * float64(n))
			}
		}
	}}
}

func ofUser(name, help string, factor float64, get func(*ycmclient.UserSubscription) yeastar.Int) series.Column[[]user] {
	return perUser(name, help, factor, func(u *user) yeastar.Int {
		if u.Subscription == nil {
			return yeastar.Absent
		}
		return get(u.Subscription)
	})
}
