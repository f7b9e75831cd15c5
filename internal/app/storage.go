package app

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// suffix ends the names of the files of what belongs to the keys, without showing them.
func suffix(keys ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(keys, "\x00")))
	return "-" + hex.EncodeToString(sum[:8])
}

// LoginStore persists refused logins. It is a ycmclient.Store.
type LoginStore struct{ Store *storage.Store }

// Logins returns what is stored of a base URL.
func (s LoginStore) Logins(baseURL string) (state yeastar.LoginState, ok bool) {
	ok = s.Store.Load("logins"+suffix(baseURL), func(next func(record any) error) error { return next(&state) })
	return state, ok
}

// ReloadLogins returns what is stored now, also by another process.
func (s LoginStore) ReloadLogins(baseURL string) (state yeastar.LoginState, ok bool) {
	ok = s.Store.Reload("logins"+suffix(baseURL), func(next func(record any) error) error { return next(&state) })
	return state, ok
}

// SaveLogins stores the refused logins of a base URL.
func (s LoginStore) SaveLogins(baseURL string, state yeastar.LoginState) {
	s.Store.Save("logins"+suffix(baseURL), func(write func(record any) error) error { return write(state) })
}

// Storage implements web.Exporter.
func (e *exporter) Storage() *storage.Status { return e.store.Status() }
