package ycmtest

import (
	"fmt"
	"net/http"
	"strconv"
)

// DIDs is the list of DID numbers.
const DIDs Endpoint = "dids"

const (
	firstDIDID = 301
	didIDStep  = 3
)

// dids lists five DID numbers for each two PBXs ("Query All the DID Numbers"): two for each PBX, and one that is not assigned.
func (s *Server) dids(r *http.Request) (any, *failure) {
	q, failed := pageOf(r.URL.Query())
	if failed != nil {
		return nil, failed
	}
	pbxs := s.fleet.list("")
	answer := page{q.size, q.number, len(pbxs) * 5 / 2, []any{}}
	for i := q.offset(); i < min(q.offset()+q.size, answer.Total); i++ {
		did := map[string]any{
			"id": firstDIDID + didIDStep*i, "did": fmt.Sprintf("555%07d", i), "didName": "Line " + strconv.Itoa(i+1),
			"creator": Person{"User", "1", "user1@example.com"}, "trunkIds": []int{1 + i%3},
		}
		switch turn, place := i/5, i%5; {
		case place < 4:
			did["cloudPbxId"] = strconv.FormatInt(pbxs[2*turn+place/2], 10) // a string here, a number in the list of PBXs
		case turn%3 == 1:
			did["cloudPbxId"] = ""
		case turn%3 == 2:
			did["cloudPbxId"] = nil
		}
		answer.List = append(answer.List, did)
	}
	return answer, nil
}
