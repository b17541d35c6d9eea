package roster

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode"
)

// CSVWriter writes a table as text.
//
// Numbers have a decimal point where cells are separated by a comma, else a
// decimal comma: Excel goes by the region for both, and a region has one or the
// other.
type CSVWriter struct {
	out   *csv.Writer
	row   []string
	point byte
	err   error
}

// bom is how Excel knows UTF-8 from the code page of the machine.
const bom = "\ufeff"

// NewCSV begins a table on w.
func NewCSV(w io.Writer, t Table) *CSVWriter {
	c := &CSVWriter{out: csv.NewWriter(&marked{w: w}), row: make([]string, len(t.Columns)), point: ',', err: t.check()}
	c.out.UseCRLF = true
	if c.out.Comma = t.Separator; t.Separator == 0 || t.Separator == ',' {
		c.out.Comma, c.point = ',', '.'
	}
	_ = c.Write(t.titles()) // an error is kept for the next call
	return c
}

// marked puts the byte order mark before the first byte. csv.Writer has a buffer
// of its own, which could not be given the mark without being quoted.
type marked struct {
	w    io.Writer
	done bool
}

func (m *marked) Write(p []byte) (int, error) {
	if !m.done {
		if _, err := io.WriteString(m.w, bom); err != nil {
			return 0, err
		}
		m.done = true
	}
	return m.w.Write(p)
}

func (c *CSVWriter) Write(row []Cell) error {
	if c.err == nil && len(row) != len(c.row) {
		c.err = errWidth
	}
	if c.err != nil {
		return c.err
	}
	for i, cell := range row {
		c.row[i] = cell.plain(c.point)
		if cell.kind == text {
			c.row[i] = disarm(c.row[i])
		}
	}
	c.err = c.out.Write(c.row)
	return c.err
}

// Flush hands on all rows so far.
func (c *CSVWriter) Flush() error {
	if c.err == nil {
		c.out.Flush()
		c.err = c.out.Error()
	}
	return c.err
}

// Close hands on the rest.
func (c *CSVWriter) Close() error {
	err := c.Flush()
	if err == nil {
		c.err = errClosed
	}
	return err
}

// disarm puts an apostrophe before what a spreadsheet would compute, and before
// text that begins with a tab or the end of a line
// (https://owasp.org/www-community/attacks/CSV_Injection).
//
// It does so wherever a cell may begin for some reader: a program that expects
// another separator takes no notice of our quotes either, so a name "A;=1+1" or one
// of two lines would be two cells to it.
func disarm(s string) string {
	if !strings.ContainsAny(s, triggers+"\t\n") {
		return s
	}
	var b strings.Builder
	begins := true
	for i, r := range s {
		if begins && strings.ContainsRune(triggers, r) || i == 0 && (r == '\t' || r == '\n') {
			b.WriteByte('\'')
			begins = false
		}
		begins = strings.ContainsRune(",;|\t\n", r) || begins && unseen(r)
		b.WriteRune(r)
	}
	return b.String()
}

// triggers are what formulas begin with; with the wide and small forms, which
// some programs fold.
const triggers = "=+-@＝＋－＠﹦﹢﹣﹫"

// unseen is what readers may skip before the first character of a cell.
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) || r == '"' || r == unicode.ReplacementChar
}
