package ycmclient

import "slices"

// WalkState is what the walks of one list learn for each other. The zero value knows nothing. Who keeps it keeps it as
// long as the PBXs that the last walk found, over reloads and restarts; it belongs to one base URL, Client ID and search.
type WalkState struct {
	Walks    int  `json:"walks,omitempty"`     // Complete readings of the list, counted up to 2.
	PageSize int  `json:"page_size,omitempty"` // Records on a full page; 0 while that is not known.
	Pages    int  `json:"pages,omitempty"`     // Where the list ended; 0 while that is not known.
	Falling  bool `json:"falling,omitempty"`   // The list begins with the highest id.
	// Difference is YCM's total less the records that its list has, as two readings confirmed it. Uneven is set if that
	// is not 0, or if there are pages that have another number of records than the total leaves for them.
	Difference int64 `json:"difference,omitempty"`
	Uneven     bool  `json:"uneven,omitempty"`

	// Vanished are the ids, ascending, that walks have not found since, so many that they are unconfirmed; Agreed is
	// how many walks in a row did not find them.
	Vanished []int64 `json:"vanished,omitempty"`
	Agreed   int     `json:"agreed,omitempty"`
}

// sane returns the state without what it cannot be: it may come from a file.
func (s WalkState) sane() WalkState {
	if s.PageSize < 0 || s.PageSize > PageSize {
		s.PageSize = 0
	}
	if s.Pages < 0 || s.Pages > MaxTotal {
		s.Pages = 0
	}
	if s.Difference < -MaxTotal || s.Difference > MaxTotal {
		s.Difference = 0
	}
	if s.Agreed < 0 || s.Agreed >= agreeing || !slices.IsSorted(s.Vanished) {
		s.Vanished, s.Agreed = nil, 0
	}
	return s
}

// after returns the state after a complete reading of the list, by which YCM's total has that difference.
func (s WalkState) after(r *reading, difference int64) WalkState {
	s.Walks = min(s.Walks+1, 2)
	s.Pages, s.Falling = r.pages, r.fell && !r.mixed
	s.Difference, s.Uneven = difference, r.irregular || difference != 0
	switch {
	case r.largest == PageSize, r.pages > 1:
		s.PageSize = r.largest
	case r.largest > s.PageSize:
		s.PageSize = 0
	}
	return s
}
