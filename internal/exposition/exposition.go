// Package exposition serves snapshots of metrics to Prometheus: published once, scraped many times.
//
// A snapshot is a Source, an immutable set of gauges that belongs to one account and one collector. A scrape that
// wants plain text walks the source and renders it on the way to the client, so that the text is never held. A scrape
// that wants gzip or zstd gets bytes that were compressed once for the snapshot, family by family, joined to what
// changes at each scrape: the exporter's own metrics.
package exposition

// A Family is a gauge: its name, its help and the names of its labels. Names are those of the classic data model
// ([a-zA-Z_][a-zA-Z0-9_]*), labels are sorted by name, and the first label is always account.
type Family struct {
	Name, Help string
	Labels     []string
}

// A Source is an immutable set of samples. Its methods may be called by many goroutines at once.
type Source interface {
	// Families returns the families of the source, sorted by name. A family may be without samples.
	Families() []Family
	// Each calls emit for each sample of family i (of Families) that belongs to shard. Samples are distinct and
	// come ordered by their label values, compared byte by byte in the order of the labels. The slice of labels
	// is reused between calls; its strings may be kept. Each call with the same shard gives the same samples.
	Each(i int, shard Shard, emit func(labels []string, value float64))
}

// accountLabel keeps the samples of different accounts apart.
const accountLabel = "account"
