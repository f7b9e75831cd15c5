package sweep

import (
	"encoding/json"
	"fmt"
)

// head is what a reading has besides the results, and their number.
type head struct {
	Results         int
	Direct, Proxied Position
	Lacking         map[int64]string `json:",omitempty"`
}

// WriteRecords writes the reading as JSON values, one for each result.
func (r *Reading[R]) WriteRecords(to *json.Encoder) error {
	if err := to.Encode(head{len(r.Results), r.Direct, r.Proxied, r.Lacking}); err != nil {
		return err
	}
	for i := range r.Results {
		if err := to.Encode(&r.Results[i]); err != nil {
			return err
		}
	}
	return nil
}

// ReadRecords reads what WriteRecords has written. If it fails, the reading is of no use.
func (r *Reading[R]) ReadRecords(from *json.Decoder) error {
	var h head
	if err := from.Decode(&h); err != nil {
		return err
	}
	*r = Reading[R]{Direct: h.Direct, Proxied: h.Proxied, Lacking: h.Lacking}
	for i := 0; i < h.Results && from.More(); i++ {
		r.Results = append(r.Results, Result[R]{})
		if err := from.Decode(&r.Results[i]); err != nil {
			return err
		}
	}
	if len(r.Results) != h.Results {
		return fmt.Errorf("there are %d results, and should be %d", len(r.Results), h.Results)
	}
	return nil
}
