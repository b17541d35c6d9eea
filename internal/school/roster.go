package school

import (
	"encoding/base64"
	"encoding/json"
	"slices"
)

// StudentFilter chooses the students of a list, and how they stand in it.
type StudentFilter struct {
	Query  string // words of a name or an address; empty: all
	Status Status // empty: everybody but the deleted and the test accounts
	Counted
	Sort   Sort
	After  Cursor // the list goes on behind this student
	Before Cursor // or ends in front of this one
	Size   int    // how many; 0: PageSize
}

// Sort is an order of the list: a column, and whether it is turned round.
type Sort struct {
	By   SortColumn
	Desc bool
}

// SortColumn is a column that a list can be sorted by.
type SortColumn string

// The columns.
const (
	SortAdded   SortColumn = "added"
	SortName    SortColumn = "name"
	SortStatus  SortColumn = "status"
	SortModules SortColumn = "modules"
	SortLetter  SortColumn = "letter"
	SortManager SortColumn = "manager"
)

// NewestFirst is the order of a list that nobody has sorted.
var NewestFirst = Sort{By: SortAdded, Desc: true}

// SortColumns lists them.
func SortColumns() []SortColumn {
	return []SortColumn{SortName, SortStatus, SortModules, SortLetter, SortAdded, SortManager}
}

// ParseSort reads an order from an address: the column, with a minus before it for
// the order turned round. What is no order is NewestFirst.
func ParseSort(s string) Sort {
	desc := s != "" && s[0] == '-'
	if desc {
		s = s[1:]
	}
	if !slices.Contains(SortColumns(), SortColumn(s)) {
		return NewestFirst
	}
	return Sort{By: SortColumn(s), Desc: desc}
}

// String is the order as an address says it; empty for NewestFirst.
func (s Sort) String() string {
	switch {
	case s.By == "" || s == NewestFirst:
		return ""
	case s.Desc:
		return "-" + string(s.By)
	default:
		return string(s.By)
	}
}

// PageSizes are how many students a page can have.
func PageSizes() []int { return []int{20, 50, 100} }

// ParseSize answers the size of a page; PageSize for what is none.
func ParseSize(n int) int {
	if slices.Contains(PageSizes(), n) {
		return n
	}
	return PageSize
}

// Cursor is the place of one student in an order: the values that it sorts by and
// the id of the row. The list goes on from it although rows come and go.
type Cursor struct {
	Keys []string `json:"k,omitempty"`
	ID   int64    `json:"i"`
}

// IsZero reports whether the cursor is no place.
func (c Cursor) IsZero() bool { return c.ID == 0 }

// String is the cursor as an address carries it.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // texts and a number can always be written
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// maxCursor bounds what is read of an address: a name and an e-mail at their
// longest.
const maxCursor = 4096

// ParseCursor reads a cursor. Errors: Invalid page_invalid.
func ParseCursor(s string) (c Cursor, err error) {
	if s == "" {
		return c, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(s[:min(len(s), maxCursor)])
	if err != nil || json.Unmarshal(text, &c) != nil || c.ID <= 0 || len(c.Keys) > 2 {
		return Cursor{}, ErrPageInvalid
	}
	return c, nil
}

// Facet is a course or a manager by which a list can be narrowed, with how many
// students that leaves.
type Facet struct {
	ID    string
	Name  string
	Count int
}

// SavedView is a state of the list that a person has given a name.
type SavedView struct {
	ID    int64
	Name  string
	Query string // of the address, without a place in the list
}

// Limits of saved views: what a person can still find among them.
const (
	MaxViews     = 20
	maxViewName  = 60
	maxViewQuery = 1000
)

// NewSavedView cleans a name and checks the query that it is for. Errors: Invalid
// name_* at field name, text_too_long at field query.
func NewSavedView(name, query string) (SavedView, error) {
	faults := Faults{}
	v := SavedView{Query: query}
	var err error
	if v.Name, err = NewTitle(name); err == nil && len([]rune(v.Name)) > maxViewName {
		err = ErrTextTooLong
	}
	faults.Add("name", err)
	if len(query) > maxViewQuery {
		faults.Add("query", ErrTextTooLong)
	}
	return v, faults.Err()
}
