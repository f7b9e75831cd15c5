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
		s, err := a.YCM.UserSubscription(ctx, one.ID)
		switch {
		case err == nil:
			all[i].Subscription = s
		case !withheld(err):
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
			Help:   "Subordinate user of the account, with id (userId), type (userType: My Colleague, Reseller, Hosting User) and company; value is always 1.",
			Labels: []string{"company", "user_id", "user_type"},
			Read: func(all *[]user, labels []string, sample func(float64)) {
				for _, u := range *all {
					copy(labels, []string{u.Company, decimal(u.ID), u.Type})
					sample(1)
				}
			},
		},
		perUser("ycm_user_cloud_pbxs", func(u *user) yeastar.Int { return u.CloudPBXs }, 1, "Cloud PBXs that the user created (createdCloudPbx); of a Hosting User this includes all subordinate users, so do not sum over users."),
		perUser("ycm_user_extensions_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalExtensions }, 1, "Extensions that the user may assign (totalExtensions)."),
		perUser("ycm_user_extensions_used", func(u *user) yeastar.Int { return u.Subscription.UsedExtensions }, 1, "Extensions that the user has assigned (usedExtensions)."),
		perUser("ycm_user_ultimate_extensions_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalUltimateExtensions }, 1, "Extensions with the Ultimate Plan that the user may assign (totalUltimatePlan)."),
		perUser("ycm_user_ultimate_extensions_used", func(u *user) yeastar.Int { return u.Subscription.UsedUltimateExtensions }, 1, "Extensions with the Ultimate Plan that the user has assigned (usedUltimatePlan)."),
		perUser("ycm_user_concurrent_calls_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalConcurrentCalls }, 1, "Concurrent calls that the user may assign (totalConcurrentCalls)."),
		perUser("ycm_user_concurrent_calls_used", func(u *user) yeastar.Int { return u.Subscription.UsedConcurrentCalls }, 1, "Concurrent calls that the user has assigned (usedConcurrentCalls)."),
		perUser("ycm_user_remote_connections_capacity", func(u *user) yeastar.Int { return u.Subscription.TotalConnections }, 1, "Remote management connections that the user may have (totalConnections)."),
		perUser("ycm_user_remote_connections_used", func(u *user) yeastar.Int { return u.Subscription.UsedConnections }, 1, "Remote management connections that the user has in use (usedConnections)."),
		perUser("ycm_user_recording_capacity_seconds", func(u *user) yeastar.Int { return u.Subscription.TotalRecording }, 60, "Call recording that the user may assign, in seconds (totalRecordings, which the API gives in minutes)."),
		perUser("ycm_user_transcription_capacity_seconds", func(u *user) yeastar.Int { return u.Subscription.TotalTranscription }, 60, "AI transcription that the user may assign, in seconds (totalTranscription, taken as minutes like all of the kind)."),
		perUser("ycm_user_recording_used_seconds", func(u *user) yeastar.Int { return u.Subscription.UsedRecording }, 60, "Call recording that the user has assigned, in seconds (usedRecordings, which the API gives in minutes)."),
	}
}
