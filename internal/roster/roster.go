// Package roster writes tables for spreadsheets, a row at a time: whatever the
// number of rows, no more than a few of them are in memory.
package roster

import (
	"errors"
	"io"

	"tripwire/internal/school"
)

// Format is what a table is written as.
type Format string

// The formats there are.
const (
	CSV  Format = "csv"  // UTF-8 with a byte order mark, lines end in CRLF
	XLSX Format = "xlsx" // Office Open XML, as Excel and LibreOffice open it
)

// MediaType answers what the door calls a file of the format.
func (f Format) MediaType() string {
	if f == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// Table is what stands around the rows.
type Table struct {
	Name    string // of the sheet; in a CSV it stands nowhere
	Columns []Column
	// Separator stands between the cells of a CSV; 0 is a comma. See SeparatorFor.
	Separator rune
}

// Column is one column of a table.
type Column struct {
	Title string
	Width int // in characters, in a sheet; 0: a usual one
}

// SeparatorFor answers the separator that a reader's Excel expects: it goes by the
// list separator of the region, which for Russia and Kazakhstan is a semicolon,
// since the comma begins the decimals there. Programs read either.
func SeparatorFor(l school.Language) rune {
	if l == school.English {
		return ','
	}
	return ';'
}

// Writer writes one table. Write takes as many cells as the table has columns. An
// error, of a row or of what the table is written to, is final: every call after
// it answers the same. A table that was not closed without an error is not whole.
type Writer interface {
	Write(row []Cell) error
	Flush() error // hands on what can be handed on before the table is whole
	Close() error // ends the table; what it was written to stays open
}

// New begins a table. It writes nothing that is not held back until the first
// few kilobytes are full or until Flush, so that whoever fails early can still
// answer something else.
func New(f Format, w io.Writer, t Table) Writer {
	if f == XLSX {
		return NewXLSX(w, t)
	}
	return NewCSV(w, t)
}

var (
	errNoColumns = errors.New("roster: a table without columns")
	errClosed    = errors.New("roster: the table is closed")
	errWidth     = errors.New("roster: the row has not as many cells as the table has columns")
)

func (t Table) check() error {
	if len(t.Columns) == 0 {
		return errNoColumns
	}
	return nil
}

// titles answers the row at the head.
func (t Table) titles() []Cell {
	row := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		row[i] = Text(c.Title)
	}
	return row
}
