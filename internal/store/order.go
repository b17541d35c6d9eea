package store

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tripwire/internal/school"
)

// order is how the rows of a table are sorted, and what a place among them is: the
// values of keys that an index has in this order, and the id.
type order struct {
	table string // its letter in the query; empty: r
	keys  []string
	// times and numbers name the keys that are no texts.
	times, numbers []string
}

func (o order) columns(table string) string {
	names := make([]string, len(o.keys))
	for i, k := range o.keys {
		names[i] = table + "." + k
	}
	return strings.Join(names, ", ")
}

func (o order) orderBy(table string, desc bool) string {
	way := ""
	if desc {
		way = " DESC"
	}
	if table != "" {
		table += "."
	}
	var names []string
	for _, k := range append(slices.Clone(o.keys), "id") {
		names = append(names, table+k+way)
	}
	return strings.Join(names, ", ")
}

// from bounds the query to what stands behind the cursor. Errors: Invalid
// page_invalid for a cursor of another order.
func (o order) from(c *condition, at school.Cursor, desc bool) error {
	if len(at.Keys) != len(o.keys) {
		return school.ErrPageInvalid
	}
	values := make([]string, 0, len(o.keys)+1)
	for i, k := range o.keys {
		v, err := o.value(k, at.Keys[i])
		if err != nil {
			return err
		}
		values = append(values, c.arg(v))
	}
	than := ">"
	if desc {
		than = "<"
	}
	table := cmp.Or(o.table, "r")
	c.add("(" + o.columns(table) + ", " + table + ".id) " + than + " (" + strings.Join(append(values, c.arg(at.ID)), ", ") + ")")
	return nil
}

// value reads a key of a cursor.
func (o order) value(key, said string) (any, error) {
	switch {
	case slices.Contains(o.times, key):
		t, err := time.Parse(timeLayout, said)
		if err != nil {
			return nil, school.ErrPageInvalid
		}
		return t, nil
	case slices.Contains(o.numbers, key):
		n, err := strconv.ParseInt(said, 10, 64)
		if err != nil {
			return nil, school.ErrPageInvalid
		}
		return n, nil
	case !utf8.ValidString(said) || strings.ContainsRune(said, 0):
		return nil, school.ErrPageInvalid
	}
	return said, nil
}

// scan answers where the keys of a row go: into the texts of a cursor.
func (o order) scan(into []string) []any {
	dest := make([]any, len(o.keys))
	for i, k := range o.keys {
		dest[i] = &into[i]
		if slices.Contains(o.times, k) {
			dest[i] = timeText{&into[i]}
		}
	}
	return dest
}

// timeText scans a time into a text that value understands.
type timeText struct{ dest *string }

func (s timeText) Scan(src any) error {
	var t time.Time
	if err := at(&t).Scan(src); err != nil {
		return err
	}
	*s.dest = t.Format(timeLayout)
	return nil
}
