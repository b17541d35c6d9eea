package page

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// LessonPage is a lesson as a student sees it.
type LessonPage struct {
	CoursePage
	Module      school.ModuleProgress
	Lesson      school.LessonProgress
	Content     school.LessonContent
	Draft       school.Draft
	Submissions []school.Submission
	Error       string // a code: why the lesson could not be completed
	Typed       *string
	Fields      map[string]string
	Params      map[string]string
}

// HomeworkPage is the queue of homework.
type HomeworkPage struct {
	Waiting []school.Submission
	Total   int
	// Refused is the submission whose answer was refused, with what was typed.
	Refused school.SubmissionID
	Error   string // a code: why an answer was not taken
	Comment string
	Fields  map[string]string
}

func (m HomeworkPage) commentFor(s school.Submission) string {
	if m.Refused != s.ID {
		return ""
	}
	return m.Comment
}

func (m HomeworkPage) faultFor(c Chrome, s school.Submission) string {
	if m.Refused != s.ID {
		return ""
	}
	return c.fault(m.Fields, "comment", nil)
}

// speeds of playing; faster than the last would not count.
var speeds = []string{"0.75", "1", "1.25", "1.5", "2"}

func lessonID(l school.LessonProgress) string { return strconv.FormatInt(int64(l.Lesson.ID), 10) }

func submissionID(s school.Submission) string { return strconv.FormatInt(int64(s.ID), 10) }

func filePath(f school.File) templ.SafeURL { return templ.SafeURL("/files/" + string(f.ID)) }

func videoAddress(v school.Video) string {
	if v.Source == school.VideoFile {
		return "/files/" + string(v.FileID)
	}
	return v.Address
}

// resumeAt is where the video goes on, in milliseconds: not at its very end.
func resumeAt(l school.LessonProgress) int64 {
	if end := int64(l.Lesson.Video.Seconds) * 1000; end > 0 && l.PositionMS > end-5000 {
		return 0
	}
	return l.PositionMS
}

func lessonPlace(c Chrome, m LessonPage) string {
	place := c.P.T("module.number", "number", moduleNumber(m.Module.Module)) + " · " + c.P.T("lesson.number", "number", lessonID(m.Lesson))
	if m.Lesson.Lesson.Minutes > 0 {
		place += " · " + c.P.N("duration.minutes_short", m.Lesson.Lesson.Minutes)
	}
	return place
}

// Standing says how a lesson stands: what is missing, or that it can be
// completed.
func Standing(p locale.Printer, l school.LessonProgress) string {
	var parts []string
	for _, m := range l.Missing() {
		switch m.Kind {
		case school.RuleVideo:
			left := p.N("duration.seconds", m.Seconds)
			if m.Seconds >= 60 {
				left = p.N("duration.minutes", (m.Seconds+59)/60)
			}
			parts = append(parts, p.T("missing.video", "left", left, "percent", p.Percent(m.Percent), "watched", p.Percent(l.PlayedPercent())))
		case school.RuleOpened:
			parts = append(parts, p.T("missing.opened"))
		case school.RuleHandedIn:
			parts = append(parts, p.T("missing.handed_in"))
		case school.RuleAccepted:
			if l.Homework == school.HomeworkWaiting {
				parts = append(parts, p.T("missing.accepted_waiting"))
			} else {
				parts = append(parts, p.T("missing.accepted"))
			}
		case school.RuleMarked:
		}
	}
	if len(parts) == 0 {
		return p.T("missing.nothing")
	}
	return strings.Join(parts, " ")
}

// neighbours are the lessons before and behind this one that are open.
func (m LessonPage) neighbours() (before, after *school.LessonProgress) {
	found := false
	for _, mod := range m.Modules {
		if moduleState(m.CoursePage, mod) == "locked" {
			continue
		}
		for _, l := range mod.Lessons {
			switch {
			case l.Lesson.ID == m.Lesson.Lesson.ID:
				found = true
			case !found:
				before = &l
			default:
				return before, &l
			}
		}
	}
	return before, nil
}

func (m LessonPage) mayWrite() bool {
	return m.Lesson.Homework == "" || m.Lesson.Homework == school.HomeworkReturned
}

// text of the answer: as typed, as saved, or the returned version to go on from.
func (m LessonPage) text() string {
	switch {
	case m.Typed != nil:
		return *m.Typed
	case !m.Draft.SavedAt.IsZero() || len(m.Submissions) == 0:
		return m.Draft.Text
	default:
		return m.Submissions[0].Text
	}
}
