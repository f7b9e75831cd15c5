package poll

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// observer counts what an account's client does.
type observer struct {
	account string
	*Metrics
}

// Observer is the hook by which an account's client tells what it does.
func (m *Metrics) Observer(account string) ycmclient.Observer { return observer{account, m} }

// Request implements ycmclient.Observer.
func (o observer) Request(endpoint string, result yeastar.Class, took time.Duration) {
	o.requests.WithLabelValues(o.account, endpoint, string(result)).Inc()
	o.latency.WithLabelValues(o.account, endpoint).Observe(took.Seconds())
}

// Retry implements ycmclient.Observer.
func (o observer) Retry(reason yeastar.Class) {
	o.retries.WithLabelValues(o.account, string(reason)).Inc()
}

// RateLimitWait implements ycmclient.Observer.
func (o observer) RateLimitWait(d time.Duration) {
	o.limitWait.WithLabelValues(o.account).Add(max(0, d.Seconds()))
}

// Unexpected implements ycmclient.Observer.
func (o observer) Unexpected(field string) { o.unexpected.WithLabelValues(o.account, field).Inc() }

// Login implements ycmclient.Observer.
func (o observer) Login(grant string, result yeastar.Class) {
	o.logins.WithLabelValues(o.account, grant, string(result)).Inc()
}

// TokenExpires implements ycmclient.Observer. The zero time says that there is no token.
func (o observer) TokenExpires(at time.Time) {
	if at.IsZero() {
		o.tokenEnds.DeleteLabelValues(o.account)
		return
	}
	o.tokenEnds.WithLabelValues(o.account).Set(float64(at.Unix()))
}

// Repair implements ycmclient.Observer.
func (o observer) Repair() { o.repairs.WithLabelValues(o.account).Inc() }

// Mismatch implements ycmclient.Observer.
func (o observer) Mismatch() { o.mismatches.WithLabelValues(o.account).Inc() }

// Unconfirmed implements ycmclient.Observer.
func (o observer) Unconfirmed(now bool) {
	value := 0.0
	if now {
		value = 1
	}
	o.unconfirmed.WithLabelValues(o.account).Set(value)
}
