package sweep

import (
	"errors"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Target is a PBX that can be asked.
type Target struct {
	Name, Region, Version string
	Listed                *ycmclient.CloudPBX // as YCM's list has it; nil if that does not

	id     int64 // in YCM's list; below zero for one that the list does not have
	sn     string
	direct *Direct // nil: through YCM
}

// ID is the PBX's id in YCM's list, 0 if that does not have it.
func (t Target) ID() int64 { return max(0, t.id) }

// Direct is how the PBX is spoken to directly, nil if it is reached through YCM.
func (t Target) Direct() *Direct { return t.direct }

// lost reports whether a request to the PBX failed on YCM's side, so that nothing is known of the PBX, nor will be of
// the next.
func (t Target) lost(err error) bool {
	return t.direct == nil && yeastar.ReachOf(err) == yeastar.NotAsked &&
		yeastar.ClassOf(err) != yeastar.Invalid && !aboutPBX(err)
}

// aboutPBX reports whether YCM itself says with a code that it is about the PBX: not activated, not reached.
func aboutPBX(err error) bool {
	const first = 2_000_000 // the codes below are about YCM and its API
	var e *yeastar.Error
	return errors.As(err, &e) && e.Code >= first
}
