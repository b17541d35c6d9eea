package page

import (
	"tripwire/internal/locale"
	"tripwire/internal/school"
)

// Chrome is what every screen has around its own matter.
type Chrome struct {
	P      locale.Printer
	Actor  school.Actor // zero for somebody who has not logged in
	School string
	// Section is the place in the navigation: students, sales, history, trash, settings,
	// account, course.
	Section string
	Query   string // the search text, shown again in the search box
	Theme   string // "", "light" or "dark", from the cookie
	// Asset answers the address of a static file with its hash in it.
	Asset     func(name string) string
	Toast     *Toast
	Title     string
	RequestID string
	// MailOn: a mail server is set up; MailFault is what keeps all letters from
	// leaving, empty for nothing.
	MailOn    bool
	MailFault string
	BaseURL   string // "https://tripwire.example.com", no slash at the end
	// Path is the page's own path and query, to come back to after a change of
	// language. Empty: the start page.
	Path string
	// Events is the address of the stream that tells when the blocks of the page
	// have changed; empty: the page stays as it is.
	Events string
}

// Toast is a short message at the foot of the screen, with at most one way
// back.
type Toast struct {
	Text       string
	UndoAction string // the path to POST to; empty: nothing to undo
	UndoLabel  string // empty: the usual word
}

func (c Chrome) asset(name string) string {
	if c.Asset == nil {
		return "/assets/" + name
	}
	return c.Asset(name)
}

func (c Chrome) back() string {
	if c.Path == "" {
		return "/"
	}
	return c.Path
}

// home is where the brand mark leads.
func (c Chrome) home() string {
	switch {
	case c.Actor.Role.Staff():
		return panelPath
	case c.Actor.Role == school.RoleStudent:
		return "/"
	default:
		return "/login"
	}
}

func (c Chrome) title() string {
	name := c.School
	if name == "" {
		name = "Tripwire"
	}
	if c.Title == "" {
		return name
	}
	return c.Title + " · " + name
}

// navItem is one place in the navigation.
type navItem struct {
	section, path, label, icon string
}

func (c Chrome) nav() []navItem {
	p := c.P
	switch c.Actor.Role {
	case school.RoleAdmin, school.RoleSales:
		items := []navItem{
			{"students", panelPath, p.T("nav.students"), "people"},
			{"sales", salesPath, p.T("nav.sales"), "coin"},
			{"homework", homeworkPath, p.T("nav.homework"), "inbox"},
			{"history", historyPath, p.T("nav.history"), "history"},
			{"trash", "/integrator/trash", p.T("nav.trash"), "trash"},
		}
		if c.Actor.Role == school.RoleAdmin {
			items = append(items, navItem{"courses", coursesPath, p.T("nav.courses"), "book"})
			items = append(items, navItem{"letters", lettersPath, p.T("nav.letters"), "mail"})
			items = append(items, navItem{"settings", "/integrator/settings", p.T("nav.settings"), "gear"})
		}
		return items
	case school.RoleStudent:
		return []navItem{
			{"course", "/", p.T("nav.course"), "play"},
			{"account", "/account", p.T("nav.account"), "user"},
		}
	default:
		return nil
	}
}

// maxTabs is how many places fit the foot of a phone.
const maxTabs = 5

// tabs are the places at the foot of a phone; moreTabs are those that it has no room
// for.
func (c Chrome) tabs() []navItem {
	if items := c.nav(); len(items) > maxTabs {
		return items[:maxTabs-1]
	}
	return c.nav()
}

func (c Chrome) moreTabs() []navItem { return c.nav()[len(c.tabs()):] }
