package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// targetGroup is one entry of a Prometheus HTTP service discovery document.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// serviceDiscovery lists one target per account and shard, so that several Prometheus servers can share a fleet.
// Targets are told apart by their instance label, as their up series would collide otherwise.
// They are where the exporter is reached from outside, or where this request reached it.
func serviceDiscovery(o Options, s Site, e Exporter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, host := s.external.Scheme, s.external.Host
		if host == "" {
			scheme, host = "http", r.Host
			if r.TLS != nil {
				scheme = "https"
			}
		}
		groups := []targetGroup{}
		for _, account := range e.Status() {
			for shard := range o.SDShards {
				labels := map[string]string{
					"__scheme__":       scheme,
					"__metrics_path__": s.external.Path + o.TelemetryPath,
					"__param_account":  account.Account,
					"instance":         host + "/" + account.Account,
				}
				if o.SDShards > 1 {
					labels["__param_shard"] = strconv.Itoa(shard)
					labels["__param_shards"] = strconv.Itoa(o.SDShards)
					labels["instance"] += fmt.Sprintf("/%d", shard)
				}
				groups = append(groups, targetGroup{Targets: []string{host}, Labels: labels})
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		// The only error here is a client that has gone.
		_ = enc.Encode(groups)
	}
}
