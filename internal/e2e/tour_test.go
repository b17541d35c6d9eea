package e2e_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// show is called at every stop of a tour.
type show func(stop string, b *tab)

// tour leads through every page in every state, in one language, with names
// that try it. It goes by the names of fields and by addresses: the words differ.
type tour struct {
	*school
	language string
	show     show
	manager  *tab
	owner    person
	student  string // the id of one with a plain name
}

// newSchoolYear is what all tours share: a school with a hostile name.
func newSchoolYear(t *testing.T) *server {
	t.Helper()
	s := staffed(t, emptySQLite(t))
	s.furnish()
	s.exec("UPDATE settings SET name = $1", `<script>alert(5)</script> Школа "Ғылым" `+strings.Repeat("W", 60))
	return s.server
}

// lead goes through all stops; manager is the name of whose desk it is.
func lead(t *testing.T, shared *server, language, manager string, at show) {
	t.Helper()
	v := &tour{school: &school{server: shared, t: t}, language: language, show: at}
	v.owner = person{manager, "tour-" + language + "@example.com", "tour-pass-2026"}
	shared.hire(t, v.owner, "sales")
	v.anonymous()
	v.emptyDesk()
	v.fullDesk()
	v.dialogs()
	v.card()
	v.bin()
	v.history()
	v.adminPages()
	v.studentPages()
	v.homeworkPages()
	v.editorPages()
}

// enter logs somebody in and has the account speak the language of the tour.
func (v *tour) enter(p person, name string) *tab {
	v.t.Helper()
	b := v.stranger(name)
	b.open("/login")
	b.fillIn("[name=email]", p.email)
	b.fillIn("[name=password]", p.password)
	b.loading(func() { b.pressOn("form[action='/login'] button[type=submit]") })
	b.holds(`location.pathname !== "/login"`)
	b.post("/language", url.Values{"language": {v.language}}, "text/html")
	b.reload()
	b.in(v.language)
	return b
}

func (v *tour) stranger(name string) *tab {
	v.t.Helper()
	b := v.visitor(name)
	b.speak(v.language)
	b.allow(401, 403, 404, 409, 422)
	return b
}

func (v *tour) anonymous() {
	v.t.Helper()
	b := v.stranger("stranger")
	b.open("/login")
	v.show("login", b)
	b.fillIn("[name=email]", "nobody@example.com")
	b.fillIn("[name=password]", "not the password")
	b.loading(func() { b.pressOn("form[action='/login'] button[type=submit]") })
	v.show("login-refused", b)
	b.open("/nothing-here")
	v.show("error-stranger", b)
	b.open("/access/none")
	v.show("link-invalid", b)
	b.open("/recover")
	b.fillIn("[name=email]", "nobody")
	b.loading(func() { b.pressOn("form[action='/recover'] button") })
	v.show("recover-refused", b)
	b.fillIn("[name=email]", "nobody-"+v.language+"@example.com")
	b.loading(func() { b.pressOn("form[action='/recover'] button") })
	v.show("recover-sent", b)
}

func (v *tour) emptyDesk() {
	v.t.Helper()
	v.manager = v.enter(v.owner, "manager")
	v.show("panel-empty", v.manager)
	v.manager.open(sales)
	v.show("sales-empty", v.manager)
	v.manager.open(trash)
	v.show("trash-empty", v.manager)
}

// address is one of this tour's own.
func (v *tour) address(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	return local[:min(len(local), 60)] + "-" + v.language + "@" + domain
}

func (v *tour) fullDesk() {
	v.t.Helper()
	b := v.manager
	b.open(panel)
	for _, p := range hostile {
		b.admit(p.name, v.address(p.email))
	}
	for i := range 15 {
		b.admit(fmt.Sprintf("Ученик Номер %d", i+1), fmt.Sprintf("pupil%d-%s@example.com", i, v.language))
	}
	v.student = v.idOf("pupil14-" + v.language + "@example.com")
	blocked := v.idOf("pupil13-" + v.language + "@example.com")
	b.post(students+"/"+blocked+"/block", nil, "text/html")
	v.exec("UPDATE users SET last_login_at = created_at WHERE id = $1", blocked)
	b.open(panel)
	b.rows(20)
	v.show("panel", b)
	b.open(read[string](b, `document.querySelector("#students [rel=next]").getAttribute("href")`))
	v.show("panel-page-2", b)
	b.sees("<script>alert(1)</script>")
	b.pressOn("#students tbody tr:last-child button[popovertarget]")
	v.show("row-menu", b)
	b.open(panel + "?size=50&status=newcomer")
	b.pressOn("#views > summary")
	v.show("saved-views", b)
	b.pressOn("#export > summary")
	v.show("export-menu", b)
	b.pressOn("#bulk-all")
	b.holds(`document.querySelector("#bulk.marked") !== null`)
	v.show("marked", b)
	b.open(students + "/print?status=newcomer")
	v.show("print", b)
	b.open(panel + "?status=blocked&q=" + url.QueryEscape("<b>"+strings.Repeat("Ж", 90)))
	v.show("nothing-found", b)
	b.pressOn("button[popovertarget=person]")
	v.show("person-menu", b)
	b.pressOn("[data-open=help]")
	b.holds(`!!document.querySelector("#help:modal")`)
	v.show("help", b)
}

func (v *tour) dialogs() {
	v.t.Helper()
	b, submit := v.manager, "#student-form button[type=submit]"
	b.open(students + "/new")
	b.holds(`!!document.querySelector("#student:modal")`)
	v.show("dialog", b)
	b.pressOn(submit)
	b.holds(`!!document.querySelector("#student-form [aria-invalid=true]")`)
	v.show("dialog-refused", b)
	b.fillIn("[name=full_name]", strings.Repeat("Ө", 150))
	b.fillIn("[name=email]", v.address(hostile[0].email))
	b.fillIn("#student-form [name=password]", strings.Repeat("p", 128))
	b.pressOn(submit)
	b.holds(`!!document.querySelector("#email-error a")`)
	v.show("dialog-exists", b)
	b.fillIn("[name=email]", "x"+v.address(hostile[0].email))
	b.pressOn(submit)
	b.holds(`!!document.querySelector("[data-created]")`)
	v.show("created", b)
	b.pressOn("[data-created] [data-close]")
	b.open(students + "/new")
	b.fillIn("[name=full_name]", "<img src=x onerror=alert(6)>")
	b.fillIn("[name=email]", "link-"+v.language+"@example.com")
	b.pressOn("[name=access][value=link]")
	v.show("dialog-link", b)
	b.pressOn(submit)
	b.holds(`!!document.querySelector("[data-created]")`)
	v.show("created-link", b)
}

func (v *tour) card() {
	v.t.Helper()
	b, hard := v.manager, students+"/"+v.idOf(v.address(hostile[0].email))
	b.open(hard)
	v.show("card", b)
	b.pressOn("details:has([name=full_name]) summary")
	b.fillIn("[name=full_name]", "")
	b.fillIn("[name=email]", "pupil1-"+v.language+"@example.com")
	b.loading(func() { b.pressOn("form:has([name=full_name]) button[type=submit]") })
	v.show("card-edit", b)
	b.open(hard)
	b.pressOn("details:has([name=reason]) summary")
	v.show("card-grant", b)
	b.fillIn("details[open] [name=reason]", strings.Repeat("Ә", 400))
	b.loading(func() { b.pressOn("details[open] form button[type=submit]") })
	v.show("card-granted", b)
	b.loading(func() { b.pressOn("form[action$='/link'] button") })
	b.holds(`!!document.querySelector("#link")`)
	v.show("card-link", b)
	b.open(hard)
	b.loading(func() { b.pressOn("form[action$='/block'] button") })
	v.show("card-blocked", b)
	b.loading(func() { b.pressOn("form[action$='/delete'] button") })
	b.holds(`!!document.querySelector("#toasts form")`)
	v.show("panel-toast", b)
}

func (v *tour) bin() {
	v.t.Helper()
	b, email := v.manager, "pupil14-"+v.language+"@example.com"
	b.post(students+"/"+v.student+"/delete", nil, "text/html")
	b.admit("Новый Ученик", email)
	b.open(trash)
	v.show("trash", b)
	b.open(students + "/" + v.student)
	v.show("card-deleted", b)
	b.loading(func() { b.pressOn("form[action$='/restore'] button") })
	v.show("card-taken", b)
	b.open(students + "/none")
	v.show("error", b)
	b.open("/account")
	v.show("account", b)
	b.fillIn("[name=current_password]", "not the password")
	b.fillIn("[name=password]", "short")
	b.loading(func() { b.pressOn("form[action='/account/password'] button[type=submit]") })
	v.show("account-refused", b)
	b.open("/integrator/settings")
	v.show("error-forbidden", b)
}

func (v *tour) history() {
	v.t.Helper()
	b := v.manager
	b.open(history)
	b.sees("<script>alert(1)</script>")
	v.show("history", b)
	b.open(history + "?q=" + url.QueryEscape("pupil"))
	v.show("history-several", b)
	b.open(history + "?action=study&student=" + v.student)
	v.show("history-nothing", b)
	b.open(history + "?from=2026-02-01&to=2026-01-01&student=none")
	v.show("history-refused", b)
}

func (v *tour) adminPages() {
	v.t.Helper()
	boss := person{admin.name, "boss-" + v.language + "@example.com", admin.password}
	v.hire(v.t, boss, "admin")
	b := v.enter(boss, "admin")
	v.show("panel-admin", b)
	b.open(history)
	v.show("history-admin", b)
	b.open("/integrator/settings")
	v.show("settings", b)
	b.fillIn("[name=time_zone]", "Mars/Olympus "+strings.Repeat("W", 100))
	b.fillIn("[name=trash_days]", "0")
	b.loading(func() { b.pressOn("form[action='/integrator/settings'] button[type=submit]") })
	v.show("settings-refused", b)
	b.open(trash)
	v.show("trash-admin", b)
	v.money(b)
	v.letters(b)
}

// letters are the outbox, its texts and its set-up; nothing is set up here, so that
// every letter waits.
func (v *tour) letters(b *tab) {
	v.t.Helper()
	const letters, texts, mail = "/integrator/letters", "/integrator/letter-texts", "/integrator/mail"
	b.open(letters)
	v.show("letters", b)
	b.open(read[string](b, `document.querySelector(".letters .cell-who a").getAttribute("href")`))
	v.show("letter", b)
	b.open(texts + "?language=" + v.language)
	v.show("letter-texts", b)
	b.open(texts + "/welcome/" + v.language)
	v.show("letter-text", b)
	b.fillIn("[name=body]", "{stranger} <script>alert(11)</script> "+strings.Repeat("Щ", 300))
	b.loading(func() { b.pressOn("#letter-text button.primary") })
	v.show("letter-text-refused", b)
	b.open(mail)
	b.fillIn("[name=host]", "smtp example")
	b.fillIn("[name=from_email]", strings.Repeat("ю", 60))
	b.fillIn("[name=reminder_days]", "-1")
	b.loading(func() { b.pressOn("form[action='/integrator/mail'] button.primary") })
	v.show("mail-refused", b)
	b.loading(func() { b.pressOn("form[action='/integrator/mail/hook'] button") })
	v.show("mail-hook", b)
}

// money is the sale on a card and the ledger, as an administrator has them.
func (v *tour) money(b *tab) {
	v.t.Helper()
	card := students + "/" + v.idOf(v.address(hostile[1].email))
	b.open(card)
	v.show("card-admin", b)
	b.pressOn("details:has([name=amount]) summary")
	b.fillIn("#refund-amount", "999999")
	b.fillIn("#refund-reason", "<script>alert(10)</script> "+strings.Repeat("Щ", 300))
	b.loading(func() { b.pressOn("form[action*='/refund#'] button") })
	v.show("card-refund-refused", b)
	b.fillIn("#refund-amount", "1500")
	b.loading(func() { b.pressOn("form[action*='/refund#'] button") })
	b.pressOn("details:has(#price-amount) summary")
	b.fillIn("#price-amount", "4200,50")
	b.fillIn("#price-reason", "опечатка")
	b.loading(func() { b.pressOn("form[action*='/price#'] button") })
	b.pressOn("details:has(#manager) summary")
	b.loading(func() { b.pressOn("form[action*='/transfer#'] button") })
	v.show("card-transfer-refused", b)
	b.loading(func() { b.pressOn("form[action$='/test'] button") })
	v.show("card-test", b)
	b.loading(func() { b.pressOn("form[action$='/untest'] button") })
	b.open(sales)
	v.show("sales-admin", b)
	b.open(sales + "?from=2026-99-99&to=1999-01-01")
	v.show("sales-faulty", b)
	b.open(sales + "?period=yesterday&course=1")
	v.show("sales-nothing", b)
	v.manager.open(sales)
	v.show("sales", v.manager)
}

func (v *tour) studentPages() {
	v.t.Helper()
	p := person{strings.Repeat("Ы", 75) + " " + strings.Repeat("ұ", 74), "studies-" + v.language + "@example.com", "first-password"}
	form := url.Values{"full_name": {p.name}, "email": {p.email}, "password": {p.password}}
	if got := v.manager.post(students, form, "text/html"); got.Status != 200 {
		v.t.Fatalf("create the student: %d", got.Status)
	}
	b := v.enter(p, "student")
	v.show("own-password", b)
	b.fillIn("[name=password]", "first-password")
	b.loading(func() { b.pressOn("form[action='/password'] button[type=submit]") })
	v.show("own-password-refused", b)
	b.fillIn("[name=password]", ownPassword)
	b.loading(func() { b.pressOn("form[action='/password'] button[type=submit]") })
	b.at("/")
	v.show("course", b)
	b.open("/lesson/67")
	b.holds(`document.querySelector("video").readyState > 0`)
	v.show("lesson", b)
	b.fillIn("#homework-text", hostileText)
	b.loading(func() { b.pressOn("button[form=homework-form]") })
	v.show("lesson-handed-in", b)
	b.open("/lesson/68")
	v.show("lesson-locked", b)
	b.open("/account")
	v.show("account-student", b)
	b.open(panel)
	v.show("error-student", b)
}

const hostileText = "<script>alert(7)</script> **нет** [x](javascript:alert(8)) " + `<img src=x onerror=alert(9)>` + "\n\n"

// homeworkPages is the queue, and the student's side of an answer.
func (v *tour) homeworkPages() {
	v.t.Helper()
	b := v.manager
	b.open("/integrator/homework")
	b.sees("<script>alert(7)</script>")
	v.show("queue", b)
	b.loading(func() { b.pressOn("[value=returned]") })
	v.show("queue-refused", b)
	b.fillIn("[name=comment]", strings.Repeat("Ж", 400))
	b.loading(func() { b.pressOn("[value=returned]") })
	v.show("queue-empty", b)
	id := v.idOf("studies-" + v.language + "@example.com")
	b.open(students + "/" + id + "/preview")
	v.show("preview", b)
	b.open(students + "/" + id + "/preview/lesson/67?at=2030-01-01T09:00")
	v.show("preview-lesson", b)
	b.open(students + "/" + id + "/preview/lesson/68")
	v.show("preview-locked", b)
}

func (v *tour) editorPages() {
	v.t.Helper()
	b := v.enter(person{admin.name, "boss-" + v.language + "@example.com", admin.password}, "editor")
	b.open("/integrator/courses")
	v.show("courses", b)
	b.open("/integrator/lessons/67")
	v.show("editor", b)
	b.fillIn("[name=video_seconds]", "soon")
	b.loading(func() { b.pressOn("form[action='/integrator/lessons/67'] button[type=submit]") })
	v.show("editor-refused", b)
}
