package page

import (
	"strconv"

	"tripwire/internal/school"
)

func cardBack(s school.Student) string {
	if s.Status() == school.StatusDeleted {
		return trashPath
	}
	return panelPath
}

func linkMessage(c Chrome, m CardPage) string {
	if m.Link.Message != "" {
		return m.Link.Message
	}
	p := c.P.In(m.Student.Language)
	return p.T("welcome.new_link",
		"name", m.Student.FullName, "school", c.School,
		"link", c.absolute(m.Link.URL), "until", p.Moment(m.Link.Ends))
}

func takenBy(c Chrome, m CardPage) string {
	if name := m.RestoreParams["student_name"]; name != "" {
		return c.P.T("card.open_other", "name", name)
	}
	return c.P.T("action.open_card")
}

// restoreFault leaves out what the frame above the form has said already.
func restoreFault(c Chrome, m CardPage) string {
	if m.RestoreFields["email"] == m.RestoreError {
		return ""
	}
	return c.fault(m.RestoreFields, "email", m.RestoreParams)
}

func idText(id school.ModuleID) string { return strconv.FormatInt(int64(id), 10) }

func grantID(mod school.ModuleProgress) string { return "reason-" + idText(mod.Module.ID) }

func grantFault(c Chrome, m CardPage, mod school.ModuleProgress) string {
	if m.GrantModule != mod.Module.ID {
		return ""
	}
	return c.fault(m.GrantFields, "reason", nil)
}

func grantReason(m CardPage, mod school.ModuleProgress) string {
	if m.GrantModule != mod.Module.ID {
		return ""
	}
	return m.GrantReason
}

// whyOpen says since when and why a module is open, or what it waits for.
func whyOpen(c Chrome, all []school.ModuleProgress, mod school.ModuleProgress) string {
	p := c.P
	if mod.UnlockedAt.IsZero() {
		return whyLocked(c, all, mod)
	}
	args := []string{
		"time", p.Moment(mod.UnlockedAt), "reason", mod.Cause.Reason, "who", mod.Cause.GrantedBy,
		"number", numberOf(all, mod.Cause.SourceModuleID),
	}
	tense := "cause."
	if !mod.OpenAt(p.Now) {
		tense = "cause_later."
	}
	switch mod.Cause.Event {
	case school.EventCompleted:
		return p.T(tense+"completed", args...)
	case school.EventGranted:
		return p.T(tense+"granted", args...)
	default:
		return p.T(tense+"enrolled", args...)
	}
}

// whyLocked says what opens a module, from the first rule that can.
func whyLocked(c Chrome, all []school.ModuleProgress, mod school.ModuleProgress) string {
	for _, r := range mod.Opens {
		switch {
		case r.Event == school.EventGranted:
			continue
		case r.NotBefore.After(c.P.Now) && r.Event == school.EventEnrolled:
			return c.P.T("locked.date", "time", c.P.Moment(r.NotBefore))
		case r.NotBefore.After(c.P.Now):
			return c.P.T("locked.after_date", "number", numberOf(all, r.SourceModuleID), "time", c.P.Moment(r.NotBefore))
		case r.Event == school.EventCompleted && r.DelayMinutes > 0:
			return c.P.T("locked.after_delay", "number", numberOf(all, r.SourceModuleID), "delay", delay(c, r.DelayMinutes))
		case r.Event == school.EventCompleted:
			return c.P.T("locked.after", "number", numberOf(all, r.SourceModuleID))
		}
	}
	return c.P.T("locked.manager")
}

// delay names a wait in the largest unit that fits it without a rest.
func delay(c Chrome, minutes int) string {
	switch {
	case minutes%(24*60) == 0:
		return c.P.N("duration.days", minutes/(24*60))
	case minutes%60 == 0:
		return c.P.N("duration.hours", minutes/60)
	default:
		return c.P.N("duration.minutes", minutes)
	}
}

func numberOf(all []school.ModuleProgress, id school.ModuleID) string {
	for _, m := range all {
		if m.Module.ID == id {
			return moduleNumber(m.Module)
		}
	}
	return "—"
}
