package page

import (
	"tripwire/internal/school"
)

func doneModules(all []school.ModuleProgress) int {
	n := 0
	for _, m := range all {
		if !m.CompletedAt.IsZero() {
			n++
		}
	}
	return n
}

// moduleState is done, now or locked.
func moduleState(m CoursePage, mod school.ModuleProgress) string {
	switch {
	case !mod.CompletedAt.IsZero():
		return "done"
	case mod.OpenAt(m.Now):
		return "now"
	default:
		return "locked"
	}
}

// homeLead is the course in one line: its size and how far one has come.
func homeLead(c Chrome, m CoursePage) string {
	if len(m.Modules) == 0 {
		return c.P.T("panel.course", "course", m.Course.Title)
	}
	lead := c.P.T("panel.course", "course", m.Course.Title) + " · " + c.P.N("panel.modules", len(m.Modules))
	done := doneModules(m.Modules)
	switch done {
	case 0:
		return lead + " · " + c.P.T("home.start")
	case len(m.Modules):
		return lead + " · " + c.P.T("home.finished")
	default:
		return lead + " · " + c.P.T("home.done", "done", c.P.Number(done), "total", c.P.Number(len(m.Modules)))
	}
}

// whenOpens is what a locked card says to the student.
func whenOpens(c Chrome, m CoursePage, mod school.ModuleProgress) string {
	if !mod.UnlockedAt.IsZero() {
		return c.P.T("locked.date", "time", c.P.Moment(mod.UnlockedAt))
	}
	return whyLocked(c, m.Modules, mod)
}
