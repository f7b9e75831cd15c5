package collector

import (
	"fmt"
	"math"
	"time"
	"unique"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// recorded is a reading that is written and read as many records, which takes less memory than one large record.
type recorded interface {
	write(write func(record any) error) error
	read(next func(record any) error) error
}

// listHead is the first record of a list's reading; the PBXs follow.
type listHead struct {
	PBXs     int
	Total    int64
	Listed   int
	Requests int
	State    ycmclient.WalkState
	Polled   time.Time
}

func (r *listReading) write(write func(record any) error) error {
	return writeAll(write, listHead{len(r.List.PBXs), r.List.Total, r.List.Listed, r.List.Requests, r.State, r.Polled}, r.List.PBXs)
}

func (r *listReading) read(next func(record any) error) error {
	var head listHead
	if err := next(&head); err != nil {
		return err
	}
	last := int64(math.MinInt64)
	pbxs, err := readAll[ycmclient.CloudPBX](func(record any) error {
		if err := next(record); err != nil {
			return err
		}
		p := record.(*ycmclient.CloudPBX)
		if p.ID <= last {
			return fmt.Errorf("PBX %d follows PBX %d, but must have a higher id", p.ID, last)
		}
		last = p.ID
		for _, text := range []*string{&p.Region, &p.Type, &p.Plan, &p.Group, &p.Version, &p.LastUsedTemplate} {
			*text = unique.Make(*text).Value() // A fleet has few versions, regions and plans.
		}
		return nil
	}, head.PBXs)
	if err != nil {
		return err
	}
	*r = listReading{ycmclient.List{PBXs: pbxs, Total: head.Total, Listed: head.Listed, Requests: head.Requests}, head.State, head.Polled}
	return nil
}

// writeAll writes a head and then each record by itself.
func writeAll[T any](write func(record any) error, head any, records []T) error {
	err := write(head)
	for i := 0; err == nil && i < len(records); i++ {
		err = write(&records[i])
	}
	return err
}

// readAll reads so many records.
func readAll[T any](next func(record any) error, n int) ([]T, error) {
	records := make([]T, 0, min(max(0, n), 100_000)) // A wrong number must not allocate more.
	for len(records) < n {
		records = append(records, *new(T))
		if err := next(&records[len(records)-1]); err != nil {
			return nil, err
		}
	}
	return records, nil
}
