package pbxclient

import (
	"encoding/json"
	"time"

	"github.com/ycm-exporter/ycm_exporter/secret"
)

// The lives that the vendor documents, taken where an answer tells none.
const (
	accessLife  = 30 * time.Minute
	refreshLife = 24 * time.Hour
	maxLife     = 24 * time.Hour
	maxToken    = 4096 // bytes; it has to fit into a URL
)

// token is what a login gives. The zero value is no token.
type token struct {
	access, refresh secret.Text
	renew, ends     time.Time // of the access token: not used from renew on, dead from ends on
	refreshEnds     time.Time
}

func (t token) usable(now time.Time) bool { return now.Before(t.renew) }
func (t token) alive(now time.Time) bool  { return now.Before(t.ends) }

// refreshable tells whether a new token can be had for the refresh token.
func (t token) refreshable(now time.Time) bool {
	return !t.refresh.Empty() && now.Before(t.refreshEnds)
}

// expired is t after the PBX has said that its access token is dead.
func (t token) expired() token {
	t.renew, t.ends = time.Time{}, time.Time{}
	return t
}

// decodeToken reads the answer to a login that was sent at asked.
func decodeToken(body []byte, asked time.Time) (token, error) {
	var answer struct {
		Access      raw    `json:"access_token"`
		AccessLife  number `json:"access_token_expire_time"`
		Refresh     raw    `json:"refresh_token"`
		RefreshLife number `json:"refresh_token_expire_time"`
	}
	if err := json.Unmarshal(body, &answer); err != nil ||
		answer.Access == "" || len(answer.Access) > maxToken || len(answer.Refresh) > maxToken {
		return token{}, errNoToken
	}
	life := lifetime(answer.AccessLife, accessLife)
	return token{
		access:      secret.New(string(answer.Access)),
		refresh:     secret.New(string(answer.Refresh)),
		renew:       asked.Add(life - min(time.Minute, life/10)),
		ends:        asked.Add(life),
		refreshEnds: asked.Add(lifetime(answer.RefreshLife, refreshLife)),
	}, nil
}

// lifetime is that many seconds, within reason.
func lifetime(seconds number, documented time.Duration) time.Duration {
	if !seconds.ok || seconds.v <= 0 {
		return documented
	}
	return time.Duration(min(seconds.v, int64(maxLife/time.Second))) * time.Second
}
