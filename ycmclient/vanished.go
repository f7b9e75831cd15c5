package ycmclient

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// ErrUnconfirmed is the cause of the error of a walk that misses so many PBXs that it is not to be served before more
// walks agree.
var ErrUnconfirmed = errors.New("the walk is unconfirmed")

// agreeing is how many walks in a row must miss the same PBXs, if they are many, before these are taken for gone.
const agreeing = 3

// confirm asks for each vanished PBX by its id, if they are not more than the most, and adds those that exist to the
// list. It returns those of which asking would tell nothing.
func (c *Client) confirm(ctx context.Context, list *List, vanished []CloudPBX, most int) (unsure []CloudPBX, err error) {
	if c.search != "" || len(vanished) > most {
		return vanished, nil // With a search, a PBX that exists may match no more.
	}
	var found []CloudPBX
	for _, old := range vanished {
		list.Requests++
		pbx, err := c.CloudPBX(ctx, old.ID)
		switch yeastar.ClassOf(err) {
		case yeastar.OK:
			c.observer.Repair()
			found = append(found, pbx)
		case yeastar.NotFound:
		case yeastar.Denied, yeastar.Invalid: // This account cannot ask for single PBXs.
			unsure = append(unsure, old)
		default:
			return nil, err
		}
	}
	list.add(found)
	return unsure, nil
}

// confirmMany decides about the PBXs that vanished of so many known ones, if they are more than one by one can be asked
// for: they are gone if enough walks in a row have missed them, and until then the error is ErrUnconfirmed. It returns
// those of which is still to be decided: few, that vanished since the walks began to agree. A walk that misses many
// more than those before is the first of a new row, because what was read long ago must not be told as of today.
func (c *Client) confirmMany(state *WalkState, vanished []CloudPBX, known int) ([]CloudPBX, error) {
	many := few(known)
	if len(vanished) <= many {
		state.Vanished, state.Agreed = nil, 0
		c.observer.Unconfirmed(false)
		return vanished, nil
	}
	var same, since []CloudPBX
	for _, pbx := range vanished {
		if _, before := slices.BinarySearch(state.Vanished, pbx.ID); before {
			same = append(same, pbx)
		} else {
			since = append(since, pbx)
		}
	}
	if len(same) <= many || len(since) > many {
		same, since = vanished, nil
		state.Agreed = 0
	}
	state.Vanished = state.Vanished[:0]
	for _, pbx := range same {
		state.Vanished = append(state.Vanished, pbx.ID)
	}
	state.Agreed++
	c.observer.Unconfirmed(state.Agreed < agreeing)
	if state.Agreed < agreeing {
		return nil, &yeastar.Error{
			Account: c.account, Endpoint: EndpointList, Class: yeastar.Invalid, Err: ErrUnconfirmed,
			Message: fmt.Sprintf("%d of %d PBXs are missing from the list; that is believed when %d walks in a row agree, and this is number %d",
				len(vanished), known, agreeing, state.Agreed),
		}
	}
	state.Vanished, state.Agreed = nil, 0
	return since, nil
}
