package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store/storetest"
)

var webAddress = regexp.MustCompile(`https?://[^\s<>"')]+`)

// addressesIn answers every address that a letter names, in either part.
func addressesIn(t *testing.T, m mail.Message) (all []string) {
	t.Helper()
	all = webAddress.FindAllString(m.Text, -1)
	page, err := html.Parse(strings.NewReader(m.HTML))
	if err != nil {
		t.Fatal(err)
	}
	for n := range page.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "href" || a.Key == "src" || a.Key == "background" {
				all = append(all, a.Val)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEveryAddressInALetterOpens a page that works, for who is logged in or comes from
// outside, and opening it, as machines do, uses nothing up.
func TestEveryAddressInALetterOpens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := t.Context()
		post := desk.New(p.store, desk.Options{
			Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0),
			Mail: &desk.FixedMail{Server: mail.Server{Host: "127.0.0.1", Port: 1, Security: mail.Plain}, From: mail.Address{Name: "School", Email: "school@school.example"}},
		})
		if err := post.EditMail(ctx, p.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90, ModuleOpened: true, ReminderDays: 7}); err != nil {
			t.Fatal(err)
		}
		for _, language := range school.Languages() {
			email, later := string(language)+"1@example.com", string(language)+"2@example.com"
			id := p.student(t, p.a, email).Student.ID
			me := school.Actor{ID: id, Role: school.RoleStudent, Email: school.Email(email), Door: school.DoorPanel}
			for _, by := range []school.Actor{me, p.admin} {
				if err := p.SetLanguage(ctx, by, language); err != nil {
					t.Fatal(err)
				}
			}
			outside, inside := p.browser(t), p.browser(t)
			seen := map[school.LetterKind]bool{}
			// read opens everything that the next letters name, and answers their one-time
			// links.
			read := func() (links []string) {
				t.Helper()
				for {
					o, err := post.ClaimLetter(ctx, p.url, nil)
					if errors.Is(err, school.ErrNotFound) {
						return links
					}
					if err == nil {
						err = post.SettleLetter(ctx, o, nil)
					}
					if err != nil {
						t.Fatal(err)
					}
					if o.Letter.Language == language && o.Message.Language == string(language) {
						seen[o.Letter.Kind] = true
					}
					for _, address := range addressesIn(t, o.Message) {
						path, ours := strings.CutPrefix(address, p.url)
						if !ours {
							t.Errorf("%s leads to %s", o.Letter.Kind, address)
							continue
						}
						if path == "" {
							path = "/"
						}
						oneTime := strings.HasPrefix(path, "/access/")
						if oneTime {
							links = append(links, path)
						}
						for range 2 {
							a := outside.get(path)
							if oneTime && a.status != http.StatusOK || !oneTime && (a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login")) {
								t.Errorf("%s, from outside: %s answers %d %s", o.Letter.Kind, path, a.status, a.header.Get("Location"))
							}
							if len(inside.cookies) == 0 {
								continue
							}
							a = inside.get(path)
							for range 3 { // the site leads to the course
								if a.status == http.StatusSeeOther {
									a = inside.get(a.header.Get("Location"))
								}
							}
							if a.status != http.StatusOK {
								t.Errorf("%s, for the student: %s answers %d", o.Letter.Kind, path, a.status)
							}
						}
					}
				}
			}
			use := func(b *browser, path string, form url.Values) {
				t.Helper()
				if a := b.post(path, form); a.status != http.StatusSeeOther {
					t.Fatalf("%s answers %d: %s", path, a.status, a.text())
				}
			}
			own := url.Values{"password": {"own password"}}
			welcome := read()
			use(inside, welcome[0], own)
			if err := post.RequestRecovery(ctx, school.Visitor{Address: "192.0.2.1"}, email); err != nil {
				t.Fatal(err)
			}
			use(inside, read()[0], own)
			p.clock.pass(time.Minute)
			if err := post.GrantModule(ctx, p.admin, id, 18, "a reason"); err != nil {
				t.Fatal(err)
			}
			read()
			if err := post.RequestEmailChange(ctx, me, later, "own password"); err != nil {
				t.Fatal(err)
			}
			use(outside, read()[0], url.Values{"confirm": {"1"}})
			read()
			if _, err := post.SendTestLetter(ctx, p.admin); err != nil {
				t.Fatal(err)
			}
			read()
			p.clock.pass(7*24*time.Hour + time.Hour)
			if n, err := post.QueueReminders(ctx); err != nil || n < 1 { // those of the languages before are away as well
				t.Fatalf("%d reminders, %v", n, err)
			}
			inside = p.browser(t) // whoever comes to read it is not reminded any more
			read()
			for _, kind := range school.LetterKinds() {
				if !seen[kind] {
					t.Errorf("no %s was read in %s", kind, language)
				}
			}
		}
	})
}
