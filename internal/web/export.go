package web

import (
	"iter"
	"net/http"
	"net/url"

	"tripwire/internal/locale"
	"tripwire/internal/roster"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// queryOf reads the query of an address; what cannot be read is left out.
func queryOf(s string) url.Values {
	q, _ := url.ParseQuery(s) // it answers what it could read
	return q
}

// exportStudents sends the list that the address asks for, all of it.
func (h *Handler) exportStudents(format roster.Format) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := visitOf(r)
		f, _, err := listFilter(r.URL.Query(), v)
		if err != nil {
			return err
		}
		students, err := h.desk.EachStudent(r.Context(), v.actor, f)
		if err == nil && r.Method != http.MethodHead { // which takes nothing out of the house
			err = h.desk.NoteExport(r.Context(), v.actor, string(format))
		}
		if err != nil {
			return err
		}
		p, withManager := v.printer, v.actor.Role == school.RoleAdmin
		return h.sendTable(w, r, download{
			name: p.T("list.print") + " " + string(school.DayOf(p.Now, p.Zone)), format: format,
			table: roster.Table{Name: p.T("list.print"), Columns: studentColumns(p, withManager), Separator: roster.SeparatorFor(p.Lang)},
			rows:  studentCells(p, students, withManager),
		})
	}
}

func studentColumns(p locale.Printer, withManager bool) []roster.Column {
	all := []roster.Column{
		{Title: p.T("field.full_name"), Width: 32}, {Title: p.T("export.email"), Width: 30}, {Title: p.T("column.status"), Width: 14},
		{Title: p.T("export.done"), Width: 12}, {Title: p.T("export.modules"), Width: 12}, {Title: p.T("column.letter"), Width: 14},
		{Title: p.T("column.added"), Width: 18}, {Title: p.T("export.completed"), Width: 18}, {Title: p.T("export.last_login"), Width: 18},
		{Title: p.T("export.price"), Width: 12}, {Title: p.T("export.paid"), Width: 12}, {Title: p.T("export.currency"), Width: 8},
	}
	if withManager {
		all = append(all, roster.Column{Title: p.T("column.manager"), Width: 24})
	}
	return all
}

func studentCells(p locale.Printer, students iter.Seq2[school.Student, error], withManager bool) iter.Seq2[[]roster.Cell, error] {
	return func(yield func([]roster.Cell, error) bool) {
		for s, err := range students {
			row := []roster.Cell{
				roster.Text(s.FullName), roster.Text(string(s.Email)), roster.Text(p.T("status." + string(s.Status()))),
				roster.Number(int64(s.ModulesDone)), roster.Number(int64(s.ModulesTotal)), roster.Text(letterWord(p, s)),
				roster.Time(s.GrantedAt, p.Zone), roster.Time(s.CompletedAt, p.Zone), roster.Time(s.LastLoginAt, p.Zone),
				roster.Money(s.Price), roster.Money(s.Paid), roster.Text(s.Price.Currency),
			}
			if withManager {
				row = append(row, roster.Text(s.ManagerName))
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func letterWord(p locale.Printer, s school.Student) string {
	if s.Letter.ID == 0 {
		return ""
	}
	return p.T("letter_state." + string(s.Letter.State))
}

// maxPrinted is how many students a printed list has: some fifty sheets.
const maxPrinted = 2000

// printStudents is the list that the address asks for, on paper.
func (h *Handler) printStudents(w http.ResponseWriter, r *http.Request) error {
	v := visitOf(r)
	f, state, err := listFilter(r.URL.Query(), v)
	if err != nil {
		return err
	}
	students, err := h.desk.EachStudent(r.Context(), v.actor, f)
	if err != nil {
		return err
	}
	m := page.PrintPage{Back: state.With(), ShowManager: v.actor.Role == school.RoleAdmin}
	for s, err := range students {
		if err != nil {
			return err
		}
		if m.Cut = len(m.Students) == maxPrinted; m.Cut {
			break
		}
		m.Students = append(m.Students, s)
	}
	return h.render(w, r, http.StatusOK, page.Print(h.chrome(r, "students", v.printer.T("list.print")), m))
}
