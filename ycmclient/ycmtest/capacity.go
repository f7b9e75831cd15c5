package ycmtest

import (
	"net/url"
	"time"
)

// capacity is "Query PBX Capacity", since firmware 84.10. The AI minutes are in seconds; transcription exists since 84.16, the
// receptionist since 84.20.
func (s *Server) capacity(p PBX, _ url.Values) pbxAnswer {
	if compareVersions(p.Version, "84.10") < 0 {
		return pbxError(10001)
	}
	w := s.fleet.world
	n, t := w.ordinal(p.ID), w.moment(time.Now())
	data := map[string]int64{
		"extension_capacity": p.ExtensionCapacity,
		"extension_used":     p.UsedExtensions,
		"cc_capacity":        p.ConcurrentCallCapacity,
		"cc_used":            p.ActiveCalls,
	}
	quota := func(name string, capacity, topic int64) {
		period := 30*day + w.below(60*day, aboutMinutes, n, topic)
		used := (t + w.below(period, aboutMinutes, n, topic, 1)) % period
		data[name+"_capacity"], data[name+"_used"] = capacity, capacity*used/period
	}
	if compareVersions(p.Version, "84.16") >= 0 {
		quota("ai_transcription_onetime", p.TranscriptionCapacity*60, 1)
		quota("ai_transcription_pack", w.below(4, aboutMinutes, n, 2)*500*60, 2)
	}
	if compareVersions(p.Version, "84.20") >= 0 {
		quota("ai_receptionist_onetime", w.below(2, aboutMinutes, n, 3)*60*60, 3)
		quota("ai_receptionist_pack", w.below(3, aboutMinutes, n, 4)*300*60, 4)
	}
	answer := pbxError(0)
	answer["data"] = data
	return answer
}
