package capture

import "strings"

var documented = newScrubber(nil)

// Allowed reports whether a text is a documented word, the name of a documented field, or a firmware version.
func Allowed(text string) bool {
	_, isField := documented.fields[strings.ToLower(text)]
	return isField || documented.words[folded(text)] || firmwareVersion.MatchString(text)
}

// Fill makes the file as large as it may be.
func (r *Recorder) Fill() { r.size = maxRead }
