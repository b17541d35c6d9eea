package school

import (
	"strconv"
	"strings"
	"time"
)

// Who did something, where it is no single person.
const (
	ByStudents = "students" // the students themselves
	BySystem   = "system"   // the product, the terminal, and visitors whom nobody knows
)

// ActivityFilter narrows the history. The zero value is all of it.
type ActivityFilter struct {
	// Actor is who did it: an id, ByStudents or BySystem.
	Actor string
	// Action is a group of actions or a single one.
	Action string
	// Student is to whom it happened.
	Student UserID
	// Query looks for that student by name or address.
	Query string
	// From is included, Until is not; both are zero for all time.
	From, Until time.Time
}

// ActivityCursor is the place of a line in the history, the newest first. It goes
// by time, because that is what is shown and asked for: ids are given in the order
// of writing, which a clock put back does not follow. The id tells apart what
// happened at once. The zero value stands before the first line.
type ActivityCursor struct {
	At time.Time
	ID int64
}

// Cursor answers the place of the line.
func (a Activity) Cursor() ActivityCursor { return ActivityCursor{At: a.At, ID: a.ID} }

// String is the cursor as an address carries it.
func (c ActivityCursor) String() string {
	return strconv.FormatInt(c.At.UnixMilli(), 10) + "-" + strconv.FormatInt(c.ID, 10)
}

// ParseActivityCursor reads what String has written; anything else is the start.
func ParseActivityCursor(s string) ActivityCursor {
	left, right, _ := strings.Cut(s, "-")
	at, err := strconv.ParseInt(left, 10, 64)
	id, errID := strconv.ParseInt(right, 10, 64)
	if err != nil || errID != nil || at < 0 || at > LastDay.date().UnixMilli() || id < 0 {
		return ActivityCursor{}
	}
	return ActivityCursor{At: time.UnixMilli(at).UTC(), ID: id}
}
