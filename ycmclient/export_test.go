package ycmclient

import "strconv"

// NewPageDecoder returns what a walk does with the body of each page, without the walk: it appends the page's PBXs
// to room. Those of previous are the ones that the last walk saw, in the same order.
func NewPageDecoder() func(body []byte, previous, room []CloudPBX) ([]CloudPBX, error) {
	var answer listAnswer
	var shared interner
	return func(body []byte, previous, room []CloudPBX) ([]CloudPBX, error) {
		if failure := answer.read(200, body); failure != nil {
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
		return answer.page(room, &shared, known).items, nil
	}
}

// Interned returns how many strings an interner holds after so many different ones.
func Interned(distinct int) int {
	var i interner
	for n := range distinct {
		i.intern([]byte(strconv.Itoa(n)), "")
	}
	return len(i.strings)
}
