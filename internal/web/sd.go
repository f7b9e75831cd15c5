package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// serviceDiscovery lists one target per account and shard, so that several Prometheus servers can share a fleet. The
// instance label is different for each target, because their up series would collide otherwise. The address is the external
// URL, or that of the request.
func serviceDiscovery(o Options, s Site, e Exporter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, host := s.external.Scheme, s.external.Host
		if host == "" {
			scheme, host = "http", r.Host
			if r.TLS != nil {
				scheme = "https"
			}
		}
		type group struct {
			Targets []string          `json:"targets"`
			Labels  map[string]string `json:"labels"`
		}
		groups := []group{}
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
				groups = append(groups, group{[]string{host}, labels})
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(groups) // It fails only if the client has left.
	}
}
