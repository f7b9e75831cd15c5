package ycmclient

import "github.com/ycm-exporter/ycm_exporter/internal/yeastar"

// NewPageDecoder returns what a walk does with the body of each page, without the walk: it appends the page's PBXs
// to room. Those of previous are the ones that the last walk saw, in the same order.
func NewPageDecoder() func(body []byte, previous, room []CloudPBX) ([]CloudPBX, error) {
	var answer listAnswer
	return func(body []byte, previous, room []CloudPBX) ([]CloudPBX, error) {
		if failure := answer.read(&yeastar.Answer{Status: 200, Body: body}); failure != nil {
			return nil, failure
		}
		known := func(int64) *CloudPBX {
			if len(previous) == 0 {
				return &CloudPBX{}
			}
			first := &previous[0]
			previous = previous[1:]
			return first
		}
		return answer.page(room, known).items, nil
	}
}
