package app

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/storage"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// fileOf names the file of what belongs to the keys, without showing them.
func fileOf(kind string, keys ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(keys, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

// fleetStore persists what the collectors know of a fleet. It is a poll.Store.
type fleetStore struct {
	store *storage.Store
	fleet fleet
}

func (s fleetStore) file(collector string) string {
	return fileOf(collector, s.fleet.baseURL, s.fleet.clientID, s.fleet.search)
}

func (s fleetStore) Save(collector string, records func(write func(record any) error) error) {
	s.store.Save(s.file(collector), records)
}

func (s fleetStore) Load(collector string, load func(next func(record any) error) error) bool {
	return s.store.Load(s.file(collector), load)
}

// LoginStore persists refused logins. It is a ycmclient.Store.
type LoginStore struct{ Store *storage.Store }

// Logins returns what is stored of a base URL.
func (s LoginStore) Logins(baseURL string) (state yeastar.LoginState, ok bool) {
	ok = s.Store.Load(fileOf("logins", baseURL), func(next func(record any) error) error { return next(&state) })
	return state, ok
}

// ReloadLogins returns what is stored now, also by another process.
func (s LoginStore) ReloadLogins(baseURL string) (state yeastar.LoginState, ok bool) {
	ok = s.Store.Reload(fileOf("logins", baseURL), func(next func(record any) error) error { return next(&state) })
	return state, ok
}

// SaveLogins stores the refused logins of a base URL.
func (s LoginStore) SaveLogins(baseURL string, state yeastar.LoginState) {
	s.Store.Save(fileOf("logins", baseURL), func(write func(record any) error) error { return write(state) })
}

// Storage implements web.Exporter.
func (e *exporter) Storage() *web.StorageStatus {
	if e.store == nil {
		return nil
	}
	lastWrite, err := e.store.Status()
	s := &web.StorageStatus{Path: e.store.Path, LastWrite: lastWrite}
	if err != nil {
		s.Err = err.Error()
	}
	return s
}
