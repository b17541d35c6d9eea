package page

import (
	"strings"
	"time"

	"tripwire/internal/school"
)

func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// activityIcon is the picture of an entry; its colour is activityClass.
func activityIcon(a school.Action) string {
	switch a {
	case school.StudentCreated, school.StudentEdited:
		return "user"
	case school.StudentBlocked:
		return "lock"
	case school.StudentOpened, school.ModuleGranted:
		return "unlock"
	case school.StudentDeleted:
		return "trash"
	case school.StudentRestored:
		return "undo"
	case school.LinkIssued, school.LinkUsed:
		return "link"
	case school.PasswordSet, school.StaffReset:
		return "key"
	case school.FirstLogin:
		return "door"
	case school.LessonCompleted:
		return "check"
	case school.StaffAdded, school.StaffDisabled:
		return "people"
	case school.CourseCreated:
		return "book"
	default:
		return "gear"
	}
}

func activityClass(a school.Action) string {
	switch a {
	case school.StudentCreated, school.StudentOpened, school.StudentRestored, school.FirstLogin, school.LessonCompleted, school.ModuleGranted:
		return "ok"
	case school.StudentDeleted, school.StudentBlocked, school.StaffDisabled:
		return "bad"
	case school.LinkIssued, school.LinkUsed:
		return "info"
	default:
		return ""
	}
}

// noteDetails are the details that stand under the sentence, each with a
// heading of its own ("detail." and its name).
var noteDetails = []string{"course", "module", "email", "price", "role", "access", "reason"}

// activityNote is the second line of an entry: what the sentence leaves out.
func activityNote(c Chrome, a school.Activity) string {
	var said []string
	for _, name := range noteDetails {
		value := a.Details[name]
		if value == "" {
			continue
		}
		if key := "detail." + name + "." + value; c.P.Has(key) {
			said = append(said, c.P.T(key))
			continue
		}
		said = append(said, c.P.T("detail."+name, "value", value))
	}
	for _, name := range []string{"name", "email"} {
		if before, after := a.Details["old_"+name], a.Details["new_"+name]; before != "" {
			said = append(said, c.P.T("detail.changed_"+name, "before", before, "after", after))
		}
	}
	if a.Door == school.DoorTerminal && a.ActorName != "" {
		said = append(said, c.P.Door(string(a.Door)))
	}
	return strings.Join(said, " · ")
}
