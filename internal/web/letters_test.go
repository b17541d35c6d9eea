package web

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

const (
	mailAt  = "/integrator/mail"
	textsAt = "/integrator/letter-texts"
)

// setUp is a form of the mail settings as it is filled in well.
func setUp(change ...string) url.Values {
	v := url.Values{
		"host": {"smtp.example.com"}, "port": {"587"}, "security": {"starttls"}, "username": {"school"}, "password": {"smtp-secret-1"}, "from_email": {"school@example.com"},
		"from_name": {"Школа"}, "reply_to": {"help@example.com"}, "bounce_email": {""}, "domain_per_minute": {"300"}, "content_days": {"90"}, "reminder_days": {"7"}, "module_opened": {"1"},
	}
	for i := 0; i < len(change); i += 2 {
		v.Set(change[i], change[i+1])
	}
	return v
}

// TestThePasswordOfTheMailServerIsNeverShown: kept sealed, left as it is by an empty
// field, and forgotten for another server.
func TestThePasswordOfTheMailServerIsNeverShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		wantSeeOther(t, boss.post(mailAt, setUp()))
		a := boss.get(mailAt)
		wantPage(t, a, http.StatusOK)
		if !strings.Contains(a.text(), "Сохранён") || !strings.Contains(a.body, "smtp.example.com") || strings.Contains(a.body, "smtp-secret-1") {
			t.Errorf("the page says %s", a.text())
		}
		sealed := p.text(t, "SELECT sealed_password FROM mail_settings")
		wantSeeOther(t, boss.post(mailAt, setUp("password", "", "reminder_days", "14")))
		if again := p.text(t, "SELECT sealed_password FROM mail_settings"); sealed == "" || again != sealed {
			t.Errorf("sealed %q, then %q", sealed, again)
		}
		for _, other := range [][]string{{"host", "evil.example.com"}, {"username", "somebody"}} {
			a := boss.post(mailAt, setUp(append(other, "password", "")...))
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `id="smtp-password-error"`) {
				t.Errorf("%s, without its password: %d %s", other, a.status, a.text())
			}
		}
		wantSeeOther(t, boss.post(mailAt, setUp("password", "", "host", "open.example.com", "username", "")))
		if again := p.text(t, "SELECT sealed_password FROM mail_settings"); again != "" {
			t.Error("the password of one server is kept for another")
		}
		for table, rows := range target.Dump(t) {
			if strings.Contains(strings.Join(rows, "\n"), "smtp-secret-1") {
				t.Errorf("the password stands in %s", table)
			}
		}
		if strings.Contains(p.log.String(), "smtp-secret-1") {
			t.Error("the password stands in the log")
		}
	})
}

// TestATypedPasswordGoesOnThroughTrialsAndMistakes, sealed for its server and user.
func TestATypedPasswordGoesOnThroughTrialsAndMistakes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		carried := regexp.MustCompile(`name="carried_password" value="([^"]+)"`)
		next := func(form url.Values, status int) string {
			t.Helper()
			a := boss.post(mailAt, form)
			found := carried.FindStringSubmatch(a.body)
			if a.status != status || found == nil || strings.Contains(a.body, "smtp-secret-1") {
				t.Fatalf("%d %s", a.status, a.text())
			}
			return found[1]
		}
		sealed := next(setUp("host", "127.0.0.1", "port", "1", "try", "1"), http.StatusOK)
		sealed = next(setUp("host", "127.0.0.1", "port", "1", "from_email", "nobody", "password", "", "carried_password", sealed), http.StatusUnprocessableEntity)
		for _, other := range [][]string{{"host", "evil.example.com"}, {"username", "somebody"}, {"carried_password", sealed + "x"}} {
			p.unchanged(t, other[0], func() {
				a := boss.post(mailAt, setUp(append([]string{"host", "127.0.0.1", "password", "", "carried_password", sealed}, other...)...))
				if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `id="smtp-password-error"`) || carried.MatchString(a.body) {
					t.Errorf("%s: %d %s", other, a.status, a.text())
				}
			})
		}
		wantSeeOther(t, boss.post(mailAt, setUp("host", "127.0.0.1", "password", "", "carried_password", sealed)))
		if p.text(t, "SELECT sealed_password FROM mail_settings") == "" {
			t.Error("the password is lost")
		}
	})
}

// TestMailSettingsSayWhatIsWrong at its field, keep what was typed but for the
// password, and change nothing.
func TestMailSettingsSayWhatIsWrong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		for field, wrong := range map[string][]string{
			"host": {"host", "smtp example"}, "port": {"port", "70000"}, "security": {"security", "none"}, "from_email": {"from_email", "nobody"},
			"reply_to": {"reply_to", "школа@почта.рф"}, "bounce_email": {"bounce_email", "a b"}, "reminder_days": {"reminder_days", "many"}, "domain_per_minute": {"domain_per_minute", "-1"}, "content_days": {"content_days", "0"},
		} {
			for _, try := range []string{"", "1"} {
				form := setUp(wrong...)
				form.Set("try", try)
				p.unchanged(t, field, func() {
					a := boss.post(mailAt, form)
					wantPage(t, a, http.StatusUnprocessableEntity)
					if !strings.Contains(a.body, `id="`+field+`-error"`) || strings.Contains(a.body, "smtp-secret-1") || !strings.Contains(a.body, "help@example.com") && field != "reply_to" {
						t.Errorf("%s: %s", field, a.text())
					}
				})
			}
		}
	})
}

// TestTextsAreEditedPreviewedAndReset: a preview is a page of its own, without
// scripts, and nothing that is typed becomes markup in it.
func TestTextsAreEditedPreviewedAndReset(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		at := textsAt + "/welcome/ru"
		form := url.Values{"subject": {"  Вход  в {school} "}, "body": {"# Привет\r\n\r\n<script>alert(1)</script> {name}\r\n\r\n[Войти]({link})"}}
		a := boss.post(at+"/preview", form)
		if a.status != http.StatusOK || strings.Contains(a.body, "<script") || !strings.Contains(a.body, "&lt;script&gt;") || !strings.Contains(a.body, "Войти") {
			t.Errorf("the preview: %d %s", a.status, a.body)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script-src") {
			t.Errorf("the preview comes with %q", policy)
		}
		for body, want := range map[string]string{
			"без ссылки": "Без ссылки письмо бесполезно: добавьте link", "{stranger} {link}": "Такого в этом письме нет: stranger",
			"{stranger}": "Такого в этом письме нет: stranger", "{link": "Скобка { не закрыта",
		} {
			form := url.Values{"subject": {"Тема"}, "body": {body}}
			a := boss.post(at, form)
			wantTame(t, body, a)
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `id="body-error"`) || !strings.Contains(a.text(), want) {
				t.Errorf("%q: %s", body, a.text())
			}
			if a := boss.post(at+"/preview", form); a.status != http.StatusUnprocessableEntity || a.header.Get("X-Frame-Options") != "SAMEORIGIN" {
				t.Errorf("%q: the preview is %d %q", body, a.status, a.header.Get("X-Frame-Options"))
			}
		}
		wantSeeOther(t, boss.post(at, form))
		if got := p.text(t, "SELECT subject FROM letter_texts WHERE kind = 'welcome' AND language = 'ru'"); got != "Вход в {school}" {
			t.Errorf("kept %q", got)
		}
		if a := boss.get(textsAt + "?language=ru"); strings.Count(a.body, `<span class="badge info">изменён`) != 1 {
			t.Errorf("the list says %s", a.text())
		}
		if a := boss.post(at+"/test", form); a.status != http.StatusConflict || !strings.Contains(a.text(), "Письма не настроены") {
			t.Errorf("a test without a server: %d %s", a.status, a.text())
		}
		own := p.text(t, "SELECT body FROM letter_texts")
		reset := boss.post(at+"/reset", url.Values{"subject": {"x"}, "body": {"y"}})
		wantTame(t, "reset", reset)
		if n := p.count(t, "SELECT count(*) FROM letter_texts"); n != 0 || reset.status != http.StatusOK {
			t.Errorf("reset: %d; %d texts are kept", reset.status, n)
		}
		undo := url.Values{}
		for _, m := range regexp.MustCompile(`<input type="hidden" name="(subject|body)" value="([^"]*)"`).FindAllStringSubmatch(reset.body, -1) {
			undo.Set(m[1], html.UnescapeString(m[2]))
		}
		wantSeeOther(t, boss.post(at, undo))
		if got := p.text(t, "SELECT body FROM letter_texts WHERE subject = 'Вход в {school}'"); got != own || own == "" {
			t.Errorf("brought back %q, want %q", got, own)
		}
		boss.post(at+"/reset", undo)
		wantSeeOther(t, boss.post(at+"/reset", undo)) // the form sent twice
		for _, path := range []string{textsAt + "/none/ru", textsAt + "/welcome/xx", textsAt + "/welcome/ru/none"} {
			if a := boss.get(path); a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
}

// TestTheOutboxIsShownFilteredAndChanged.
func TestTheOutboxIsShownFilteredAndChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		for i := range 60 {
			p.student(t, p.a, fmt.Sprintf("s%d@example.com", i))
		}
		first, second := boss.get("/integrator/letters"), regexp.MustCompile(`/integrator/letters\?before=\d+`)
		wantPage(t, first, http.StatusOK)
		if !strings.Contains(first.text(), "s59@example.com") || strings.Contains(first.text(), "s5@example.com") || !strings.Contains(first.text(), "Письма не настроены") {
			t.Errorf("the first page: %s", first.text())
		}
		older := boss.get(second.FindString(first.body))
		if !strings.Contains(older.text(), "s5@example.com") || strings.Contains(older.text(), "s59@example.com") {
			t.Errorf("the second page: %s", older.text())
		}
		if a := boss.get("/integrator/letters?q=S7@Example"); !strings.Contains(a.text(), "s7@example.com") || strings.Contains(a.text(), "s8@example.com") {
			t.Errorf("searched: %s", a.text())
		}
		id := p.count(t, "SELECT id FROM letters WHERE email = 's7@example.com'")
		one := fmt.Sprintf("/integrator/letters/%d", id)
		if a := boss.get(one); !strings.Contains(a.text(), "никто ещё не получал") {
			t.Errorf("unsent: %s", a.text())
		}
		if a := boss.get(one + "/body"); a.status != http.StatusNotFound {
			t.Errorf("the body of an unsent letter: %d", a.status)
		}
		wantSeeOther(t, boss.post(one+"/cancel", nil))
		if a := boss.post(one+"/cancel", nil, asProgram...); a.code() != "letter_away" {
			t.Errorf("cancelled twice: %d %s", a.status, a.code())
		}
		if a := boss.get("/integrator/letters?state=cancelled"); !strings.Contains(a.text(), "s7@example.com") || strings.Contains(a.text(), "s8@example.com") {
			t.Errorf("cancelled are %s", a.text())
		}
		wantSeeOther(t, boss.post(one+"/retry", nil))
		if got := p.text(t, "SELECT state FROM letters WHERE email = 's7@example.com'"); got != "queued" {
			t.Errorf("tried again it is %s", got)
		}
		if a := boss.get(one); !strings.Contains(a.text(), "Этого письма никто ещё не получал") {
			t.Errorf("not tried yet: %s", a.text())
		}
		p.exec(t, "UPDATE letters SET attempts = 1, attempted_at = queued_at WHERE id = $1", id)
		if a := boss.get(one); !strings.Contains(a.text(), "Этого письма никто ещё не получал") {
			t.Errorf("tried just now: %s", a.text())
		}
		p.exec(t, "UPDATE letters SET attempted_at = '2020-01-01 10:00:00.000' WHERE id = $1", id)
		if a := boss.get(one); !strings.Contains(a.text(), "Текст этого письма больше не хранится") {
			t.Errorf("forgotten: %s", a.text())
		}
		p.exec(t, "INSERT INTO letter_contents (letter_id, subject, text, html, written_at) SELECT id, 'Тема', 'Текст', '<p>Письмо</p>', queued_at FROM letters WHERE id = $1", id)
		if a := boss.get(one); !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-src 'self'") || !strings.Contains(a.body, "<iframe") {
			t.Errorf("the letter: %q %s", a.header.Get("Content-Security-Policy"), a.text())
		}
		if a := boss.get(one + "/body"); a.body != "<p>Письмо</p>" || !strings.Contains(a.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("its body: %q %s", a.header.Get("Content-Security-Policy"), a.body)
		}
		if a := boss.get("/integrator/letters/0"); a.status != http.StatusNotFound {
			t.Errorf("no letter: %d", a.status)
		}
	})
}

// TestThatLettersDoNotLeaveIsSaidWhereItMatters: in the success dialog, on the card, on
// the page of letters, and to who has forgotten the password; and not when they do.
func TestThatLettersDoNotLeaveIsSaidWhereItMatters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		n := 0
		shown := func() map[string]string {
			t.Helper()
			n++
			email := fmt.Sprintf("s%d@example.com", n)
			created := boss.post("/integrator/students", url.Values{"full_name": {"S"}, "email": {email}, "access": {"link"}, "form_key": {school.NewToken()}})
			id := p.text(t, "SELECT CAST(id AS TEXT) FROM users WHERE email = '"+email+"'")
			return map[string]string{
				"the dialog": created.text(), "the card": boss.get("/integrator/students/" + id).text(), "the letters": boss.get("/integrator/letters").text(),
				"the way back in": p.browser(t).get("/recover").text(),
			}
		}
		want := func(state string, sentences map[string]string) {
			t.Helper()
			for where, text := range shown() {
				if !strings.Contains(text, sentences[where]) {
					t.Errorf("%s: %s does not say %q: %s", state, where, sentences[where], text)
				}
			}
		}
		want("nothing is set up", map[string]string{
			"the dialog": "Письма не настроены", "the card": "Письма не настроены: передайте ссылку или пароль сами.",
			"the letters": "Письма не настроены и не уходят.", "the way back in": "Письма сейчас не уходят. Попросите ссылку у своего менеджера.",
		})
		wantSeeOther(t, boss.post(mailAt, setUp()))
		for where, text := range shown() {
			if strings.Contains(text, "не настроены") || strings.Contains(text, "не уходят") {
				t.Errorf("they leave, and %s says %s", where, text)
			}
		}
		p.exec(t, "UPDATE mail_settings SET fault = 'login_refused', fault_words = '535 5.7.8 not you', fault_at = '2026-03-01 12:00:00.000'")
		for _, path := range []string{"/integrator/letters", mailAt} {
			if a := boss.get(path); !strings.Contains(a.text(), "Дословно: 535 5.7.8 not you") {
				t.Errorf("%s does not repeat the server: %s", path, a.text())
			}
		}
		want("the login is refused", map[string]string{
			"the dialog": "Письма сейчас не уходят", "the card": "Письма сейчас не уходят: Почтовый сервер не принял имя или пароль.",
			"the letters": "Письма сейчас не уходят: Почтовый сервер не принял имя или пароль.", "the way back in": "Письма сейчас не уходят. Попросите ссылку у своего менеджера.",
		})
	})
}

// shareLinks are what the links of a page to other channels would say there.
func shareLinks(t *testing.T, a answer) (messages []string) {
	t.Helper()
	for n := range a.doc(t).Descendants() {
		href, err := url.Parse(attr(n, "href"))
		if err == nil && (href.Host == "wa.me" || href.Host == "t.me") {
			messages = append(messages, href.Query().Get("text"))
		}
	}
	return messages
}

// TestTheMessageIsSharedByOtherChannels: the link in it, a password never.
func TestTheMessageIsSharedByOtherChannels(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		vera := p.as(t, "a@example.com", staffPassword)
		create := func(access, email string) answer {
			t.Helper()
			return vera.post("/integrator/students", url.Values{"full_name": {"Айгүл С."}, "email": {email}, "access": {access}, "password": {"first password"}, "form_key": {school.NewToken()}})
		}
		want := func(what string, a answer, has, hasNot string) {
			t.Helper()
			messages := shareLinks(t, a)
			if len(messages) != 2 {
				t.Fatalf("%s: %d links to other channels: %s", what, len(messages), a.text())
			}
			for _, m := range messages {
				if !strings.Contains(m, has) || strings.Contains(m, hasNot) || !strings.Contains(m, "Айгүл") {
					t.Errorf("%s shares %q", what, m)
				}
			}
		}
		want("a password", create("password", "one@example.com"), "one@example.com", "first password")
		want("a link", create("link", "two@example.com"), p.url+"/access/", "first password")
		id := p.text(t, "SELECT CAST(id AS TEXT) FROM users WHERE email = 'one@example.com'")
		want("the card", vera.post("/integrator/students/"+id+"/link", url.Values{"form_key": {school.NewToken()}}), p.url+"/access/", "first password")
	})
}

// TestBouncesAreReportedWithTheTokenAlone: as a bearer or as a password, and nothing
// else opens.
func TestBouncesAreReportedWithTheTokenAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		boss := p.as(t, "admin@example.com", staffPassword)
		p.student(t, p.a, "s@example.com")
		p.exec(t, "UPDATE letters SET state = 'accepted', due_at = NULL, sent_at = queued_at, message_id = '<a@school>'")
		report := `{"message_id": "<a@school>", "permanent": true, "words": "550 mailbox full"}`
		token := regexp.MustCompile(`id="hook-token"[^>]* value="([^"]+)"`).FindStringSubmatch(boss.post(mailAt+"/hook", nil).body)
		if token == nil {
			t.Fatal("no token is shown")
		}
		if a := boss.get(mailAt); strings.Contains(a.body, token[1]) {
			t.Error("the token is shown twice")
		}
		if n := p.count(t, "SELECT count(*) FROM mail_settings WHERE hook_hash = $1", token[1]); n != 0 {
			t.Error("the token is kept in clear")
		}
		for _, headers := range [][]string{nil, {"Authorization", "Bearer wrong"}, {"Authorization", "Bearer "}} {
			if a := p.report(t, report, headers...); a.status != http.StatusUnauthorized || a.code() != "hook_refused" {
				t.Errorf("%q: %d %s", headers, a.status, a.code())
			}
		}
		bearer := []string{"Authorization", "Bearer " + token[1]}
		if a := p.report(t, "{", bearer...); a.status != http.StatusUnprocessableEntity || a.code() != "bounce_invalid" {
			t.Errorf("nonsense: %d %s", a.status, a.code())
		}
		if a := p.report(t, report, bearer...); a.status != http.StatusOK || strings.TrimSpace(a.body) != `{"noted":1}` {
			t.Errorf("reported: %d %s", a.status, a.body)
		}
		if a := p.report(t, report, bearer...); strings.TrimSpace(a.body) != `{"noted":0}` {
			t.Errorf("reported twice: %d %s", a.status, a.body)
		}
		card, err := p.Students(t.Context(), p.a, school.StudentFilter{Status: school.StatusUndelivered})
		if err != nil || len(card.Students) != 1 || card.Students[0].Letter.State != school.LetterBounced || card.Students[0].Letter.Reply != "550 mailbox full" {
			t.Errorf("the list says %+v, %v", card.Students, err)
		}
	})
}

// TestAmazonIsToldThatItMayReport when it asks with the token, and whoever else asks
// makes us ask nobody.
func TestAmazonIsToldThatItMayReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var asked []string
		away := errors.New("Amazon is away")
		p := open(t, target, setup{desk: func(o *desk.Options) {
			o.AdmitReports = func(_ context.Context, at string) error {
				asked = append(asked, at)
				return away
			}
		}})
		boss := p.as(t, "admin@example.com", staffPassword)
		token := regexp.MustCompile(`id="hook-token"[^>]* value="([^"]+)"`).FindStringSubmatch(boss.post(mailAt+"/hook", nil).body)[1]
		const address = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
		question := func(at string) string { return `{"Type": "SubscriptionConfirmation", "SubscribeURL": "` + at + `"}` }
		known := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("sns:"+token))}
		a := p.report(t, question(address))
		if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("without a password: %d, %q", a.status, a.header.Get("WWW-Authenticate"))
		}
		if a := p.report(t, question("https://evil.example/"), known...); a.status != http.StatusUnprocessableEntity || a.code() != "bounce_invalid" {
			t.Errorf("another address: %d %s", a.status, a.code())
		}
		if len(asked) != 0 {
			t.Errorf("asked %q", asked)
		}
		confirmed := func() int {
			t.Helper()
			return p.count(t, "SELECT count(*) FROM activity WHERE action = 'mail.hook_confirmed'")
		}
		if a := p.report(t, question(address), known...); a.status != http.StatusServiceUnavailable || confirmed() != 0 {
			t.Errorf("Amazon is away: %d %s, noted %d", a.status, a.code(), confirmed())
		} else if line := p.log.line(t, a.header.Get("X-Request-Id")); !strings.Contains(fmt.Sprint(line["error"]), away.Error()) || line["level"] != "WARN" {
			t.Errorf("the log says %v", line)
		}
		away = nil
		if a := p.report(t, question(address), known...); a.status != http.StatusOK || confirmed() != 1 {
			t.Errorf("confirmed: %d %s, noted %d", a.status, a.body, confirmed())
		}
		if want := []string{address, address}; !slices.Equal(asked, want) {
			t.Errorf("asked %q", asked)
		}
		if a := boss.get("/integrator/history"); !strings.Contains(a.text(), "Почтовая служба подключена") {
			t.Errorf("the history says %s", a.text())
		}
	})
}

// report is what a provider sends.
func (p place) report(t *testing.T, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/hooks/bounces", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return p.browser(t).do(r)
}

// text asks the database behind the store's back.
func (p place) text(t *testing.T, query string) (s string) {
	t.Helper()
	if err := p.raw.QueryRowContext(t.Context(), query).Scan(&s); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return s
}

// TestAskingForANewPasswordTellsNothing: whoever has the address, the answer is the
// same, and who asks too often waits.
func TestAskingForANewPasswordTellsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.student(t, p.a, "s@example.com")
		said := map[string]bool{}
		for _, email := range []string{"s@example.com", "nobody@example.com", "a@example.com", "S@EXAMPLE.com "} {
			a := p.browser(t).post("/recover", url.Values{"email": {email}})
			wantSeeOther(t, a)
			said[a.header.Get("Location")+a.body] = true
		}
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
		if n := p.count(t, "SELECT count(*) FROM letters WHERE kind = 'recovery' AND state = 'queued'"); n != 2 {
			t.Errorf("%d letters wait, one for each who has an account", n)
		}
		a := p.browser(t).post("/recover", url.Values{"email": {"no address"}})
		wantPage(t, a, http.StatusUnprocessableEntity)
		for range 10 {
			a = p.browser(t).post("/recover", url.Values{"email": {"s@example.com"}})
		}
		wantPage(t, a, http.StatusTooManyRequests)
		if a.header.Get("Retry-After") == "" {
			t.Error("who asked too often is not told for how long")
		}
	})
}
