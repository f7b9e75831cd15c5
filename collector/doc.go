// Package collector polls YCM in the background and turns what it learns into snapshots of samples.
//
// An [Account] owns one goroutine for each enabled collector. A collector polls on its own interval, from start to
// start and never overlapping itself, and makes of each poll an [exposition.Source]: an immutable snapshot, complete
// or not there at all. One wrapper around all collectors (job.poll) times a poll, recovers a panic, keeps the self
// metrics, publishes the snapshot and sees to its end. A collector itself returns a snapshot or an error, and logs
// nothing.
//
// What only the PBXs themselves can tell is asked of one after the other, in rounds that last an interval or more. A
// poll of such a collector is a slice of the round, and its snapshot the newest that is known of each PBX.
//
// A collector is one file. It declares its families in a table, each beside the function that reads its samples, and
// has a Poll method; NewAccount lists it. What one collector learns for another is in knowledge:
// the last list of PBXs and the firmware that can be had.
//
// What the API did not give has no sample, never a 0. Label values are the client's texts: valid UTF-8 of at most
// 1,024 bytes, longer ones cut between two characters.
package collector
