package pbxclient

import (
	"errors"
	"time"

	"github.com/ycm-exporter/ycm_exporter/secret"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// A PBX blocks an address after 5 refused logins in a row, and only a person can unblock it.
const (
	maxRefusals   = 4
	afterRefusal  = time.Minute
	afterRefusals = 15 * time.Minute // from maxRefusals on, and when the PBX does not let the address in at all
	afterTokenCap = 5 * time.Minute  // somebody's token ends within 30 minutes
)

// lockout spaces the logins of one PBX. The zero value lets the next one through.
type lockout struct {
	row   int            // refused logins in a row
	until time.Time      // no login before
	tried secret.Text    // the secret that was refused
	why   *yeastar.Error // the refusal
}

// wait is how long the next login with that secret has to wait. A changed secret may be tried at once.
func (l *lockout) wait(now time.Time, s secret.Text) time.Duration {
	if s.Reveal() != l.tried.Reveal() {
		return 0
	}
	return l.until.Sub(now)
}

// refused notes a login that the PBX refused. A full token cap is not the credentials' fault and does not count.
func (l *lockout) refused(now time.Time, s secret.Text, why *yeastar.Error) {
	l.tried, l.why = s, why
	if errors.Is(why, TokenCap) {
		l.until = now.Add(afterTokenCap)
		return
	}
	l.row++
	if l.row >= maxRefusals || errors.Is(why, AddressBlocked) || errors.Is(why, IPForbidden) {
		l.until = now.Add(afterRefusals)
		return
	}
	l.until = now.Add(afterRefusal)
}
