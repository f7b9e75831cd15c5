// Package exposition serves snapshots of metrics to Prometheus: rendered once, served many times. It does not know
// where snapshots come from.
//
// A snapshot is a Source, an immutable set of gauges that belongs to one account and one collector. An uncompressed
// scrape is rendered from the sources on the way to the client, so that the text is never held. A scrape in gzip is
// joined from segments that were compressed once per snapshot, one per family, and from the exporter's own metrics,
// which are compressed at each scrape.
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
	// ordered by their label values, which are UTF-8, compared byte by byte in the order of the labels. The slice of labels is
	// reused between calls; its strings may be kept. Each call with the same shard gives the same samples.
	Each(i int, shard Shard, emit func(labels []string, value float64))
}
