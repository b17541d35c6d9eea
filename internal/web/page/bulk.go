package page

import (
	"net/url"
	"strconv"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

const (
	viewsPath  = "/integrator/views"
	bulkPath   = "/integrator/students/bulk"
	exportPath = "/integrator/students"
	printPath  = "/integrator/students/print"
)

func viewURL(v school.SavedView) string {
	if v.Query == "" {
		return panelPath
	}
	return panelPath + "?" + v.Query
}

func deleteViewPath(v school.SavedView) string {
	return viewsPath + "/" + strconv.FormatInt(v.ID, 10) + "/delete"
}

// sizeParam is a page size as an address says it; the usual one is not said.
func sizeParam(n int) string {
	if n == school.PageSize {
		return ""
	}
	return strconv.Itoa(n)
}

func trashPage(n int) string {
	if n <= 1 {
		return trashPath
	}
	return trashPath + "?" + url.Values{"page": {strconv.Itoa(n)}}.Encode()
}

// BulkPage is what became of an order for many students.
type BulkPage struct {
	Verb    string
	Results []BulkResult
	Back    string
	Undo    []school.UserID // whom the order deleted; none: there is nothing to take back
}

// BulkResult is what became of one student. Code is empty for who was helped.
type BulkResult struct {
	ID     school.UserID
	Name   string // empty: not there, or not the reader's
	Code   string
	Params map[string]string
}

func (m BulkPage) title(p locale.Printer) string { return p.T("bulk.done_" + m.Verb) }

func (m BulkPage) summary(p locale.Printer) string { return BulkSummary(p, m.Results) }

// BulkSummary says how many were helped, and how many were not.
func BulkSummary(p locale.Printer, results []BulkResult) string {
	done, failed := 0, 0
	for _, r := range results {
		if r.Code == "" {
			done++
		} else {
			failed++
		}
	}
	if failed == 0 {
		return p.N("bulk.done", done)
	}
	return p.N("bulk.done", done) + " · " + p.N("bulk.failed", failed)
}

func (m BulkPage) outcome(p locale.Printer, r BulkResult) string { return BulkOutcome(p, r) }

// BulkOutcome says what became of one student.
func BulkOutcome(p locale.Printer, r BulkResult) string {
	if r.Code == "" {
		return p.T("bulk.ok")
	}
	return p.Error(r.Code, r.Params)
}

// BulkName is the student's name; who is not there is said to be nobody.
func BulkName(p locale.Printer, r BulkResult) string {
	if r.Name == "" {
		return p.T("bulk.unknown")
	}
	return r.Name
}

func bulkTone(r BulkResult) string {
	if r.Code == "" {
		return "ok"
	}
	return "bad"
}

func bulkIcon(r BulkResult) string {
	if r.Code == "" {
		return "check"
	}
	return "cross"
}

// PrintPage is the list on paper.
type PrintPage struct {
	Students    []school.Student
	Cut         bool // there are more than are printed
	Back        string
	ShowManager bool
}
