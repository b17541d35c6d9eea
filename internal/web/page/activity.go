package page

import (
	"strings"
	"time"

	"tripwire/internal/locale"
	"tripwire/internal/school"
)

func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// activityIcons are the pictures of the entries, one for each action; their colour
// is activityClass.
var activityIcons = map[school.Action]string{
	school.StudentCreated: "user-plus", school.StudentEdited: "pen", school.StudentDeleted: "trash", school.StudentRestored: "undo",
	school.StudentTransferred: "swap", school.StudentMarkedTest: "flask", school.StudentUnmarkedTest: "flask-off", school.StudentsExported: "download",
	school.StudentBlocked: "lock", school.StudentOpened: "unlock", school.LinkIssued: "link", school.LinkUsed: "link-used",
	school.PasswordSet: "key", school.FirstLogin: "door", school.RecoveryAsked: "help", school.EmailChangeAsked: "at", school.EmailChanged: "at-check",
	school.LetterSent: "mail-check", school.LetterPutOff: "mail-clock", school.LetterFailedForGood: "mail-off", school.LetterCameBack: "mail-back",
	school.LetterRequeued: "mail", school.LetterWithdrawn: "mail-cross",
	school.ModuleGranted: "layers", school.LessonCompleted: "check", school.HandedIn: "inbox", school.WorkReturned: "reply", school.WorkAccepted: "award",
	school.SaleRefunded: "refund", school.PriceCorrected: "tag",
	school.StaffAdded: "people", school.StaffDisabled: "user-off", school.StaffReset: "key-new",
	school.CourseCreated: "book", school.LessonEdited: "file", school.SettingsEdited: "gear", school.MailEdited: "mail-gear", school.HookReplaced: "plug", school.HookConfirmed: "plug-check", school.LetterTextEdited: "mail-pen", school.LetterTextReset: "mail-undo", school.DoctorRepaired: "wrench",
	school.LoginLocked: "hourglass", school.RefusedForeign: "eye-off", school.RefusedRole: "shield", school.RefusedBlocked: "ban",
}

// activityIcon is the picture of an entry. Only a line that a newer version has
// written has none of its own.
func activityIcon(a school.Action) string {
	if icon := activityIcons[a]; icon != "" {
		return icon
	}
	return "dots"
}

func activityClass(a school.Action) string {
	switch a {
	case school.StudentCreated, school.StudentOpened, school.StudentRestored, school.FirstLogin, school.LessonCompleted, school.ModuleGranted, school.LetterSent:
		return "ok"
	case school.StudentDeleted, school.StudentBlocked, school.StaffDisabled, school.SaleRefunded, school.LetterFailedForGood, school.LetterCameBack,
		school.LoginLocked, school.RefusedForeign, school.RefusedRole, school.RefusedBlocked:
		return "bad"
	case school.LinkIssued, school.LinkUsed, school.StudentTransferred, school.StudentsExported, school.PriceCorrected, school.LetterRequeued, school.LetterPutOff, school.RecoveryAsked, school.EmailChanged:
		return "info"
	default:
		return ""
	}
}

// noteDetails are the details that stand under the sentence, each with a
// heading of its own ("detail." and its name).
var noteDetails = []string{"course", "module", "email", "price", "role", "access", "kind", "language", "server", "sales", "amount", "rows", "format", "login", "address", "route", "reason", "reply"}

// ActivityNote is the second line of an entry: what the sentence leaves out.
func ActivityNote(p locale.Printer, a school.Activity) string {
	var said []string
	for _, name := range noteDetails {
		value := a.Details[name]
		if value == "" {
			continue
		}
		if key := "detail." + name + "." + value; p.Has(key) {
			said = append(said, p.T(key))
			continue
		}
		if name == "amount" {
			value = p.Amount(value)
		}
		said = append(said, p.T("detail."+name, "value", value))
	}
	for _, name := range []string{"name", "email"} {
		if before, after := a.Details["old_"+name], a.Details["new_"+name]; before != "" {
			said = append(said, p.T("detail.changed_"+name, "before", before, "after", after))
		}
	}
	if why := letterWhy(p, a.Details["cause"]); why != "" {
		said = append(said, why)
	}
	if from, to := a.Details["from"], a.Details["to"]; a.Action == school.StudentTransferred {
		said = append(said, p.T("detail.transferred", "from", from, "to", to))
	}
	if before, after := a.Details["before"], a.Details["after"]; a.Action == school.PriceCorrected {
		said = append(said, p.T("detail.changed_price", "before", p.Amount(before), "after", p.Amount(after)))
	}
	if a.Door == school.DoorTerminal && a.ActorName != "" {
		said = append(said, p.Door(string(a.Door)))
	}
	return strings.Join(said, " · ")
}
