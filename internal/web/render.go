package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"tripwire/internal/locale"
	"tripwire/internal/problem"
	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// chrome is what stands around every page.
func (h *Handler) chrome(r *http.Request, section, title string) page.Chrome {
	v := visitOf(r)
	c := page.Chrome{
		P: v.printer, Actor: v.actor, School: v.settings.Name, Section: section, Title: title,
		Theme: theme(r), Asset: h.assets.path, RequestID: trailOf(r.Context()).requestID, BaseURL: h.baseURL,
		Path: r.URL.Path,
	}
	mail := h.desk.MailCondition(v.settings)
	c.MailOn, c.MailFault = mail.On, mail.Fault
	if r.Method != http.MethodGet {
		c.Path = "/"
	} else if r.URL.RawQuery != "" {
		c.Path += "?" + r.URL.RawQuery
	}
	if strings.HasPrefix(trailOf(r.Context()).pattern, "/access/") || strings.HasPrefix(trailOf(r.Context()).pattern, "/setup/") {
		c.Path = r.URL.Path
	}
	return c
}

func theme(r *http.Request) string {
	if c, err := r.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// render writes a page. It is made in memory first, so that a page that fails
// halfway is an error page and not half a page.
func (h *Handler) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the reader has left; there is nobody to tell
	return nil
}

// fail answers an error: a page for people, problem+json for programs.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	t := trailOf(r.Context())
	t.err = err
	v := visitOf(r)
	if errors.Is(err, school.ErrLessonLocked) {
		e := problem.Shown(err)
		err = e.With("reason", page.LockReason(v.printer, e.Params))
	}
	shown, status := problem.Shown(err), problem.Status(err)
	if seconds := shown.Params["seconds"]; seconds != "" {
		w.Header().Set("Retry-After", seconds)
	}
	if wantsJSON(r) {
		body := problem.BodyOf(err, v.printer.Error(shown.Code, shown.Params), t.requestID)
		w.Header().Set("Content-Type", problem.ContentType)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // the reader has left
		return
	}
	retry := ""
	if r.Method == http.MethodGet && status >= 500 {
		retry = r.URL.RequestURI()
	}
	c := h.chrome(r, "", "")
	if rendered := h.render(w, r, status, page.ErrorPage(c, page.ErrorPageModel{
		Status: status, Code: shown.Code, Params: shown.Params, RequestID: t.requestID, Retry: retry,
	})); rendered != nil {
		t.err = errors.Join(err, rendered)
		http.Error(w, shown.Text+". Request "+t.requestID, status)
	}
}

// noteRefusal remembers, for the log line, an error that a page shows by itself,
// and answers its status.
func noteRefusal(r *http.Request, err error) int {
	trailOf(r.Context()).err = err
	return problem.Status(err)
}

// wantsJSON reports whether the caller is a program.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return wantsLines(r) || strings.Contains(accept, "application/json") || strings.Contains(accept, problem.ContentType) ||
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
}

// wantsLines reports whether the caller is a script that reads line by line.
func wantsLines(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/x-ndjson")
}

func (h *Handler) nothingHere(http.ResponseWriter, *http.Request) error { return school.ErrNotFound }

func (h *Handler) refuseCrossOrigin(http.ResponseWriter, *http.Request) error {
	return school.ErrCrossOrigin
}

// language is the account's, else the cookie's, else the browser's, else the
// school's.
func (h *Handler) language(r *http.Request, v *visit) school.Language {
	if v.actor.Language != "" {
		return v.actor.Language
	}
	if c, err := r.Cookie("lang"); err == nil {
		if l, err := school.ParseLanguage(c.Value); err == nil {
			return l
		}
	}
	if l, ok := locale.Match(r.Header.Get("Accept-Language")); ok {
		return l
	}
	if v.settings.Language != "" {
		return v.settings.Language
	}
	return school.Russian
}

// setLanguage keeps the choice in the account and in the browser.
func (h *Handler) setLanguage(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	l, err := school.ParseLanguage(r.PostForm.Get("language"))
	if err != nil {
		return err
	}
	if actor := visitOf(r).actor; actor.ID != "" {
		if err := h.desk.SetLanguage(r.Context(), actor, l); err != nil {
			return err
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: "lang", Value: string(l), Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, localPath(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}

// localPath keeps a redirect on this site.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}

// parseForm reads a posted form. Errors: Invalid too_large, invalid_input.
func parseForm(r *http.Request) error {
	return refusedBody(r.ParseForm())
}

// refusedBody says what is wrong with a body that could not be read.
func refusedBody(err error) error {
	if err == nil {
		return nil
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return school.ErrTooLarge
	}
	return school.ErrInvalidInput
}

func studentID(r *http.Request) (school.UserID, error) { return school.ParseUserID(r.PathValue("id")) }
