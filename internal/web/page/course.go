package page

import (
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// CoursePage is a course as a student sees it.
type CoursePage struct {
	Course    school.Course
	Modules   []school.ModuleProgress
	Now       time.Time // of what is shown; in a preview any time
	Celebrate []school.Module
	// CompletedAt is when the course was completed; zero: not yet.
	CompletedAt time.Time
	Preview     *Preview        // nil for the student
	Current     school.LessonID // the lesson that is open; 0: none
}

// Preview is staff looking at a course as a student, writing nothing.
type Preview struct {
	Student school.Student
	Path    string // of the page itself
	At      string // the time as typed, for <input type=datetime-local>
}

func (m CoursePage) studentName(c Chrome) string {
	if m.Preview != nil {
		return m.Preview.Student.FullName
	}
	return c.Actor.Name
}

func (p *Preview) query() string {
	if p.At == "" {
		return ""
	}
	return "?" + url.Values{"at": {p.At}}.Encode()
}

func (m CoursePage) coursePath() templ.SafeURL {
	if m.Preview != nil {
		return templ.SafeURL(studentPath(m.Preview.Student.ID, "preview") + m.Preview.query())
	}
	return templ.SafeURL("/course/" + m.Course.Slug)
}

func (m CoursePage) lessonPath(id school.LessonID) templ.SafeURL {
	n := strconv.FormatInt(int64(id), 10)
	if m.Preview != nil {
		return templ.SafeURL(studentPath(m.Preview.Student.ID, "preview/lesson/"+n) + m.Preview.query())
	}
	return templ.SafeURL("/lesson/" + n)
}

func (m CoursePage) finished() bool { return !m.CompletedAt.IsZero() }

// moduleState is done, now or locked.
func moduleState(m CoursePage, mod school.ModuleProgress) string {
	switch {
	case mod.Completed():
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
	done, total := school.ModulesDone(m.Modules)
	lead := c.P.T("panel.course", "course", m.Course.Title) + " · " + c.P.N("panel.modules", total)
	switch {
	case m.finished():
		return lead + " · " + c.P.T("home.finished")
	case done == 0:
		return lead + " · " + c.P.T("home.start")
	default:
		return lead + " · " + c.P.T("home.done", "done", c.P.Number(done), "total", c.P.Number(total))
	}
}

// whenOpens is what a locked card says to the student.
func whenOpens(c Chrome, m CoursePage, mod school.ModuleProgress) string {
	if !mod.UnlockedAt.IsZero() {
		return c.P.T("locked.date", "time", c.P.Moment(mod.UnlockedAt))
	}
	return whyLocked(c, m.Modules, mod)
}

// celebrateNext says what comes behind the module that was completed.
func celebrateNext(c Chrome, m CoursePage) string {
	if next, ok := school.NextLesson(m.Modules, m.Now); ok {
		return c.P.T("celebrate.next", "lesson", next.Lesson.Title)
	}
	for _, mod := range m.Modules {
		if moduleState(m, mod) == "locked" {
			return c.P.T("celebrate.later", "module", mod.Module.Title, "when", whenOpens(c, m, mod))
		}
	}
	return c.P.T("celebrate.course_lead")
}

func moduleLessons(c Chrome, mod school.ModuleProgress) string {
	done, total := mod.LessonsDone()
	return c.P.T("module.lessons", "done", c.P.Number(done), "total", c.P.Number(total))
}

// lessonMeasure is how long a lesson is, or how much of it was watched.
func lessonMeasure(c Chrome, l school.LessonProgress) string {
	switch {
	case !l.Completed() && l.PlayedPercent() > 0:
		return c.P.Percent(l.PlayedPercent())
	case l.Lesson.Minutes > 0:
		return c.P.N("duration.minutes_short", l.Lesson.Minutes)
	default:
		return ""
	}
}

// LockReason is why a module is closed: the reason of the error lesson_locked.
func LockReason(p locale.Printer, params map[string]string) string {
	if opens, err := time.Parse(time.RFC3339, params["opens"]); err == nil {
		return p.T("locked.date", "time", p.Moment(opens))
	}
	if after := params["after"]; after != "" {
		return p.T("locked.after_title", "module", after)
	}
	return p.T("locked.manager")
}
