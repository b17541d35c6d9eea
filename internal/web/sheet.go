package web

import (
	"encoding/csv"
	"io"
	"strings"
)

// sheet writes a table for people's table programs: UTF-8 that says so, and no cell
// that such a program would run as a formula.
type sheet struct {
	to      io.Writer
	csv     *csv.Writer
	started bool
}

func newSheet(to io.Writer) *sheet { return &sheet{to: to, csv: csv.NewWriter(to)} }

// byteOrderMark tells Excel that the file is UTF-8.
const byteOrderMark = "\ufeff"

func (s *sheet) write(cells ...string) error {
	if !s.started {
		s.started = true
		if _, err := io.WriteString(s.to, byteOrderMark); err != nil {
			return err
		}
	}
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return s.csv.Write(cells)
}

// flush sends what is waiting.
func (s *sheet) flush() error {
	s.csv.Flush()
	return s.csv.Error()
}

// harmless puts an apostrophe before what would begin a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
		return "'" + cell
	}
	return cell
}
