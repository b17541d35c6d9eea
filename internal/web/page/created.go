package page

import (
	"strconv"
	"strings"

	"tripwire/internal/school"
)

func moduleNumber(m school.Module) string { return strconv.FormatInt(int64(m.ID), 10) }

// welcome is the message for the student, in the student's own language.
func welcome(c Chrome, m school.Created) string {
	p := c.P.In(m.Student.Language)
	args := []string{
		"name", m.Student.FullName, "school", c.School, "site", c.BaseURL,
		"email", string(m.Student.Email), "password", m.Password,
		"link", c.absolute(m.Link), "until", p.Moment(m.LinkEnds),
	}
	if m.Access == school.AccessLink {
		return p.T("welcome.link", args...)
	}
	text := p.T("welcome.password", args...)
	if m.MustChange {
		text += "\n\n" + p.T("welcome.own_password")
	}
	return text
}

// shared is the message for other channels. A password does not travel in an
// address: it is told on the phone.
func shared(c Chrome, m school.Created) string {
	if m.Access == school.AccessLink {
		return welcome(c, m)
	}
	return c.P.In(m.Student.Language).T("welcome.shared", "name", m.Student.FullName, "school", c.School, "site", c.BaseURL, "email", string(m.Student.Email))
}

// credentials is everything that the frame shows, as plain lines.
func credentials(c Chrome, m school.Created) string {
	lines := []string{
		c.P.T("created.site") + ": " + c.BaseURL,
		c.P.T("field.email") + ": " + string(m.Student.Email),
	}
	if m.Access == school.AccessLink {
		lines = append(lines, c.P.T("created.link")+": "+c.absolute(m.Link))
	} else {
		lines = append(lines, c.P.T("field.password")+": "+m.Password)
	}
	return strings.Join(lines, "\n")
}

// passwordEnds says how long the first password works.
func passwordEnds(c Chrome, m school.Created) string {
	if m.PasswordEnds.IsZero() {
		return ""
	}
	return c.P.T("created.password_until", "time", c.P.Moment(m.PasswordEnds))
}
