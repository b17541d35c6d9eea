package desk_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// postRoom is a place from which letters leave, by hands of the test.
type postRoom struct {
	place
	*clock
	key secret.Key
}

const schoolURL = "https://school.example"

// server is one that nobody talks to here.
var server = &desk.FixedMail{
	Server: mail.Server{Host: "127.0.0.1", Port: 1, Security: mail.Plain},
	From:   mail.Address{Name: "School", Email: "school@school.example"},
}

func openPost(t *testing.T, target storetest.Target, change ...func(*store.Options)) postRoom {
	t.Helper()
	r := postRoom{clock: &clock{}, key: secret.New()}
	r.set(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := target.Open(t, append(change, r.dated)...)
	r.place = place{Desk: r.with(s, r.key, server), target: target, store: s}
	if err := r.PrepareSchool(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.admin = r.staff(t, "admin@example.com", "admin")
	r.a = r.staff(t, "a@example.com", "sales")
	r.b = r.staff(t, "b@example.com", "sales")
	return r
}

func (r postRoom) dated(o *store.Options) { o.Now = r.time }

func (r postRoom) time() time.Time { return *r.now.Load() }

// with is the desk of a process with another key or another server.
func (r postRoom) with(s *store.Store, key secret.Key, m *desk.FixedMail) *desk.Desk {
	return desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder("unused", 0), Key: key, Mail: m})
}

// panel is the desk of a process whose server is set up in the panel, and settings for
// that.
func (r postRoom) panel() (*desk.Desk, school.MailSettings) {
	return r.with(r.store, r.key, nil), school.MailSettings{
		Host: "mail.school.example", Port: 587, Security: "starttls", ContentDays: 90, Username: "post", Password: "secret word", FromEmail: "school@school.example",
	}
}

// admit creates a student and answers who it is.
func (r postRoom) admit(t *testing.T, email string) school.UserID {
	t.Helper()
	return r.student(t, r.a, email).Student.ID
}

func (r postRoom) claim(t *testing.T) desk.Outgoing {
	t.Helper()
	o, err := r.ClaimLetter(t.Context(), schoolURL, nil)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return o
}

// none: there is no letter to claim.
func (r postRoom) none(t *testing.T, why string) {
	t.Helper()
	if o, err := r.ClaimLetter(t.Context(), schoolURL, nil); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("%s: claimed %+v, %v", why, o.Letter, err)
	}
}

func (r postRoom) settle(t *testing.T, o desk.Outgoing, outcome error) {
	t.Helper()
	if err := r.SettleLetter(t.Context(), o, outcome); err != nil {
		t.Fatalf("settle: %v", err)
	}
}

// send claims the next letter, which is of the kind, and has it accepted.
func (r postRoom) send(t *testing.T, kind school.LetterKind) desk.Outgoing {
	t.Helper()
	o := r.claim(t)
	if o.Letter.Kind != kind {
		t.Fatalf("claimed %+v, want a %s", o.Letter, kind)
	}
	r.settle(t, o, nil)
	return o
}

// letters answers those of a person, the newest first.
func (r postRoom) letters(t *testing.T, id school.UserID) []school.Letter {
	t.Helper()
	l, err := r.Letters(t.Context(), school.Terminal(), school.LetterFilter{User: id})
	if err != nil {
		t.Fatal(err)
	}
	return l.Letters
}

// letter answers the newest of a person.
func (r postRoom) letter(t *testing.T, id school.UserID) school.Letter {
	t.Helper()
	all := r.letters(t, id)
	if len(all) == 0 {
		t.Fatal("there is no letter")
	}
	return all[0]
}

func (r postRoom) wantState(t *testing.T, id school.UserID, state school.LetterState, cause string) school.Letter {
	t.Helper()
	l := r.letter(t, id)
	if l.State != state || l.Cause != cause || l.DueAt.IsZero() == state.Waits() {
		t.Errorf("the letter is %+v, want it %s %s", l, state, cause)
	}
	return l
}

var accessToken = regexp.MustCompile(`https://school\.example/access/([A-Za-z0-9_-]+)`)

// tokenIn answers the token of the one link of a letter.
func tokenIn(t *testing.T, o desk.Outgoing) string {
	t.Helper()
	var token string
	for _, part := range []string{o.Message.Text, o.Message.HTML} {
		all := accessToken.FindAllStringSubmatch(part, -1)
		if len(all) == 0 {
			t.Fatalf("no link in %s", part)
		}
		for _, m := range all {
			if token != "" && token != m[1] {
				t.Fatalf("two links in %s", part)
			}
			token = m[1]
		}
	}
	return token
}

func (r postRoom) opens(t *testing.T, token string) bool {
	t.Helper()
	_, err := r.LinkOwner(t.Context(), token)
	if err != nil && !errors.Is(err, school.ErrLinkInvalid) {
		t.Fatal(err)
	}
	return err == nil
}

var (
	busy    = &mail.Fault{Stage: mail.StageRecipient, Code: 450, Words: "450 4.2.0 come back later"}
	unknown = &mail.Fault{Stage: mail.StageRecipient, Code: 550, Words: "550 5.1.1 nobody here", Permanent: true}
)

// TestACreationQueuesOneWelcomeLetter, with mail or without; and without, nothing
// else happens to it.
func TestACreationQueuesOneWelcomeLetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		off := r.with(r.store, r.key, nil)
		for i, d := range []*desk.Desk{r.Desk, off} {
			form := school.NewStudentForm{FullName: "Test Student", Email: fmt.Sprintf("s%d@example.com", i), Password: "first password", Key: school.NewToken()}
			for range 2 { // sent twice is sent once
				c, err := d.CreateStudent(t.Context(), r.a, form)
				if err != nil {
					t.Fatal(err)
				}
				all := r.letters(t, c.Student.ID)
				if len(all) != 1 || all[0].Kind != school.LetterWelcome || all[0].State != school.LetterQueued || string(all[0].Email) != form.Email ||
					all[0].Attempts != 0 || !all[0].DueAt.Equal(r.time()) || !all[0].QueuedAt.Equal(r.time()) {
					t.Errorf("letters %+v", all)
				}
			}
		}
		before := target.Dump(t)
		if o, err := off.ClaimLetter(t.Context(), schoolURL, nil); !errors.Is(err, school.ErrMailOff) {
			t.Errorf("claimed %+v, %v", o.Letter, err)
		}
		if _, err := off.SendTestLetter(t.Context(), r.admin); !errors.Is(err, school.ErrMailOff) {
			t.Errorf("test letter: %v", err)
		}
		if n, err := off.QueueReminders(t.Context()); n != 0 || err != nil {
			t.Errorf("reminders: %d, %v", n, err)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written without a server:\n%s", diff)
		}
		for range 2 {
			r.send(t, school.LetterWelcome)
		}
		r.none(t, "all are sent")
	})
}

// TestALeaseEnds: nobody else has the letter before, somebody has it after, and who
// comes late changes nothing.
func TestALeaseEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		first := r.claim(t)
		if l := r.letter(t, id); l.State != school.LetterSending || l.Attempts != 1 || !l.DueAt.Equal(r.time().Add(school.LetterLease)) {
			t.Errorf("claimed: %+v", l)
		}
		r.none(t, "the lease runs")
		r.forward(school.LetterLease - time.Millisecond)
		r.none(t, "the lease still runs")
		r.forward(time.Millisecond)
		second := r.claim(t)
		if second.Letter.Attempts != 2 || second.Message.ID != first.Message.ID || second.Message.ID == "" || tokenIn(t, second) != tokenIn(t, first) {
			t.Errorf("the second attempt is another letter: %+v", second.Letter)
		}
		late := func(when string) {
			t.Helper()
			before := target.Dump(t)
			for _, outcome := range []error{nil, busy, unknown, &mail.Fault{Stage: mail.StageConnect, Err: errors.New("x"), Words: "x"}} {
				if err := r.SettleLetter(t.Context(), first, outcome); err == nil || !strings.Contains(err.Error(), "lease") {
					t.Errorf("%s, late with %v: %v", when, outcome, err)
				}
			}
			if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
				t.Errorf("%s, what came late was written:\n%s", when, diff)
			}
		}
		late("during the second attempt")
		r.settle(t, second, busy)
		late("after the second attempt")
		r.set(r.letter(t, id).DueAt)
		third := r.claim(t)
		late("during the third attempt")
		r.forward(school.LetterLease * 10) // nobody else wanted it
		r.settle(t, third, nil)
		r.wantState(t, id, school.LetterAccepted, "")
		late("after it is sent")
		if err := r.SettleLetter(t.Context(), third, busy); err == nil {
			t.Error("settled twice")
		}
		r.none(t, "it is sent")
	})
}

// TestPatienceEnds after two days of trying, and not before.
func TestPatienceEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		queued, attempts := r.time(), 0
		for {
			o := r.claim(t)
			r.forward(time.Second)
			r.settle(t, o, busy)
			attempts++
			l := r.letter(t, id)
			if l.State != school.LetterDeferred {
				break
			}
			if passed := r.time().Sub(queued); passed >= school.LetterPatience {
				t.Fatalf("tried again after %v: %+v", passed, l)
			}
			r.set(l.DueAt)
		}
		l := r.wantState(t, id, school.LetterGivenUp, "recipient_deferred")
		if passed := r.time().Sub(queued); passed < school.LetterPatience || l.Reply != busy.Words || l.Attempts != attempts || attempts < 10 {
			t.Errorf("given up after %v and %d attempts: %+v", passed, attempts, l)
		}
		r.none(t, "it is given up")
		card, err := r.Student(t.Context(), r.a, id)
		if err != nil {
			t.Fatal(err)
		}
		lines := map[school.Action]int{}
		for _, a := range card.Activity {
			lines[a.Action]++
		}
		if lines[school.LetterPutOff] != 1 || lines[school.LetterFailedForGood] != 1 || lines[school.LetterSent] != 0 {
			t.Errorf("the history tells %v", lines)
		}
	})
}

// TestALetterTriedAgainByHandPausesAsANewOne does.
func TestALetterTriedAgainByHandPausesAsANewOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		fail := func() time.Duration {
			t.Helper()
			r.settle(t, r.claim(t), busy)
			l := r.wantState(t, id, school.LetterDeferred, "recipient_deferred")
			pause := l.DueAt.Sub(r.time())
			r.set(l.DueAt)
			return pause
		}
		var last time.Duration
		for range 7 {
			last = fail()
		}
		most := school.LetterPause(1, 1)
		if last <= most {
			t.Fatalf("the seventh pause is %v", last)
		}
		if err := r.RetryLetter(t.Context(), r.admin, r.letter(t, id).ID); err != nil {
			t.Fatal(err)
		}
		if pause := fail(); pause > most {
			t.Errorf("the first pause after a retry is %v", pause)
		}
		if pause := fail(); pause < school.LetterPause(2, 0) || pause > school.LetterPause(2, 1) {
			t.Errorf("the second pause after a retry is %v", pause)
		}
		if l := r.letter(t, id); l.Attempts != 9 {
			t.Errorf("attempts %d, want all that were made", l.Attempts)
		}
	})
}

// TestALetterThatWaitsForItsModuleIsNotHurried: it would lose its sense, and there
// would be none when the module opens.
func TestALetterThatWaitsForItsModuleIsNotHurried(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s1@example.com")
		r.send(t, school.LetterWelcome)
		rawly(t, target.Raw(t), "INSERT INTO letters (user_id, kind, about, email, domain, queued_at, due_at) SELECT user_id, 'module_opened', '17', email, domain, '2026-03-02 12:00:00.000', '2026-03-02 12:00:00.000' FROM letters")
		l := r.letter(t, id)
		if err := r.RetryLetter(t.Context(), r.admin, l.ID); !errors.Is(err, school.ErrLetterAway) {
			t.Errorf("hurried: %v", err)
		}
		if again := r.letter(t, id); again != l || !l.DueAt.After(r.time()) {
			t.Errorf("it was %+v and is %+v", l, again)
		}
	})
}

// TestWhoGetsAccessBackGetsTheLetterThatCameDueMeanwhile.
func TestWhoGetsAccessBackGetsTheLetterThatCameDueMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		id := r.admit(t, "s1@example.com")
		if err := r.BlockStudent(ctx, r.a, id); err != nil {
			t.Fatal(err)
		}
		r.none(t, "access is blocked")
		r.wantState(t, id, school.LetterCancelled, "account_blocked")
		r.forward(3 * school.LetterPatience)
		if err := r.UnblockStudent(ctx, r.a, id); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterWelcome); o.Letter.UserID != id || !r.opens(t, tokenIn(t, o)) {
			t.Errorf("sent %+v", o.Letter)
		}
		if err := errors.Join(r.BlockStudent(ctx, r.a, id), r.UnblockStudent(ctx, r.a, id)); err != nil {
			t.Fatal(err)
		}
		r.none(t, "it was sent before")
	})
}

// TestTheOutboxIsSearched by the name and address that people have, also the deleted
// ones, and by an address that nobody has any more.
func TestTheOutboxIsSearched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		corrected, deleted := r.admit(t, "typo@example.com"), r.admit(t, "gone@example.com")
		r.admit(t, "typos@example.com")
		for range 3 {
			r.send(t, school.LetterWelcome)
		}
		if err := r.EditStudent(ctx, r.a, corrected, "Айгүл Сұлтан", "right@example.com", false); err != nil {
			t.Fatal(err)
		}
		if _, err := r.DeleteStudent(ctx, r.a, deleted); err != nil {
			t.Fatal(err)
		}
		if _, err := r.SendTestLetter(ctx, r.admin); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			"right@example.com":   "typo@example.com",
			"айгул":               "typo@example.com",
			"  Typo@Example.com ": "typo@example.com",
			"typo":                "typos@example.com",
			"gone@example.com":    "gone@example.com",
			"gone":                "gone@example.com",
			"admin@":              "admin@example.com",
			"example.com":         "admin@example.com typos@example.com gone@example.com typo@example.com",
			"nobody@example.com":  "",
			"typo@":               "",
		} {
			l, err := r.Letters(ctx, r.admin, school.LetterFilter{Query: query})
			var found []string
			for _, one := range l.Letters {
				found = append(found, string(one.Email))
			}
			if got := strings.Join(found, " "); err != nil || got != want {
				t.Errorf("%q finds %q, %v; want %q", query, got, err, want)
			}
		}
	})
}

// TestTheTrafficIsCounted: who waits since when, what left within an hour, what failed
// within a week, tried or not.
func TestTheTrafficIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		want := func(what string, want school.MailTraffic) {
			t.Helper()
			l, err := r.Letters(t.Context(), r.admin, school.LetterFilter{})
			if err != nil || l.Mail.Traffic != want {
				t.Errorf("%s: %+v, %v; want %+v", what, l.Mail.Traffic, err, want)
			}
		}
		want("nothing is there", school.MailTraffic{})
		began := r.time()
		r.admit(t, "never@example.com")
		r.forward(school.LetterPatience + time.Second) // nobody was there to send
		first := r.time()
		for i := range 4 {
			r.admit(t, fmt.Sprintf("s%d@example.com", i))
		}
		want("five wait", school.MailTraffic{Waiting: 5, Oldest: began})
		r.settle(t, r.claim(t), nil) // and the first is given up
		r.settle(t, r.claim(t), unknown)
		r.settle(t, r.claim(t), busy)
		want("one of each", school.MailTraffic{Waiting: 2, Oldest: first, LastHour: 1, Failed: 2})
		r.forward(time.Hour)
		want("an hour later", school.MailTraffic{Waiting: 2, Oldest: first, Failed: 2})
		r.forward(7 * 24 * time.Hour)
		want("a week later", school.MailTraffic{Waiting: 2, Oldest: first})
	})
}

// TestWhatALetterSaidIsForgotten after as many days as the school says; the letter
// stays.
func TestWhatALetterSaidIsForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		if err := r.EditMail(ctx, r.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 10}); err != nil {
			t.Fatal(err)
		}
		id := r.admit(t, "s1@example.com")
		letter := r.send(t, school.LetterWelcome).Letter.ID
		said := func() school.LetterContent {
			t.Helper()
			if _, err := r.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
			v, err := r.Letter(ctx, r.admin, letter)
			if err != nil || v.Forgotten != (v.Content == school.LetterContent{}) {
				t.Fatalf("%+v, %v", v, err)
			}
			return v.Content
		}
		later := r.admit(t, "s2@example.com")
		o := r.claim(t)
		if v, err := r.Letter(ctx, r.admin, r.letter(t, later).ID); err != nil || v.Forgotten || v.Content != (school.LetterContent{}) {
			t.Errorf("at its first attempt: %+v, %v", v, err)
		}
		r.settle(t, o, nil)
		r.forward(10 * 24 * time.Hour)
		if c := said(); c.Subject == "" || c.HTML == "" || c.Text == "" {
			t.Errorf("after ten days it says %+v", c)
		}
		r.forward(time.Second)
		if c := said(); c != (school.LetterContent{}) {
			t.Errorf("after more than ten days it says %+v", c)
		}
		r.wantState(t, id, school.LetterAccepted, "")
	})
}

// TestALetterThatWasNeverTriedForTwoDaysIsTooOld: when mail comes on at last, nobody
// is welcomed who came last month.
func TestALetterThatWasNeverTriedForTwoDaysIsTooOld(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		old, old2 := r.admit(t, "old@example.com"), r.admit(t, "old2@example.com")
		r.forward(2 * time.Second)
		young := r.admit(t, "young@example.com")
		r.forward(school.LetterPatience - time.Second)
		o := r.send(t, school.LetterWelcome)
		if o.Letter.UserID != young {
			t.Errorf("sent to %s", o.Letter.Email)
		}
		r.wantState(t, old, school.LetterGivenUp, "too_old")
		for _, id := range []school.UserID{old, old2} {
			card, err := r.Student(t.Context(), r.a, id)
			if err != nil || card.Activity[0].Action != school.LetterFailedForGood || card.Activity[0].Details["cause"] != "too_old" {
				t.Errorf("the history of one that is too old: %+v, %v", card.Activity, err)
			}
		}
		r.wantState(t, young, school.LetterAccepted, "")
		r.none(t, "one is sent and one too old")
		if err := r.RetryLetter(t.Context(), r.admin, r.letter(t, old).ID); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterWelcome); o.Letter.UserID != old {
			t.Errorf("retried to %s", o.Letter.Email)
		}
	})
}

// TestWhatIsOfNoUseIsNotSent: nobody is written to who is blocked or deleted.
func TestWhatIsOfNoUseIsNotSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		blocked, gone := r.admit(t, "blocked@example.com"), r.admit(t, "gone@example.com")
		if err := r.BlockStudent(ctx, r.a, blocked); err != nil {
			t.Fatal(err)
		}
		if _, err := r.DeleteStudent(ctx, r.a, gone); err != nil {
			t.Fatal(err)
		}
		r.wantState(t, gone, school.LetterCancelled, "account_deleted")
		r.none(t, "one is blocked and one deleted")
		r.wantState(t, blocked, school.LetterCancelled, "account_blocked")
		if err := r.RetryLetter(ctx, r.admin, r.letter(t, gone).ID); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("retried to who is deleted: %v", err)
		}
		if err := r.UnblockStudent(ctx, r.a, blocked); err != nil {
			t.Fatal(err)
		}
		if err := r.ResendLetter(ctx, r.a, blocked); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterWelcome); o.Letter.UserID != blocked {
			t.Errorf("sent to %s", o.Letter.Email)
		}
		// While it was on its way.
		under := r.admit(t, "under@example.com")
		o := r.claim(t)
		if _, err := r.DeleteStudent(ctx, r.a, under); err != nil {
			t.Fatal(err)
		}
		r.settle(t, o, busy)
		r.set(r.letter(t, under).DueAt)
		r.none(t, "deleted meanwhile")
		r.wantState(t, under, school.LetterCancelled, "account_deleted")
		if err := r.RestoreStudent(ctx, r.a, under, ""); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterWelcome); o.Letter.UserID != under {
			t.Errorf("sent to %s", o.Letter.Email)
		}
	})
}

// TestWhoIsRestoredGetsTheLetterThatWaited, at the address that they have now, as
// long as the trash keeps them.
func TestWhoIsRestoredGetsTheLetterThatWaited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		for name, c := range map[string]struct {
			after time.Duration
			to    string
		}{
			"soon":                   {time.Hour, "soon@example.com"},
			"soon, another address":  {time.Hour, "soon@elsewhere.example"},
			"later":                  {20 * 24 * time.Hour, "later@example.com"},
			"later, another address": {20 * 24 * time.Hour, "later@elsewhere.example"},
		} {
			id := r.admit(t, strings.Split(c.to, "@")[0]+"@example.com")
			if _, err := r.DeleteStudent(ctx, r.a, id); err != nil {
				t.Fatal(err)
			}
			r.wantState(t, id, school.LetterCancelled, "account_deleted")
			r.forward(c.after)
			r.none(t, name)
			if err := r.RestoreStudent(ctx, r.a, id, c.to); err != nil {
				t.Fatal(err)
			}
			r.wantState(t, id, school.LetterQueued, "")
			o, err := r.ClaimLetter(ctx, schoolURL, nil)
			if err != nil {
				t.Errorf("%s: %v, %+v", name, err, r.letter(t, id))
			} else {
				r.settle(t, o, nil)
				if o.Message.To.Email != c.to || o.Letter.UserID != id {
					t.Errorf("%s: sent to %+v", name, o.Message.To)
				}
			}
			if _, err := r.DeleteStudent(ctx, r.a, id); err != nil { // its address is free again
				t.Fatal(err)
			}
			if err := r.RestoreStudent(ctx, r.a, id, fmt.Sprintf("r%s", c.to)); err != nil {
				t.Fatal(err)
			}
			r.none(t, name+": what was sent is not sent again")
		}
	})
}

// TestALetterFollowsTheCorrectedAddress while it waits; what was sent stays what it
// was.
func TestALetterFollowsTheCorrectedAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		id := r.admit(t, "typo@example.com")
		correct := func(email string) {
			t.Helper()
			if err := r.EditStudent(ctx, r.a, id, "Test Student", email, false); err != nil {
				t.Fatal(err)
			}
		}
		correct("queued@elsewhere.example")
		if l := r.wantState(t, id, school.LetterQueued, ""); l.Email != "queued@elsewhere.example" {
			t.Errorf("queued for %s", l.Email)
		}
		var domain string
		if err := target.Raw(t).QueryRowContext(ctx, "SELECT domain FROM letters").Scan(&domain); err != nil || domain != "elsewhere.example" {
			t.Errorf("domain %s, %v", domain, err)
		}
		o := r.claim(t)
		r.settle(t, o, busy)
		correct("deferred@example.com")
		r.set(r.letter(t, id).DueAt)
		o = r.send(t, school.LetterWelcome)
		if o.Message.To.Email != "deferred@example.com" || !strings.Contains(o.Message.Text, "deferred@example.com") {
			t.Errorf("sent to %+v", o.Message)
		}
		correct("after@example.com")
		if l := r.wantState(t, id, school.LetterAccepted, ""); l.Email != "deferred@example.com" {
			t.Errorf("what was sent says %s", l.Email)
		}
		r.none(t, "it is sent")
		if err := r.ResendLetter(ctx, r.a, id); err != nil { // at once: it went elsewhere
			t.Fatal(err)
		}
		if o = r.send(t, school.LetterWelcome); o.Message.To.Email != "after@example.com" || len(r.letters(t, id)) != 2 {
			t.Errorf("resent to %+v", o.Message.To)
		}
	})
}

// TestALetterThatIsOnItsWayFollowsTooIfItComesBack: the next attempt goes to the
// address that was corrected during the last.
func TestALetterThatIsOnItsWayFollowsTooIfItComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		for name, end := range map[string]func(desk.Outgoing, school.UserID){
			"put off": func(o desk.Outgoing, id school.UserID) {
				r.settle(t, o, busy)
				r.set(r.letter(t, id).DueAt)
			},
			"killed": func(desk.Outgoing, school.UserID) { r.forward(school.LetterLease) },
		} {
			id := r.admit(t, "typo@example.com")
			o := r.claim(t)
			if err := r.EditStudent(t.Context(), r.a, id, "Test Student", strings.ReplaceAll(name, " ", "")+"@elsewhere.example", false); err != nil {
				t.Fatal(err)
			}
			end(o, id)
			if o = r.send(t, school.LetterWelcome); o.Message.To.Email != strings.ReplaceAll(name, " ", "")+"@elsewhere.example" {
				t.Errorf("%s: the next attempt goes to %s", name, o.Message.To.Email)
			}
		}
	})
}

// TestTheLinkInALetter works once, for its time, until there is a newer one; looking
// does not use it up.
func TestTheLinkInALetter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		used, expired, replaced := r.admit(t, "used@example.com"), r.admit(t, "expired@example.com"), r.admit(t, "replaced@example.com")
		tokens := map[school.UserID]string{}
		for range 3 {
			o := r.send(t, school.LetterWelcome)
			tokens[o.Letter.UserID] = tokenIn(t, o)
		}
		for range 5 { // a scanner of links
			if a, err := r.LinkOwner(ctx, tokens[used]); err != nil || a.ID != used {
				t.Fatalf("looked: %+v, %v", a, err)
			}
		}
		if _, err := r.UseLink(ctx, school.Visitor{}, tokens[used], "short"); err == nil || !r.opens(t, tokens[used]) {
			t.Errorf("a refused password has used the link up: %v", err)
		}
		if a, err := r.UseLink(ctx, school.Visitor{}, tokens[used], "own password"); err != nil || a.ID != used {
			t.Fatalf("used: %+v, %v", a, err)
		}
		if code := r.login(t, "used@example.com", "own password", home); code != "" {
			t.Errorf("log in: %s", code)
		}
		if _, err := r.UseLink(ctx, school.Visitor{}, tokens[used], "another password"); !errors.Is(err, school.ErrLinkInvalid) || r.opens(t, tokens[used]) {
			t.Errorf("used again: %v", err)
		}
		path, _, err := r.IssueLink(ctx, r.a, replaced)
		if err != nil || r.opens(t, tokens[replaced]) || !r.opens(t, strings.TrimPrefix(path, "/access/")) {
			t.Errorf("a newer link leaves the older one: %v", err)
		}
		settings, err := r.Settings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r.forward(time.Duration(settings.LinkHours)*time.Hour - time.Millisecond)
		if !r.opens(t, tokens[expired]) {
			t.Error("the link has expired before its time")
		}
		r.forward(time.Millisecond)
		if _, err := r.UseLink(ctx, school.Visitor{}, tokens[expired], "own password"); !errors.Is(err, school.ErrLinkInvalid) || r.opens(t, tokens[expired]) {
			t.Errorf("the link outlives its time: %v", err)
		}
		if r.opens(t, strings.TrimPrefix(path, "/access/")) {
			t.Error("the newer link outlives its time")
		}
	})
}

// TestTheLinkUsedAtOnceOpensOnce.
func TestTheLinkUsedAtOnceOpensOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.admit(t, "s1@example.com")
		token := tokenIn(t, r.send(t, school.LetterWelcome))
		if n := race(t, func(i int) error {
			_, err := r.UseLink(context.Background(), school.Visitor{}, token, fmt.Sprintf("own password %d", i))
			return err
		}, "link_invalid"); n != 1 {
			t.Errorf("the link opened %d times", n)
		}
	})
}

// TestAttemptsCarryOneLink while it has half of its time, and so does what staff copy
// from the screen; after that there is a new one, which works as long.
func TestAttemptsCarryOneLink(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		c := r.student(t, r.a, "s1@example.com")
		id, shown := c.Student.ID, strings.TrimPrefix(c.Link, "/access/")
		o := r.claim(t)
		if tokenIn(t, o) != shown {
			t.Errorf("the letter has the link %s, the screen %s", tokenIn(t, o), shown)
		}
		r.settle(t, o, busy)
		r.set(r.letter(t, id).DueAt)
		if o = r.claim(t); tokenIn(t, o) != shown {
			t.Error("the second attempt has another link")
		}
		r.settle(t, o, busy)
		r.set(c.LinkEnds.Add(-36 * time.Hour)) // half of its time
		o = r.claim(t)
		renewed := tokenIn(t, o)
		if renewed == shown || r.opens(t, shown) || !r.opens(t, renewed) {
			t.Error("the link was not renewed at half of its time")
		}
		r.settle(t, o, nil)
		r.forward(72*time.Hour - time.Millisecond)
		if !r.opens(t, renewed) {
			t.Error("the renewed link has not its whole time")
		}
	})
}

// TestTheOutboxKeepsNoSecrets: no link, no password of the server, no token of the
// bounces in any row, once letters are written, sent and come back.
func TestTheOutboxKeepsNoSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		panel := r.with(r.store, r.key, nil)
		settings := school.MailSettings{
			Host: "mail.school.example", Port: 587, Security: "starttls", ContentDays: 90, Username: "post@school.example", Password: "пароль-от-почты-77",
			FromEmail: "school@school.example", ReplyTo: "help@school.example", BounceEmail: "bounce@school.example",
		}
		if err := panel.EditMail(ctx, r.admin, settings); err != nil {
			t.Fatal(err)
		}
		hook, err := panel.ReplaceHook(ctx, r.admin)
		if err != nil {
			t.Fatal(err)
		}
		secrets := map[string]string{"password of the server": settings.Password, "token of the bounces": hook}
		first, second := r.admit(t, "first@example.com"), r.admit(t, "second@example.com")
		for _, quoted := range []bool{false, true} { // some servers repeat what they object to
			o, err := panel.ClaimLetter(ctx, schoolURL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if o.Server.Password != settings.Password || o.Server.User != settings.Username || o.Message.ReplyTo != "help@school.example" || o.Message.Bounce != "bounce@school.example" {
				t.Errorf("the server is %#v, the letter %+v", o.Server, o.Message)
			}
			secrets["link of "+string(o.Letter.Email)] = tokenIn(t, o)
			var outcome error
			if quoted {
				outcome = &mail.Fault{Stage: mail.StageContent, Code: 554, Words: "554 5.7.1 blocked: " + schoolURL + "/access/" + tokenIn(t, o) + " is listed", Permanent: true}
			}
			if err := panel.SettleLetter(ctx, o, outcome); err != nil {
				t.Fatal(err)
			}
			if quoted {
				continue
			}
			report := fmt.Sprintf(`{"message_id": %q, "permanent": true, "words": "550 %s/access/%s is listed"}`, o.Message.ID, schoolURL, tokenIn(t, o))
			if n, err := panel.ReportBounces(ctx, hook, "application/json", []byte(report)); n != 1 || err != nil {
				t.Errorf("bounced %d, %v", n, err)
			}
		}
		for _, id := range []school.UserID{first, second} {
			l, err := panel.Letter(ctx, r.admin, r.letter(t, id).ID)
			c := l.Content
			if !strings.Contains(l.Reply, "/access/•••••••• is listed") {
				t.Errorf("the server's words are %q", l.Reply)
			}
			if err != nil || c.Subject == "" || !strings.Contains(c.Text, schoolURL+"/access/••••••••") || !strings.Contains(c.HTML, "/access/••••••••") || !strings.Contains(c.Text, string(l.Email)) {
				t.Errorf("what is kept: %+v, %v", c, err)
			}
		}
		if err := r.RequestEmailChange(ctx, r.admin, "boss@elsewhere.example", right); err != nil {
			t.Fatal(err)
		}
		secrets["link to a new address"] = tokenIn(t, r.send(t, school.LetterEmailChange))
		if m, err := panel.Mail(ctx, r.admin); err != nil || m.Settings.SealedPassword != "" || m.Settings.Password != "" || strings.Contains(fmt.Sprintf("%+v %#v", m, m), settings.Password) {
			t.Errorf("the panel is told %+v, %v", m, err)
		}
		for table, rows := range target.Dump(t) {
			for what, secret := range secrets {
				if len(secret) < 10 {
					t.Fatalf("%s is no secret: %q", what, secret)
				}
				if strings.Contains(strings.Join(rows, "\n"), secret) {
					t.Errorf("%s holds the %s", table, what)
				}
			}
		}
	})
}

// TestThePasswordOfTheServerBelongsToIt: it is kept for the same server and user
// alone, so that nobody sends it elsewhere.
func TestThePasswordOfTheServerBelongsToIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		panel, settings := r.panel()
		password := func() string {
			t.Helper()
			id := r.admit(t, school.NewToken()[:8]+"@example.com")
			o, err := panel.ClaimLetter(ctx, schoolURL, nil)
			if err != nil || o.Letter.UserID != id {
				t.Fatalf("claim: %v", err)
			}
			if err := panel.SettleLetter(ctx, o, nil); err != nil {
				t.Fatal(err)
			}
			return o.Server.Password
		}
		for _, c := range []struct {
			name   string
			change func(*school.MailSettings)
			want   string
		}{
			{"typed", func(*school.MailSettings) {}, "secret word"},
			{"left empty", func(s *school.MailSettings) { s.Password, s.Port = "", 2525 }, "secret word"},
			{"another user", func(s *school.MailSettings) { s.Username = "other" }, "refused"},
			{"typed again", func(s *school.MailSettings) { s.Password = "next word" }, "next word"},
			{"another host", func(s *school.MailSettings) { s.Password, s.Host = "", "mail.elsewhere.example" }, "refused"},
			{"another host, no user", func(s *school.MailSettings) { s.Username = "" }, ""},
			{"a user again", func(s *school.MailSettings) { s.Username = "other" }, "refused"},
		} {
			c.change(&settings)
			err := panel.EditMail(ctx, r.admin, settings)
			if c.want == "refused" {
				_, tried := panel.TryMail(ctx, r.admin, settings)
				for _, err := range []error{err, tried} {
					if e, ok := errors.AsType[*school.Error](err); !ok || e.Fields["password"] != school.ErrPasswordRequired.Code {
						t.Errorf("%s: %v", c.name, err)
					}
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := password(); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	})
}

// TestAPasswordThatDoesNotOpenIsSaid where letters wait for it, and typing it ends
// that.
func TestAPasswordThatDoesNotOpenIsSaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		panel, settings := r.panel()
		if err := panel.EditMail(ctx, r.admin, settings); err != nil {
			t.Fatal(err)
		}
		rawly(t, target.Raw(t), "UPDATE mail_settings SET sealed_password = 'x' || sealed_password")
		id := r.admit(t, "s1@example.com")
		if _, err := panel.ClaimLetter(ctx, schoolURL, nil); !errors.Is(err, school.ErrMailSealed) {
			t.Errorf("claimed: %v", err)
		}
		if l := r.wantState(t, id, school.LetterQueued, ""); l.Attempts != 0 {
			t.Errorf("%d attempts are used up", l.Attempts)
		}
		const want = "password_sealed"
		if m, err := panel.Mail(ctx, r.admin); err != nil || m.Settings.Fault != want || m.Server == "" {
			t.Errorf("the panel says %+v, %v", m, err)
		}
		if s, err := panel.Settings(ctx); err != nil || panel.MailCondition(s).Works() {
			t.Errorf("letters are said to leave: %v", err)
		}
		typed := settings
		settings.Password = ""
		if trial, err := panel.TryMail(ctx, r.admin, settings); err != nil || trial.Cause != want {
			t.Errorf("the connection test says %+v, %v", trial, err)
		}
		if trial, err := panel.HandOver(ctx, school.Terminal(), "me@example.com", schoolURL); err != nil || trial.Cause != want {
			t.Errorf("the test letter says %+v, %v", trial, err)
		}
		if _, err := panel.SendTestLetter(ctx, r.admin); !errors.Is(err, school.ErrMailSealed) {
			t.Errorf("the test letter is queued: %v", err)
		}
		if n, err := panel.QueueReminders(ctx); n != 0 || err != nil {
			t.Errorf("%d reminders, %v", n, err)
		}
		if err := panel.EditMail(ctx, r.admin, typed); err != nil {
			t.Fatal(err)
		}
		if o, err := panel.ClaimLetter(ctx, schoolURL, nil); err != nil || o.Server.Password != "secret word" {
			t.Errorf("claimed with %q, %v", o.Server.Password, err)
		}
		if m, err := panel.Mail(ctx, r.admin); err != nil || m.Settings.Fault != "" {
			t.Errorf("the panel says %+v, %v", m, err)
		}
	})
}

// TestWithAnotherKeyNothingOpens, which a start refuses, the doctor names, and a
// repair mends.
func TestWithAnotherKeyNothingOpens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		if err := r.with(r.store, r.key, nil).EditMail(ctx, r.admin, school.MailSettings{
			Host: "mail.school.example", Port: 587, Security: "starttls", ContentDays: 90, Username: "post", Password: "secret word", FromEmail: "school@school.example",
		}); err != nil {
			t.Fatal(err)
		}
		id := r.admit(t, "s1@example.com")
		o := r.claim(t)
		old := tokenIn(t, o)
		r.settle(t, o, busy)
		r.set(r.letter(t, id).DueAt)

		lost := secret.New()
		other, panel := r.with(r.store, lost, server), r.with(r.store, lost, nil)
		if _, err := panel.ClaimLetter(ctx, schoolURL, nil); !errors.Is(err, school.ErrMailSealed) {
			t.Errorf("claimed with a password that does not open: %v", err)
		}
		before := target.Dump(t)
		if err := other.PrepareSchool(ctx); !errors.Is(err, desk.ErrOtherKey) {
			t.Errorf("started: %v", err)
		}
		found := examine(t, other)
		if len(found) != 1 || found[0].Check != "secret-key" || !found[0].Fixable || !strings.Contains(found[0].Problem, secret.FileName) {
			t.Errorf("found %+v", found)
		}
		if f := examine(t, r.Desk); len(f) != 0 {
			t.Errorf("found with the right key: %+v", f)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if done := repair(t, other); len(done) != 1 || done[0].Check != "secret-key" {
			t.Errorf("repaired %+v", done)
		}
		if f := examine(t, other); len(f) != 0 {
			t.Errorf("still found: %+v", f)
		}
		if done := repair(t, other); len(done) != 0 {
			t.Errorf("repaired again: %+v", done)
		}
		if err := other.PrepareSchool(ctx); err != nil {
			t.Errorf("start: %v", err)
		}
		if err := r.PrepareSchool(ctx); !errors.Is(err, desk.ErrOtherKey) {
			t.Errorf("the key before is still right: %v", err)
		}
		if r.opens(t, old) {
			t.Error("a link of the lost key opens")
		}
		if n := number(t, target.Raw(t), "SELECT count(*) FROM mail_settings WHERE sealed_password <> ''"); n != 0 {
			t.Error("what nobody can open is kept")
		}
		o, err := other.ClaimLetter(ctx, schoolURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token := tokenIn(t, o); token == old || !r.opens(t, token) {
			t.Errorf("the letter has the link %s", token)
		}
	})
}

// TestALinkOfAnotherKeyDoesNotOpen: the rows alone make no link.
func TestALinkOfAnotherKeyDoesNotOpen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.admit(t, "s1@example.com")
		o, err := r.with(r.store, secret.New(), server).ClaimLetter(t.Context(), schoolURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.opens(t, tokenIn(t, o)) {
			t.Error("whoever has the database has the links")
		}
	})
}

// TestADomainGetsSoManyLettersAMinute, from all workers together; other domains are
// not held up.
func TestADomainGetsSoManyLettersAMinute(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		second := r.store
		if target.Engine == "postgres" {
			second = target.Open(t, r.dated)
		}
		workers := []*desk.Desk{r.Desk, r.with(second, r.key, server)}
		if err := r.EditMail(t.Context(), r.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90, DomainPerMinute: 3}); err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			r.admit(t, fmt.Sprintf("s%d@busy.example", i))
		}
		for i := range 3 {
			r.admit(t, fmt.Sprintf("s%d@other.example", i))
		}
		r.admit(t, "s@third.example")
		minute := func() map[string]int {
			t.Helper()
			got := map[string]int{}
			for tired := 0; tired < len(workers); {
				d := workers[tired]
				o, err := d.ClaimLetter(t.Context(), schoolURL, nil)
				if errors.Is(err, school.ErrNotFound) {
					tired++
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got[o.Letter.Email.Domain()]++
				if err := d.SettleLetter(t.Context(), o, nil); err != nil {
					t.Fatal(err)
				}
				workers[0], workers[len(workers)-1] = workers[len(workers)-1], workers[0]
			}
			return got
		}
		for i, want := range []map[string]int{{"busy.example": 3, "other.example": 3, "third.example": 1}, {"busy.example": 3}, {"busy.example": 2}, {}} {
			if diff := cmp.Diff(want, minute()); diff != "" {
				t.Errorf("minute %d:\n%s", i, diff)
			}
			r.forward(time.Minute - time.Millisecond)
			r.none(t, "the minute is not over")
			r.forward(time.Millisecond)
		}
	})
}

// TestTheLimitOfADomainHoldsInARace of two workers for its last letter of the minute.
func TestTheLimitOfADomainHoldsInARace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		if target.Engine == "sqlite" {
			return // there is one writer
		}
		for i := range 4 {
			r.admit(t, fmt.Sprintf("s%d@busy.example", i))
		}
		claim := func(tx *store.Tx) (int, error) {
			id, domain, err := tx.FindDue(nil)
			if err != nil {
				return 0, err
			}
			if rest, err := tx.FindDomainRest(domain, 1); err != nil || !rest.IsZero() {
				return 0, err
			}
			_, err = tx.ClaimLetter(id, school.NewToken()[:16], "school.example")
			return 1, err
		}
		other, raw := target.Open(t, r.dated), target.Raw(t)
		var first, second int
		claimed, done := make(chan struct{}), make(chan struct{})
		var both sync.WaitGroup
		both.Go(func() {
			if err := r.store.Take(context.Background(), func(tx *store.Tx) (err error) {
				if first, err = claim(tx); err != nil {
					return err
				}
				close(claimed)
				waitsForALock(t, raw, done) // a claim that waits for this one may do so
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			<-claimed
			defer close(done)
			if err := other.Take(context.Background(), func(tx *store.Tx) (err error) {
				second, err = claim(tx)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		if first+second != 1 {
			t.Errorf("%d letters of one domain in a minute that may have one", first+second)
		}
	})
}

// waitsForALock returns once somebody waits for a lock, or when done is closed.
func waitsForALock(t *testing.T, db *sql.DB, done <-chan struct{}) {
	t.Helper()
	for {
		var waiting bool
		if err := db.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waiting); err != nil {
			t.Error(err)
			return
		}
		select {
		case <-done:
			return
		default:
		}
		if waiting {
			return
		}
	}
}

// TestAskingForTheLetterAgain hurries one that waits, which stays one; soon after it
// was sent the answer is to wait; when it went wrong there is another at once.
func TestAskingForTheLetterAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		id := r.admit(t, "s1@example.com")
		again := func() error { return r.ResendLetter(ctx, r.a, id) }
		must := func(what string) {
			t.Helper()
			if err := again(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		count := func(want int) {
			t.Helper()
			if n := len(r.letters(t, id)); n != want {
				t.Errorf("%d letters, want %d", n, want)
			}
		}
		must("queued")
		count(1)
		o := r.claim(t)
		err := again()
		if !errors.Is(err, school.ErrLetterJustSent) || param(err, "seconds") == "" {
			t.Errorf("on its way: %v", err)
		}
		r.settle(t, o, busy)
		must("deferred")
		count(1)
		if l := r.wantState(t, id, school.LetterQueued, ""); !l.DueAt.Equal(r.time()) || l.MessageID != o.Message.ID {
			t.Errorf("hurried: %+v", l)
		}
		r.send(t, school.LetterWelcome)
		r.forward(20 * time.Second)
		err = again()
		if seconds, _ := strconv.Atoi(param(err, "seconds")); !errors.Is(err, school.ErrLetterJustSent) || seconds < 40 || seconds > 41 {
			t.Errorf("just sent: %v, %s seconds", err, param(err, "seconds"))
		}
		count(1)
		r.forward(40 * time.Second)
		must("sent a minute ago")
		count(2)
		if next := r.claim(t); next.Message.ID == o.Message.ID {
			t.Error("another letter has the same Message-ID")
		} else {
			r.settle(t, next, unknown)
		}
		must("refused")
		count(3)
		r.send(t, school.LetterWelcome)
		if err := r.EditStudent(ctx, r.a, id, "Test Student", "s2@example.com", false); err != nil {
			t.Fatal(err)
		}
		must("corrected")
		count(4)
		if o := r.send(t, school.LetterWelcome); o.Message.To.Email != "s2@example.com" {
			t.Errorf("sent to %s", o.Message.To.Email)
		}
		if err := r.ResendLetter(ctx, r.b, id); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("by another manager: %v", err)
		}
		if _, err := r.DeleteStudent(ctx, r.a, id); err != nil {
			t.Fatal(err)
		}
		if err := again(); !errors.Is(err, school.ErrNotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

// TestACorrectedAddressMayGetTheLetterAgain in the same step, and then once.
func TestACorrectedAddressMayGetTheLetterAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		id := r.admit(t, "s0@example.com")
		correct := func(n int) string {
			t.Helper()
			email := fmt.Sprintf("s%d@example.com", n)
			if err := r.EditStudent(ctx, r.a, id, "Test Student", email, true); err != nil {
				t.Fatal(err)
			}
			return email
		}
		for n, outcome := range []error{nil, unknown, busy} { // of the letter to the address before
			r.settle(t, r.claim(t), outcome)
			email := correct(n + 1)
			if o := r.claim(t); o.Message.To.Email != email {
				t.Errorf("after %v sent to %s", outcome, o.Message.To.Email)
			} else {
				r.settle(t, o, nil)
			}
			r.none(t, "one is enough")
			if err := r.ResendLetter(ctx, r.a, id); !errors.Is(err, school.ErrLetterJustSent) {
				t.Errorf("again at once: %v", err)
			}
			r.forward(school.ResendPause)
			if err := r.ResendLetter(ctx, r.a, id); err != nil {
				t.Fatal(err)
			}
		}
		before := len(r.letters(t, id))
		if err := r.EditStudent(ctx, r.a, id, "New Name", "s3@example.com", true); err != nil {
			t.Fatal(err)
		}
		if n := len(r.letters(t, id)); n != before {
			t.Errorf("a new name alone is written to: %d letters more", n-before)
		}
	})
}

// TestRetryingAndWithdrawing letters: not while they are away, and not by managers.
func TestRetryingAndWithdrawing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		id := r.admit(t, "s1@example.com")
		letter := r.letter(t, id).ID
		away := func(what string, verbs ...func(context.Context, school.Actor, int64) error) {
			t.Helper()
			for _, verb := range verbs {
				if err := verb(ctx, r.admin, letter); !errors.Is(err, school.ErrLetterAway) {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		for name, verb := range map[string]func(context.Context, school.Actor, int64) error{"retry": r.RetryLetter, "withdraw": r.WithdrawLetter} {
			before := target.Dump(t)
			if err := verb(ctx, r.a, letter); !errors.Is(err, school.ErrForbidden) {
				t.Errorf("%s by a manager: %v", name, err)
			}
			if err := verb(ctx, school.Actor{}, letter); !errors.Is(err, school.ErrNotLoggedIn) {
				t.Errorf("%s by nobody: %v", name, err)
			}
			if err := verb(ctx, r.admin, letter+1000); !errors.Is(err, school.ErrNotFound) {
				t.Errorf("%s of none: %v", name, err)
			}
			if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
				t.Errorf("written:\n%s", diff)
			}
		}
		if err := r.WithdrawLetter(ctx, r.admin, letter); err != nil {
			t.Fatal(err)
		}
		r.wantState(t, id, school.LetterCancelled, "by_hand")
		r.none(t, "withdrawn")
		away("withdrawn twice", r.WithdrawLetter)
		if err := r.RetryLetter(ctx, r.admin, letter); err != nil {
			t.Fatal(err)
		}
		o := r.claim(t)
		away("on its way", r.RetryLetter, r.WithdrawLetter)
		r.settle(t, o, unknown)
		if err := r.EditStudent(ctx, r.a, id, "Test Student", "s2@example.com", false); err != nil {
			t.Fatal(err)
		}
		if err := r.RetryLetter(ctx, r.admin, letter); err != nil {
			t.Fatal(err)
		}
		if o = r.claim(t); o.Message.To.Email != "s2@example.com" || o.Letter.Attempts != 2 {
			t.Errorf("retried to %+v", o.Message.To)
		}
		r.settle(t, o, nil)
		away("sent", r.RetryLetter, r.WithdrawLetter)
		lines := number(t, target.Raw(t), "SELECT count(*) FROM activity WHERE action IN ('letter.requeued', 'letter.withdrawn')")
		if lines != 3 {
			t.Errorf("%d lines of the history", lines)
		}
	})
}

// TestAFaultOfTheSetUpIsNotedUntilTheNextSuccess.
func TestAFaultOfTheSetUpIsNotedUntilTheNextSuccess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		fault := func() school.MailSettings {
			t.Helper()
			m, err := r.Mail(ctx, r.admin)
			if err != nil {
				t.Fatal(err)
			}
			return m.Settings
		}
		for i := range 4 {
			r.admit(t, fmt.Sprintf("s%d@example.com", i))
		}
		login := &mail.Fault{Stage: mail.StageLogin, Code: 535, Words: "535 no"}
		r.settle(t, r.claim(t), login)
		since := r.time()
		if f := fault(); f.Fault != "login_refused" || f.FaultWords != "535 no" || !f.FaultAt.Equal(since) {
			t.Errorf("noted %+v", f)
		}
		r.forward(time.Second)
		r.settle(t, r.claim(t), login)
		if f := fault(); !f.FaultAt.Equal(since) {
			t.Errorf("the fault began again at %v", f.FaultAt)
		}
		r.settle(t, r.claim(t), unknown) // says nothing of the set-up
		if f := fault(); f.Fault != "login_refused" {
			t.Errorf("a refused recipient has cleared %+v", f)
		}
		r.settle(t, r.claim(t), nil)
		if f := fault(); f.Fault != "" || f.FaultWords != "" || !f.FaultAt.IsZero() {
			t.Errorf("after a success %+v", f)
		}
	})
}

// eventful has letters on events switched on.
func eventful(t *testing.T, target storetest.Target) postRoom {
	t.Helper()
	r := openPost(t, target)
	r.switches(t, true, 7)
	return r
}

func (r postRoom) switches(t *testing.T, opened bool, days int) {
	t.Helper()
	if err := r.EditMail(t.Context(), r.admin, school.MailSettings{Port: 587, Security: "starttls", ContentDays: 90, ModuleOpened: opened, ReminderDays: days}); err != nil {
		t.Fatal(err)
	}
}

// ofKind answers the letters of a kind to a person.
func (r postRoom) ofKind(t *testing.T, id school.UserID, kind school.LetterKind) (all []school.Letter) {
	t.Helper()
	for _, l := range r.letters(t, id) {
		if l.Kind == kind {
			all = append(all, l)
		}
	}
	return all
}

// TestOpenedModulesAreTold where the school wants it: those that open later than the
// enrolment, each once, when it opens.
func TestOpenedModulesAreTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		before := r.admit(t, "before@example.com")
		r.forward(time.Minute)
		if err := r.CompleteLesson(ctx, asStudent(before), 67); err != nil {
			t.Fatal(err)
		}
		r.switches(t, true, 0)
		id, other := r.admit(t, "s1@example.com"), r.admit(t, "s2@example.com")
		for range 3 {
			r.send(t, school.LetterWelcome)
		}
		r.none(t, "nothing has opened since")
		// The next module opens an hour after the one before.
		rawly(t, target.Raw(t), "UPDATE unlock_rules SET delay_minutes = 60 WHERE source_module_id = 16")
		r.forward(time.Minute)
		done := r.time()
		for range 2 {
			for _, s := range []school.UserID{id, other} {
				if err := r.CompleteLesson(ctx, asStudent(s), 67); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := r.ofKind(t, id, school.LetterModuleOpened); len(got) != 1 || !got[0].DueAt.Equal(done.Add(time.Hour)) || got[0].About != "17" || got[0].State != school.LetterQueued {
			t.Fatalf("letters %+v", got)
		}
		r.set(done.Add(time.Hour - time.Millisecond))
		r.none(t, "it opens later")
		r.forward(time.Millisecond)
		o := r.send(t, school.LetterModuleOpened)
		if !strings.Contains(o.Message.Text, schoolURL+"/course/integrator") || strings.ContainsAny(o.Message.Subject+o.Message.Text, "{}⟦⟧") || strings.Contains(o.Message.Text, "/access/") {
			t.Errorf("says %s", o.Message.Text)
		}
		r.switches(t, false, 0)
		r.none(t, "switched off")
		if got := r.ofKind(t, other, school.LetterModuleOpened); len(got) != 1 || got[0].State != school.LetterCancelled || got[0].Cause != "switched_off" {
			t.Errorf("letters %+v", got)
		}
		if err := r.GrantModule(ctx, r.admin, other, 18, "a reason"); err != nil {
			t.Fatal(err)
		}
		if len(r.ofKind(t, before, school.LetterModuleOpened)) != 0 || len(r.ofKind(t, other, school.LetterModuleOpened)) != 1 {
			t.Error("told while it is switched off")
		}
		r.none(t, "switched off")
	})
}

// TestAModuleGrantedIsTold, unless its student is blocked when it opens.
func TestAModuleGrantedIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := eventful(t, target)
		id, blocked := r.admit(t, "s1@example.com"), r.admit(t, "s2@example.com")
		r.send(t, school.LetterWelcome)
		r.send(t, school.LetterWelcome)
		r.forward(time.Minute)
		for _, s := range []school.UserID{id, blocked} {
			if err := r.GrantModule(t.Context(), r.admin, s, 18, "a reason"); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.BlockStudent(t.Context(), r.admin, blocked); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterModuleOpened); o.Letter.UserID != id || o.Letter.About != "18" {
			t.Errorf("sent %+v", o.Letter)
		}
		r.none(t, "the other is blocked")
		r.wantState(t, blocked, school.LetterCancelled, "account_blocked")
	})
}

// TestReminders go once for each absence to who left a little while ago and has
// something left to do.
func TestReminders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := eventful(t, target)
		ctx := t.Context()
		day := 24 * time.Hour
		long := r.admit(t, "long@example.com") // the school did not remind then
		r.forward(8 * day)
		id, back := r.admit(t, "s1@example.com"), r.admit(t, "back@example.com")
		completed, blocked, test, gone := r.admit(t, "c@example.com"), r.admit(t, "b1@example.com"), r.admit(t, "t@example.com"), r.admit(t, "d@example.com")
		for _, lesson := range []school.LessonID{67, 68, 69} {
			if err := r.CompleteLesson(ctx, asStudent(completed), lesson); err != nil {
				t.Fatal(err)
			}
		}
		_, errDelete := r.DeleteStudent(ctx, r.admin, gone)
		if err := errors.Join(r.BlockStudent(ctx, r.admin, blocked), r.MarkTest(ctx, r.admin, test, true), errDelete); err != nil {
			t.Fatal(err)
		}
		r.forward(2 * day)
		recent := r.admit(t, "recent@example.com")
		r.forward(5*day - time.Hour)
		queue := func(want int, when string) {
			t.Helper()
			if n, err := r.QueueReminders(ctx); err != nil || n != want {
				t.Errorf("%s: %d reminders, want %d, %v", when, n, want, err)
			}
		}
		rawly(t, target.Raw(t), "UPDATE letters SET state = 'accepted', due_at = NULL WHERE state = 'queued'") // the welcomes
		queue(0, "a week is not over")
		r.forward(time.Hour)
		queue(2, "after a week")
		queue(0, "again")
		for _, s := range []school.UserID{long, completed, blocked, test, gone, recent} {
			if all := r.ofKind(t, s, school.LetterReminder); len(all) != 0 {
				t.Errorf("reminded %s", all[0].Email)
			}
		}
		if _, err := r.LogIn(ctx, school.Visitor{Address: home}, "back@example.com", "x"); err == nil {
			t.Fatal("let in")
		}
		path, _, err := r.IssueLink(ctx, r.a, back)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(path, "/access/"), "own password"); err != nil {
			t.Fatal(err)
		}
		o := r.send(t, school.LetterReminder)
		if o.Letter.UserID != id || !strings.Contains(o.Message.Text, "7 дней") || !strings.Contains(o.Message.Text, schoolURL+"/course/integrator") {
			t.Errorf("sent %s:\n%s", o.Letter.Email, o.Message.Text)
		}
		r.none(t, "the other came back")
		r.wantState(t, back, school.LetterCancelled, "came_back")
		r.forward(2 * day)
		queue(1, "the one who came two days later")
		r.send(t, school.LetterReminder)
		r.forward(5 * day)
		queue(1, "absent once more")
		if o := r.claim(t); o.Letter.UserID != back || len(r.ofKind(t, back, school.LetterReminder)) != 2 {
			t.Errorf("sent %+v", o.Letter)
		}
		r.switches(t, false, 0)
		r.forward(school.LetterLease)
		r.none(t, "switched off")
		r.wantState(t, back, school.LetterCancelled, "switched_off")
		queue(0, "switched off")
	})
}

// TestRemindersAtOnceAreOneEach, whichever of two workers looks.
func TestRemindersAtOnceAreOneEach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := eventful(t, target)
		for i := range 20 {
			r.admit(t, fmt.Sprintf("s%d@example.com", i))
		}
		r.forward(8 * 24 * time.Hour)
		together(4, func(int) {
			if _, err := r.QueueReminders(context.Background()); err != nil {
				t.Error(err)
			}
		})
		if n := number(t, target.Raw(t), "SELECT count(*) FROM letters WHERE kind = 'reminder'"); n != 20 {
			t.Errorf("%d reminders", n)
		}
	})
}
