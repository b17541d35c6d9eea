package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

func (h *Handler) settings(w http.ResponseWriter, r *http.Request) error {
	return h.showSettings(w, r, http.StatusOK, page.SettingsPage{S: visitOf(r).settings, Saved: r.URL.Query().Has("saved")})
}

func (h *Handler) showSettings(w http.ResponseWriter, r *http.Request, status int, m page.SettingsPage) error {
	return h.render(w, r, status, page.Settings(h.chrome(r, "settings", visitOf(r).printer.T("settings.title")), m))
}

func (h *Handler) editSettings(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := visitOf(r)
	s := settingsFrom(r.PostForm, v.settings)
	if err := h.desk.EditSettings(r.Context(), v.actor, s); err != nil {
		if wantsJSON(r) || school.KindOf(err) != school.Invalid {
			return err
		}
		return h.showSettings(w, r, noteRefusal(r, err), page.SettingsPage{S: s, Fields: problem.Shown(err).Fields})
	}
	http.Redirect(w, r, "/integrator/settings?saved", http.StatusSeeOther)
	return nil
}

// numberIn reads a number of a form; what is none becomes -1, which no limit admits.
func numberIn(p url.Values, name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(p.Get(name)))
	if err != nil {
		return -1
	}
	return n
}

// settingsFrom reads the form.
func settingsFrom(p url.Values, now school.Settings) school.Settings {
	number := func(name string) int { return numberIn(p, name) }
	s := school.Settings{
		Name: strings.TrimSpace(p.Get("name")), TimeZone: strings.TrimSpace(p.Get("time_zone")), Language: school.Language(p.Get("language")),
		OwnPassword: p.Get("own_password") != "", FirstPasswordHours: number("first_password_hours"), LinkHours: number("link_hours"),
		TrashDays: number("trash_days"), SessionIdleHours: number("session_idle_hours"), SessionMaxHours: number("session_max_hours"),
	}
	for _, l := range now.PriceLimits {
		if l.Role == school.RoleSales {
			l.MinPercent, l.MaxPercent = number("price_min_percent"), number("price_max_percent")
		}
		s.PriceLimits = append(s.PriceLimits, l)
	}
	return s
}
