package pbxclient

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
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

// grant is the answer to a login.
type grant struct {
	yeastar.Envelope
	Access      string         `json:"access_token"`
	AccessLife  yeastar.Number `json:"access_token_expire_time"`
	Refresh     string         `json:"refresh_token"`
	RefreshLife yeastar.Number `json:"refresh_token_expire_time"`
}

func (g *grant) usable() bool {
	return g.Access != "" && len(g.Access) <= maxToken && len(g.Refresh) <= maxToken
}

// token is what was granted to a login that was sent at asked.
func (g *grant) token(asked time.Time) token {
	life := lifetime(g.AccessLife, accessLife)
	return token{
		access:      secret.New(g.Access),
		refresh:     secret.New(g.Refresh),
		renew:       asked.Add(life - min(time.Minute, life/10)),
		ends:        asked.Add(life),
		refreshEnds: asked.Add(lifetime(g.RefreshLife, refreshLife)),
	}
}

// lifetime is that many seconds, within reason.
func lifetime(seconds yeastar.Number, documented time.Duration) time.Duration {
	if !seconds.Given || seconds.Value <= 0 {
		return documented
	}
	return time.Duration(min(seconds.Value, int64(maxLife/time.Second))) * time.Second
}
