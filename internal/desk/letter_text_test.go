package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/locale"
	"tripwire/internal/mail"
	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

// TestEveryShippedTextIsALetter: in each language each kind has what it needs,
// mentions what it may, and composes without anything left to fill in.
func TestEveryShippedTextIsALetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		before := target.Dump(t)
		seen := map[string]school.LetterKind{}
		for _, l := range school.Languages() {
			all, err := r.LetterTexts(ctx, r.admin, l)
			if err != nil || len(all) != len(school.LetterKinds()) {
				t.Fatalf("%d texts, %v", len(all), err)
			}
			for i, text := range all {
				if text.Kind != school.LetterKinds()[i] || text.Language != l || text.Own || text.Subject == "" || text.Body == "" {
					t.Errorf("the text is %+v", text)
				}
				c, err := r.PreviewLetter(ctx, r.admin, text, schoolURL)
				if err != nil {
					t.Errorf("%s, %s: %v", text.Kind, l, err)
					continue
				}
				for part, said := range map[string]string{"subject": c.Subject, "text": c.Text, "html": c.HTML} {
					if strings.ContainsAny(said, "⟦⟧") || part != "html" && strings.ContainsAny(said, "{}") || strings.TrimSpace(said) == "" {
						t.Errorf("%s, %s: the %s is\n%s", text.Kind, l, part, said)
					}
				}
				body := c.HTML[strings.Index(c.HTML, "<body"):]
				if strings.ContainsAny(body, "{}") || !strings.Contains(c.HTML, `lang="`+string(l)+`"`) {
					t.Errorf("%s, %s: the html is\n%s", text.Kind, l, c.HTML)
				}
				if other, ok := seen[c.Text]; ok {
					t.Errorf("%s in %s says what %s says", text.Kind, l, other)
				}
				seen[c.Text] = text.Kind
				if len(text.Kind.Needs()) > 0 && !strings.Contains(c.Text, schoolURL+"/access/••••••••") {
					t.Errorf("%s, %s has no link:\n%s", text.Kind, l, c.Text)
				}
			}
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("a preview has written:\n%s", diff)
		}
	})
}

// TestWhatIsWrongWithAText is told at its field with the variable, by edit and by
// preview, and nothing is kept.
func TestWhatIsWrongWithAText(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		const link = "\n\n[Go]({link})"
		before := target.Dump(t)
		for name, c := range map[string]struct {
			kind          school.LetterKind
			subject, body string
			fields        map[string]string
			variable      string
		}{
			"an unknown variable":             {school.LetterWelcome, "S", "Hello {nome}" + link, map[string]string{"body": "variable_unknown"}, "nome"},
			"one of the subject":              {school.LetterWelcome, "S {password}", "Hello" + link, map[string]string{"subject": "variable_unknown"}, "password"},
			"one of another kind":             {school.LetterRecovery, "S", "Hello {course}" + link, map[string]string{"body": "variable_unknown"}, "course"},
			"no link":                         {school.LetterWelcome, "S", "Hello {name}", map[string]string{"body": "variable_needed"}, "link"},
			"a link in the subject only":      {school.LetterRecovery, "S {link}", "Hello", map[string]string{"body": "variable_needed"}, "link"},
			"a brace that opens":              {school.LetterWelcome, "S", "Hello {name" + link, map[string]string{"body": "braces"}, ""},
			"a brace that closes":             {school.LetterWelcome, "S }", "Hello" + link, map[string]string{"subject": "braces"}, ""},
			"braces within braces":            {school.LetterWelcome, "S", "Hello {{name}}" + link, map[string]string{"body": "braces"}, ""},
			"no subject":                      {school.LetterTest, " \t", "Hello", map[string]string{"subject": "text_required"}, ""},
			"no body":                         {school.LetterTest, "S", "\r\n ", map[string]string{"body": "text_required"}, ""},
			"a long subject":                  {school.LetterTest, strings.Repeat("Ә", mail.MaxSubject+1), "Hello", map[string]string{"subject": "text_too_long"}, ""},
			"a long body":                     {school.LetterTest, "S", strings.Repeat("Ә", mail.MaxBody+1), map[string]string{"body": "text_too_long"}, ""},
			"characters that show nothing":    {school.LetterTest, "S", "Hello \x00", map[string]string{"body": "text_characters"}, ""},
			"characters that turn text round": {school.LetterTest, "S \u202e", "Hello", map[string]string{"subject": "text_characters"}, ""},
		} {
			text := school.LetterText{Kind: c.kind, Language: school.Russian, Subject: c.subject, Body: c.body}
			errEdit := r.EditLetterText(ctx, r.admin, text)
			_, errPreview := r.PreviewLetter(ctx, r.admin, text, schoolURL)
			for _, err := range []error{errEdit, errPreview} {
				var e *school.Error
				if !errors.As(err, &e) || e.Kind != school.Invalid {
					t.Errorf("%s: %v", name, err)
					continue
				}
				codes := fmt.Sprint(e.Fields)
				if diff := cmp.Diff(c.fields, e.Fields); diff != "" || e.Params["variable"] != c.variable {
					t.Errorf("%s: %s, variable %q", name, codes, e.Params["variable"])
				}
			}
		}
		for _, by := range []school.Actor{r.a, {}} {
			text := school.LetterText{Kind: school.LetterTest, Language: school.Russian, Subject: "S", Body: "B"}
			_, errPreview := r.PreviewLetter(ctx, by, text, schoolURL)
			_, errReset := r.ResetLetterText(ctx, by, school.LetterTest, school.Russian)
			for _, err := range []error{r.EditLetterText(ctx, by, text), errPreview, errReset} {
				if !errors.Is(err, school.ErrForbidden) && !errors.Is(err, school.ErrNotLoggedIn) {
					t.Errorf("by %q: %v", by.Role, err)
				}
			}
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		longest := school.LetterText{Kind: school.LetterTest, Language: school.Russian, Subject: strings.Repeat("Ә", mail.MaxSubject), Body: strings.Repeat("Ә", mail.MaxBody)}
		if err := r.EditLetterText(ctx, r.admin, longest); err != nil {
			t.Errorf("the longest: %v", err)
		}
	})
}

// TestTheSchoolsOwnWordsAreSent in their language, until they are taken back.
func TestTheSchoolsOwnWordsAreSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		own := school.LetterText{Kind: school.LetterWelcome, Language: school.Kazakh, Subject: "  Сәлем,\t{name} ", Body: "\r\n# Қош келдіңіз\r\n\r\nКурс **{course}**, модуль {module}, менеджер { manager }.\r\n\r\n[Кіру]({ link })\r\n\r\n{until}, {email}, {school}, {site}\r\n"}
		if err := r.EditLetterText(ctx, r.admin, own); err != nil {
			t.Fatal(err)
		}
		kept, err := r.LetterText(ctx, r.admin, school.LetterWelcome, school.Kazakh)
		if err != nil || !kept.Own || kept.UpdatedBy != r.admin.Name || !kept.UpdatedAt.Equal(r.time()) || kept.Subject != "Сәлем, {name}" || strings.Contains(kept.Body, "\r") || strings.TrimSpace(kept.Body) != kept.Body {
			t.Errorf("kept %+v, %v", kept, err)
		}
		if other, err := r.LetterText(ctx, r.admin, school.LetterWelcome, school.Russian); err != nil || other.Own {
			t.Errorf("the Russian one is %+v, %v", other, err)
		}
		welcome := func(language string) (subject, text string) {
			t.Helper()
			_, err := r.CreateStudent(ctx, r.a, school.NewStudentForm{FullName: "Әйгерім", Email: school.NewToken()[:8] + "@example.com", Access: "link", Language: language})
			if err != nil {
				t.Fatal(err)
			}
			o := r.send(t, school.LetterWelcome)
			return o.Message.Subject, o.Message.Text
		}
		subject, text := welcome("kk")
		if subject != "Сәлем, Әйгерім" || !strings.Contains(text, r.a.Name) || !strings.Contains(text, "Tripwire") || strings.ContainsAny(text, "{}⟦⟧") {
			t.Errorf("%s\n%s", subject, text)
		}
		if subject, _ := welcome("ru"); strings.Contains(subject, "Сәлем") {
			t.Errorf("in Russian: %s", subject)
		}
		if taken, err := r.ResetLetterText(ctx, r.admin, school.LetterWelcome, school.Kazakh); err != nil || taken != kept {
			t.Errorf("taken away %+v, %v", taken, err)
		}
		if _, err := r.ResetLetterText(ctx, r.admin, school.LetterWelcome, school.Kazakh); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("the shipped one taken away: %v", err)
		}
		if back, err := r.LetterText(ctx, r.admin, school.LetterWelcome, school.Kazakh); err != nil || back.Own {
			t.Errorf("taken back: %+v, %v", back, err)
		}
		if subject, _ := welcome("kk"); strings.Contains(subject, "Сәлем, Әйгерім") {
			t.Errorf("after the reset: %s", subject)
		}
	})
}

// TestATextOfAnOlderVersionIsRefusedAndTold: it does not hold up the letters behind
// it.
func TestATextOfAnOlderVersionIsRefusedAndTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		if err := r.EditLetterText(t.Context(), r.admin, school.LetterText{Kind: school.LetterWelcome, Language: school.Russian, Subject: "S", Body: "{link}"}); err != nil {
			t.Fatal(err)
		}
		rawly(t, target.Raw(t), "UPDATE letter_texts SET body = '{link} {gone}'")
		if err := r.RequestEmailChange(t.Context(), r.admin, "boss@elsewhere.example", right); err != nil {
			t.Fatal(err)
		}
		r.send(t, school.LetterEmailChange)
		r.none(t, "the other cannot be written")
		if l := r.wantState(t, id, school.LetterRefused, "text"); !strings.Contains(l.Reply, "gone") {
			t.Errorf("refused: %+v", l)
		}
	})
}

// TestValuesAreNoMarkup: a hostile name is shown as it is, in a letter and in a
// preview.
func TestValuesAreNoMarkup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		hostile := `<script>alert(1)</script> [x](javascript:alert(1)) {link} **b**`
		text := school.LetterText{Kind: school.LetterWelcome, Language: school.English, Subject: "For {name}", Body: "{name}\n\n[{name}]({link})\n\n{school}"}
		wantHarmless := func(what string, subject, text, html string) {
			t.Helper()
			for _, tag := range []string{"<script", `href="javascript`, "<strong>b", "<b>b"} {
				if strings.Contains(html, tag) {
					t.Errorf("%s: %s in\n%s", what, tag, html)
				}
			}
			if !strings.Contains(subject, "<script>") || !strings.Contains(text, "**b**") || !strings.Contains(html, "&lt;script&gt;") || !strings.Contains(html, "**b**") || strings.Contains(subject, "/access/") {
				t.Errorf("%s: the name is not what it is:\n%s\n%s\n%s", what, subject, text, html)
			}
		}
		reader := r.admin
		reader.Name = hostile
		c, err := r.PreviewLetter(ctx, reader, text, schoolURL)
		if err != nil {
			t.Fatal(err)
		}
		wantHarmless("preview", c.Subject, c.Text, c.HTML)
		if err := r.EditLetterText(ctx, r.admin, text); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CreateStudent(ctx, r.a, school.NewStudentForm{FullName: hostile, Email: "s1@example.com", Access: "link", Language: "en"}); err != nil {
			t.Fatal(err)
		}
		o := r.send(t, school.LetterWelcome)
		wantHarmless("letter", o.Message.Subject, o.Message.Text, o.Message.HTML)
	})
}

// TestDaysAreCountedInEveryLanguage.
func TestDaysAreCountedInEveryLanguage(t *testing.T) {
	t.Parallel()
	for l, want := range map[school.Language]map[int]string{
		school.Russian: {1: "1 день", 2: "2 дня", 5: "5 дней", 11: "11 дней", 21: "21 день", 22: "22 дня", 365: "365 дней"},
		school.Kazakh:  {1: "1 күн", 2: "2 күн", 21: "21 күн"},
		school.English: {1: "1 day", 2: "2 days", 21: "21 days"},
	} {
		p := locale.Printer{Lang: l}
		for n, words := range want {
			if got := strings.ReplaceAll(p.N("mail.days", n), "\u00a0", " "); got != words {
				t.Errorf("%s: %q, want %q", l, got, words)
			}
		}
	}
}

// TestAReminderCountsTheDays in the language of its reader.
func TestAReminderCountsTheDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.switches(t, false, 1)
		for i, c := range []struct {
			language string
			days     int
			words    string
		}{{"ru", 1, "1 день"}, {"ru", 2, "2 дня"}, {"ru", 5, "5 дней"}, {"en", 1, "1 day"}, {"en", 3, "3 days"}, {"kk", 4, "4 күн"}} {
			_, err := r.CreateStudent(t.Context(), r.a, school.NewStudentForm{FullName: "S", Email: fmt.Sprintf("s%d@example.com", i), Access: "link", Language: c.language})
			if err != nil {
				t.Fatal(err)
			}
			r.send(t, school.LetterWelcome)
			r.forward(time.Duration(c.days)*24*time.Hour + time.Minute)
			if n, err := r.QueueReminders(t.Context()); err != nil || n != 1 {
				t.Fatalf("%d reminders, %v", n, err)
			}
			if o := r.send(t, school.LetterReminder); !strings.Contains(strings.ReplaceAll(o.Message.Text, "\u00a0", " "), c.words) {
				t.Errorf("%d days in %s:\n%s", c.days, c.language, o.Message.Text)
			}
		}
	})
}
