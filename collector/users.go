package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// user is a user with the subscription, of which all is absent where the API withholds it.
type user struct {
	ycmclient.User
	Subscription ycmclient.UserSubscription
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
		if all[i].Subscription, err = optional(a.YCM.UserSubscription(ctx, one.ID)); err != nil {
			return nil, fmt.Errorf("subscription of user %d: %w", one.ID, err)
		}
	}
	return all, nil
}

// usersColumns declares what is known of users (Query All the YCM Users) and of what they have (Query the Subscription
// of a YCM User). Their names and e-mail addresses are not.
func usersColumns() []series.Column[[]user] {
	perUser := func(name string, get func(*user) yeastar.Int, factor float64, help string) series.Column[[]user] {
		return series.PerItem(name, "user_id", func(all *[]user) []user { return *all },
			func(u *user) (string, yeastar.Int) { return decimal(u.ID), get(u) }, factor, help)
	}
	return []series.Column[[]user]{
		{
			Name:   "ycm_user_info",
			Help:   "Subordinate user of the account, with id, type (such as Reseller) and company; value is always 1.",
			Labels: []string{"company", "user_id", "user_type"},
			Read: func(all *[]user, labels []string, sample func(float64)) {
				for _, u := range *all {
					copy(labels, []string{u.Company, decimal(u.ID), u.Type})
					sample(1)
				}
			},
		},
		perUser("ycm_user_cloud_pbxs", func(u *user) yeastar.Int { return u.CloudPBXs }, 1, "Number of Cloud PBXs created by the user. For a Hosting User this includes all subordinate users; do not sum over users."),
		perUser("ycm_user_extensions_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalExtensions }, 1, "Maximum number of extensions that the user can assign."),
		perUser("ycm_user_extensions_used", func(u *user) yeastar.Int { return u.Subscription.UsedExtensions }, 1, "Number of extensions assigned by the user."),
		perUser("ycm_user_ultimate_extensions_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalUltimateExtensions }, 1, "Maximum number of extensions with the Ultimate Plan that the user can assign."),
		perUser("ycm_user_ultimate_extensions_used", func(u *user) yeastar.Int { return u.Subscription.UsedUltimateExtensions }, 1, "Number of extensions with the Ultimate Plan assigned by the user."),
		perUser("ycm_user_concurrent_calls_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalConcurrentCalls }, 1, "Maximum number of concurrent calls that the user can assign."),
		perUser("ycm_user_concurrent_calls_used", func(u *user) yeastar.Int { return u.Subscription.UsedConcurrentCalls }, 1, "Number of concurrent calls assigned by the user."),
		perUser("ycm_user_remote_connections_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalConnections }, 1, "Maximum number of remote management connections of the user."),
		perUser("ycm_user_remote_connections_used", func(u *user) yeastar.Int { return u.Subscription.UsedConnections }, 1, "Number of remote management connections in use by the user."),
		perUser("ycm_user_recording_capacity_seconds", func(u *user) yeastar.Int { return u.Subscription.TotalRecording }, 60, "Maximum length of call recordings that the user can assign, in seconds."),
		perUser("ycm_user_transcription_capacity_seconds", func(u *user) yeastar.Int { return u.Subscription.TotalTranscription }, 60, "Maximum AI transcription that the user can assign, in seconds. The unit of the API is undocumented and assumed to be minutes."),
		perUser("ycm_user_recording_used_seconds", func(u *user) yeastar.Int { return u.Subscription.UsedRecording }, 60, "Length of call recordings assigned by the user, in seconds."),
	}
}
