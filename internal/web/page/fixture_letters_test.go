package page_test

import (
	"time"

	"github.com/a-h/templ"

	"tripwire/internal/school"
	"tripwire/internal/web/page"
)

// letter is one in a state, with all that can be said of it.
func letter(k kind, id int64, s school.LetterState) school.Letter {
	l := school.Letter{
		ID: id, UserID: "01935c3e-0000-7000-8000-000000000003", Name: k.text("Әлия Нұрланқызы"), Language: school.Kazakh, Kind: school.LetterKinds()[int(id)%len(school.LetterKinds())],
		Email: school.Email(k.text("aliya@example.com")), State: s, QueuedAt: now.Add(-time.Hour), Attempts: int(id), MessageID: k.text("<A.1@example.com>"),
	}
	switch {
	case s.Waits():
		l.DueAt = now.Add(time.Duration(id) * time.Minute)
	case s == school.LetterAccepted:
		l.SentAt = now
	}
	if s.Failed() || s == school.LetterDeferred {
		l.Cause, l.Reply = "recipient_refused", k.text("550 5.1.1 no such user")
	}
	return l
}

func lettersPage(k kind) page.LettersPage {
	m := page.LettersPage{Server: k.text("smtp://smtp.example.com:587")}
	if k == empty {
		m.Server = ""
		return m
	}
	for i, s := range school.LetterStates() {
		m.Letters = append(m.Letters, letter(k, int64(i+1), s))
	}
	m.More, m.Settings = true, school.MailSettings{FaultAt: now, FaultWords: k.text("535 no")}
	m.Traffic = school.MailTraffic{Waiting: school.MaxCountedLetters, Failed: 3, LastHour: 1200, Oldest: now.Add(-time.Minute)}
	if k == hostile {
		m.Filter = school.LetterFilter{State: school.LetterRefused, Kind: evil, Query: evil, Before: 7}
	}
	return m
}

func mailPage(k kind) page.MailPage {
	m := page.MailPage{S: school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90}}
	if k == empty {
		m.Fixed = true
		return m
	}
	m.S = school.MailSettings{
		Host: k.text("smtp.example.com"), Port: 465, Security: "tls", Username: k.text("school"), FromName: k.text("Школа"), FromEmail: school.Email(k.text("school@example.com")),
		ReplyTo: school.Email(k.text("help@example.com")), BounceEmail: school.Email(k.text("bounce@example.com")), ModuleOpened: true, ReminderDays: 7, DomainPerMinute: 300, ContentDays: 90,
	}
	m.HasPass, m.Hooked, m.HookToken, m.Trial = true, true, k.text("TOKEN"), &page.MailTrial{}
	if k == hostile {
		m.Trial = &page.MailTrial{Cause: "login_refused", Words: evil}
		m.Fields = map[string]string{"host": "host_invalid", "port": "out_of_range", "security": "password_in_clear", "from_email": "email_invalid", "reminder_days": "out_of_range"}
	}
	return m
}

// letterPages are the screens about letters, and those that letters lead to.
func letterPages(k kind, out, admin page.Chrome) map[string]templ.Component {
	admin.Section = "letters"
	off, faulty := admin, admin
	off.MailOn, faulty.MailOn, faulty.MailFault = false, true, "login_refused"
	text := school.LetterText{Kind: school.LetterWelcome, Language: school.Kazakh, Subject: k.text("{school}"), Body: k.text("# {name}\n\n[Бастау]({link})"), Own: k != empty, UpdatedAt: now, UpdatedBy: k.text("Айгүл С.")}
	editor := page.LetterTextPage{Text: text, Saved: k == full}
	recovery, confirm := page.RecoverForm{Email: k.text("a@example.com"), Sent: k == full}, page.ConfirmForm{Action: "/access/TOKEN", Old: k.text("a@example.com"), New: k.text("b@example.com")}
	if k != empty {
		editor.TakenAway = &text
	}
	one := page.LetterPage{Letter: letter(k, 3, school.LetterDeferred), Card: "/integrator/students/1"}
	if k != empty {
		one.Content = school.LetterContent{Subject: k.text("Тема"), Text: k.text("Текст"), HTML: "<p>"}
	}
	if k == hostile {
		editor.Fields, editor.Params = map[string]string{"subject": "text_too_long", "body": "variable_unknown"}, map[string]string{"variable": evil}
		recovery.Fields, confirm.Taken = map[string]string{"email": "email_invalid"}, true
	}
	return map[string]templ.Component{
		"letters": page.Letters(admin, lettersPage(k)), "letters-off": page.Letters(off, lettersPage(k)), "letters-fault": page.Letters(faulty, lettersPage(k)),
		"letter": page.Letter(admin, one), "letter-texts": page.LetterTexts(admin, page.LetterTextsPage{Language: school.Kazakh, Texts: []school.LetterText{text}}),
		"letter-text": page.LetterTextEditor(admin, editor), "mail": page.Mail(admin, mailPage(k)), "mail-fault": page.Mail(faulty, mailPage(k)),
		"recover": page.Recover(out, recovery), "confirm": page.ConfirmEmail(out, confirm),
	}
}
