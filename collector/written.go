package collector

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// recorded is a reading that has so many records that each is written and read by itself, which takes less memory.
type recorded interface {
	WriteRecords(to *json.Encoder) error
	ReadRecords(from *json.Decoder) error
}

// WriteReading writes a reading as JSON values.
func WriteReading(to *json.Encoder, reading any) error {
	if r, ok := reading.(recorded); ok {
		return r.WriteRecords(to)
	}
	return to.Encode(reading)
}

// ReadReading reads what WriteReading has written into a reading that NewReading has made. If it fails, what it has read
// is of no use.
func ReadReading(from *json.Decoder, reading any) error {
	if r, ok := reading.(recorded); ok {
		return r.ReadRecords(from)
	}
	return from.Decode(reading)
}

// listHead is what a list's reading has besides the PBXs, and their number.
type listHead struct {
	PBXs     int
	Total    int64
	Listed   int
	Requests int
	State    ycmclient.WalkState
	Polled   time.Time
}

// WriteRecords implements recorded.
func (r *listReading) WriteRecords(to *json.Encoder) error {
	if err := to.Encode(listHead{len(r.List.PBXs), r.List.Total, r.List.Listed, r.List.Requests, r.State, r.Polled}); err != nil {
		return err
	}
	for i := range r.List.PBXs {
		if err := to.Encode(&r.List.PBXs[i]); err != nil {
			return err
		}
	}
	return nil
}

// firstGrowth is for how many records room is made on the word of a file alone.
const firstGrowth = 100_000

// ReadRecords implements recorded.
func (r *listReading) ReadRecords(from *json.Decoder) error {
	var head listHead
	if err := from.Decode(&head); err != nil {
		return err
	}
	list := ycmclient.List{Total: head.Total, Listed: head.Listed, Requests: head.Requests}
	list.PBXs = slices.Grow(list.PBXs, max(0, min(head.PBXs, firstGrowth)))
	shared := map[string]string{}
	for n := 0; from.More(); n++ {
		list.PBXs = append(list.PBXs, ycmclient.CloudPBX{})
		p := &list.PBXs[n]
		if err := from.Decode(p); err != nil {
			return err
		}
		if n > 0 && list.PBXs[n-1].ID >= p.ID {
			return fmt.Errorf("PBX %d stands behind PBX %d", p.ID, list.PBXs[n-1].ID)
		}
		for _, text := range []*string{&p.Region, &p.Type, &p.Plan, &p.Group, &p.Version, &p.LastUsedTemplate} {
			share(shared, text)
		}
	}
	if len(list.PBXs) != head.PBXs {
		return fmt.Errorf("there are %d PBXs, and should be %d", len(list.PBXs), head.PBXs)
	}
	*r = listReading{list, head.State, head.Polled}
	return nil
}

// share makes texts that are alike one text: a fleet has few versions, regions and plans.
func share(known map[string]string, text *string) {
	if first, ok := known[*text]; ok {
		*text = first
		return
	}
	known[*text] = *text
}
