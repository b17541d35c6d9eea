package desk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// changed answers the tables whose rows fn has changed.
func changed(t *testing.T, target storetest.Target, fn func()) (tables []string) {
	t.Helper()
	before := target.Dump(t)
	fn()
	after := target.Dump(t)
	for _, table := range slices.Sorted(maps.Keys(after)) {
		if !slices.Equal(before[table], after[table]) {
			tables = append(tables, table)
		}
	}
	return tables
}

// TestAskingForANewPasswordTellsNothing of who has an account: the answer is the
// same, and to nobody who may not log in a letter goes.
func TestAskingForANewPasswordTellsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		blocked, gone := r.admit(t, "blocked@example.com"), r.admit(t, "gone@example.com")
		r.admit(t, "s1@example.com")
		_, errDelete := r.DeleteStudent(ctx, r.a, gone)
		if err := errors.Join(r.BlockStudent(ctx, r.a, blocked), errDelete, r.DisableStaff(ctx, r.admin, "b@example.com")); err != nil {
			t.Fatal(err)
		}
		i := 0
		for typed, letters := range map[string]int{
			"s1@example.com": 1, " A@Example.com": 1, "blocked@example.com": 0, "gone@example.com": 0, "b@example.com": 0, "nobody@example.com": 0, "student@пример.рф": 0,
		} {
			i++
			before := number(t, target.Raw(t), "SELECT count(*) FROM letters WHERE kind = 'recovery'")
			tables := changed(t, target, func() {
				if err := r.RequestRecovery(ctx, school.Visitor{Address: fmt.Sprint("192.0.2.", i)}, typed); err != nil {
					t.Errorf("%s: %v", typed, err)
				}
			})
			if n := number(t, target.Raw(t), "SELECT count(*) FROM letters WHERE kind = 'recovery'") - before; n != letters {
				t.Errorf("%s: %d letters, want %d", typed, n, letters)
			}
			want := []string{"login_failures"}
			if letters > 0 {
				want = []string{"activity", "letters", "login_failures"}
			}
			if diff := cmp.Diff(want, tables); diff != "" {
				t.Errorf("%s wrote:\n%s", typed, diff)
			}
		}
		var e *school.Error
		if err := r.RequestRecovery(ctx, school.Visitor{Address: home}, "no address"); !errors.As(err, &e) || e.Fields["email"] != "email_invalid" {
			t.Errorf("no address: %v", err)
		}
	})
}

// TestWhatIsNotKnownIsWrittenToo: both kinds of answers wait for a commit, so that
// the time tells nothing.
func TestWhatIsNotKnownIsWrittenToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var counting bool
		writes := 0
		r := openPost(t, target, func(o *store.Options) {
			o.BeforeStatement = func(sql string) error {
				if counting && !strings.HasPrefix(sql, "SELECT") {
					writes++
				}
				return nil
			}
		})
		r.admit(t, "s1@example.com")
		of := func(email, address string) int {
			counting, writes = true, 0
			defer func() { counting = false }()
			if err := r.RequestRecovery(t.Context(), school.Visitor{Address: address}, email); err != nil {
				t.Errorf("%s: %v", email, err)
			}
			return writes
		}
		known, stranger := of("s1@example.com", "192.0.2.1"), of("nobody@example.com", "192.0.2.2")
		if stranger < 3 || known < stranger || known > stranger+2 { // two counters, and what stands for the letter
			t.Errorf("%d statements for who is known, %d for a stranger", known, stranger)
		}
	})
}

// TestAskingForANewPasswordIsSlowedDown, for strangers as for who is known, by account
// and by where the requests come from.
func TestAskingForANewPasswordIsSlowedDown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.admit(t, "s1@example.com")
		ask := func(email, address string) string {
			t.Helper()
			return codeOf(t, r.RequestRecovery(t.Context(), school.Visitor{Address: address}, email))
		}
		for _, email := range []string{"s1@example.com", "nobody@example.com"} {
			var codes []string
			for i := range 5 {
				codes = append(codes, ask(email, fmt.Sprintf("192.0.2.%d", i)))
			}
			if diff := cmp.Diff([]string{"", "", "", "too_many_attempts", "too_many_attempts"}, codes); diff != "" {
				t.Errorf("%s:\n%s", email, diff)
			}
		}
		r.forward(time.Second)
		if code := ask("s1@example.com", home); code != "" {
			t.Errorf("after a second: %s", code)
		}
		if code := ask("s1@example.com", home); code != "too_many_attempts" {
			t.Errorf("at once again: %s", code)
		}
		r.forward(time.Hour)
		refused := 0
		for i := range 25 {
			if code := ask(fmt.Sprintf("n%d@example.com", i), "198.51.100.7"); code == "too_many_attempts" {
				refused++
			}
		}
		if refused != 5 {
			t.Errorf("%d of 25 requests of one visitor were refused", refused)
		}
		if code := r.login(t, "a@example.com", right, "198.51.100.7"); code != "" {
			t.Errorf("and a login from there: %s", code)
		}
	})
}

// TestTheRecoveryLetterLeadsToANewPassword, and whoever was logged in with the old one
// is out.
func TestTheRecoveryLetterLeadsToANewPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		ctx := t.Context()
		if err := r.KeepSession(ctx, school.Session{TokenHash: "device", UserID: r.a.ID, ExpiresAt: r.time().Add(time.Hour)}, []byte("x")); err != nil {
			t.Fatal(err)
		}
		ask := func() {
			t.Helper()
			r.forward(time.Minute) // more often is slowed down
			if err := r.RequestRecovery(ctx, school.Visitor{Address: home}, "a@example.com"); err != nil {
				t.Fatal(err)
			}
		}
		ask()
		first := r.letter(t, r.a.ID)
		ask()
		if l := r.letters(t, r.a.ID); len(l) != 2 || l[0].State != school.LetterQueued || l[1].ID != first.ID || l[1].State != school.LetterCancelled || l[1].Cause != "newer" {
			t.Errorf("letters %+v", l)
		}
		o := r.send(t, school.LetterRecovery)
		r.none(t, "the first was cancelled")
		token := tokenIn(t, o)
		if o.Message.To.Email != "a@example.com" {
			t.Errorf("sent to %s", o.Message.To.Email)
		}
		if code := r.login(t, "a@example.com", right, home); code != "" {
			t.Errorf("before the link is used: %s", code)
		}
		ask() // the first was sent: another letter, the same link
		if o := r.send(t, school.LetterRecovery); tokenIn(t, o) != token {
			t.Error("the next letter ends the link of the first")
		}
		if a, err := r.UseLink(ctx, school.Visitor{}, token, "a better horse"); err != nil || a.ID != r.a.ID {
			t.Fatalf("used: %v", err)
		}
		if n := number(t, target.Raw(t), "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d sessions outlive the password", n)
		}
		if one, other := r.login(t, "a@example.com", right, home), r.login(t, "a@example.com", "a better horse", home); one != "wrong_credentials" || other != "" {
			t.Errorf("the old password: %q, the new one: %q", one, other)
		}
		ask()
		if err := r.DisableStaff(ctx, r.admin, "a@example.com"); err != nil {
			t.Fatal(err)
		}
		r.none(t, "who was asked for is out since")
	})
}

// mover is a student who wants another address.
type mover struct {
	postRoom
	me school.Actor
}

func moving(t *testing.T, target storetest.Target) mover {
	t.Helper()
	r := openPost(t, target)
	c := r.student(t, r.a, "old@example.com")
	if _, err := r.UseLink(t.Context(), school.Visitor{}, strings.TrimPrefix(c.Link, "/access/"), right); err != nil {
		t.Fatal(err)
	}
	r.send(t, school.LetterWelcome)
	me := asStudent(c.Student.ID)
	me.Email, me.Name = "old@example.com", "Test Student"
	return mover{r, me}
}

func (m mover) ask(t *testing.T, email string) {
	t.Helper()
	if err := m.RequestEmailChange(t.Context(), m.me, email, right); err != nil {
		t.Fatalf("%s: %v", email, err)
	}
}

func (m mover) addresses(t *testing.T) (account, enrolment string) {
	t.Helper()
	if err := m.target.Raw(t).QueryRowContext(t.Context(), "SELECT u.email, e.email FROM users u JOIN tripwire_users e ON e.user_id = u.id WHERE u.id = $1", string(m.me.ID)).Scan(&account, &enrolment); err != nil {
		t.Fatal(err)
	}
	return account, enrolment
}

// TestWhatIsWrongWithANewAddress is told at its field, and nothing is written.
func TestWhatIsWrongWithANewAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		m := moving(t, target)
		for _, c := range []struct {
			email, password string
			want            map[string]string
		}{
			{"new@example.com", wrong, map[string]string{"current_password": "password_wrong"}},
			{"new@example.com", "", map[string]string{"current_password": "password_wrong"}},
			{" OLD@example.com", right, map[string]string{"email": "email_same"}},
			{"no address", right, map[string]string{"email": "email_invalid"}},
			{"", wrong, map[string]string{"email": "email_required", "current_password": "password_wrong"}},
		} {
			tables := changed(t, target, func() {
				var e *school.Error
				if err := m.RequestEmailChange(t.Context(), m.me, c.email, c.password); !errors.As(err, &e) || !cmp.Equal(e.Fields, c.want) {
					t.Errorf("%q, %q: %v", c.email, c.password, err)
				}
			})
			if slices.Contains(tables, "letters") || slices.Contains(tables, "access_links") || slices.Contains(tables, "users") {
				t.Errorf("%q, %q wrote %v", c.email, c.password, tables)
			}
		}
		if err := m.RequestEmailChange(t.Context(), school.Actor{}, "new@example.com", right); !errors.Is(err, school.ErrNotLoggedIn) {
			t.Errorf("nobody: %v", err)
		}
		if err := m.with(m.store, m.key, nil).RequestEmailChange(t.Context(), m.me, "new@example.com", right); !errors.Is(err, school.ErrMailOff) {
			t.Errorf("without a server: %v", err)
		}
		codes := map[string]int{}
		for range 8 {
			codes[codeOf(t, m.RequestEmailChange(t.Context(), m.me, "new@example.com", wrong))]++
		}
		if codes["too_many_attempts"] == 0 {
			t.Errorf("guessing is not slowed down: %v", codes)
		}
	})
}

// TestANewAddressIsConfirmed from its mailbox: until then the old one works, then the
// new one alone; all devices and links end, and the old address is told.
func TestANewAddressIsConfirmed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		m := moving(t, target)
		ctx := t.Context()
		if err := m.KeepSession(ctx, school.Session{TokenHash: "device", UserID: m.me.ID, ExpiresAt: m.time().Add(time.Hour)}, []byte("x")); err != nil {
			t.Fatal(err)
		}
		path, _, err := m.IssueLink(ctx, m.a, m.me.ID)
		if err != nil {
			t.Fatal(err)
		}
		access := strings.TrimPrefix(path, "/access/")
		m.ask(t, "New@Example.com")
		o := m.send(t, school.LetterEmailChange)
		m.none(t, "the old address is not written to yet")
		token := tokenIn(t, o)
		if o.Message.To.Email != "new@example.com" || !strings.Contains(o.Message.Text, "old@example.com") || !strings.Contains(o.Message.Text, "new@example.com") {
			t.Errorf("sent %+v", o.Message)
		}
		if account, enrolment := m.addresses(t); account != "old@example.com" || enrolment != account || m.login(t, "old@example.com", right, home) != "" || m.login(t, "new@example.com", right, home) == "" {
			t.Errorf("before: %s, %s", account, enrolment)
		}
		// It is no link for a password, and one for a password is none for an address.
		if _, err := m.UseLink(ctx, school.Visitor{}, token, "own password"); !errors.Is(err, school.ErrLinkInvalid) || m.opens(t, token) {
			t.Errorf("used for a password: %v", err)
		}
		if _, err := m.ConfirmEmail(ctx, school.Visitor{}, access); !errors.Is(err, school.ErrLinkInvalid) || !m.opens(t, access) {
			t.Errorf("a link for a password confirms: %v", err)
		}
		for range 3 {
			if a, to, err := m.EmailLink(ctx, token); err != nil || a.ID != m.me.ID || to != "new@example.com" || a.Email != "old@example.com" {
				t.Errorf("looked: %+v, %s, %v", a, to, err)
			}
		}
		if a, err := m.ConfirmEmail(ctx, school.Visitor{}, token); err != nil || a.ID != m.me.ID || a.Email != "new@example.com" {
			t.Fatalf("confirmed: %+v, %v", a, err)
		}
		if account, enrolment := m.addresses(t); account != "new@example.com" || enrolment != account {
			t.Errorf("after: %s, %s", account, enrolment)
		}
		if n := number(t, target.Raw(t), "SELECT count(*) FROM sessions"); n != 0 || m.opens(t, access) {
			t.Errorf("%d sessions and the link outlive the address", n)
		}
		if one, other := m.login(t, "old@example.com", right, home), m.login(t, "new@example.com", right, home); one != "wrong_credentials" || other != "" {
			t.Errorf("the old address: %q, the new one: %q", one, other)
		}
		if l, err := m.Students(ctx, m.a, school.StudentFilter{Query: "new@example.com"}); err != nil || len(l.Students) != 1 {
			t.Errorf("the list finds %d, %v", len(l.Students), err)
		}
		before := target.Dump(t)
		if _, err := m.ConfirmEmail(ctx, school.Visitor{}, token); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("confirmed again: %v", err)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		// The old address is told, also when there is a third one meanwhile.
		m.me.Email = "new@example.com"
		if err := m.EditStudent(ctx, m.a, m.me.ID, "Test Student", "third@example.com", false); err != nil {
			t.Fatal(err)
		}
		o = m.send(t, school.LetterEmailChanged)
		if o.Message.To.Email != "old@example.com" || !strings.Contains(o.Message.Text, "new@example.com") || strings.Contains(o.Message.Text, "third@") || strings.Contains(o.Message.Text, "/access/") || strings.ContainsAny(o.Message.Text, "{}⟦⟧") {
			t.Errorf("told %+v", o.Message)
		}
		m.none(t, "all are sent")
	})
}

// TestALinkToANewAddress ends with its time, with a newer one, and with the account's
// access.
func TestALinkToANewAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		m := moving(t, target)
		ctx := t.Context()
		confirm := func(token string) error {
			_, err := m.ConfirmEmail(ctx, school.Visitor{}, token)
			return err
		}
		m.ask(t, "one@example.com")
		first := tokenIn(t, m.send(t, school.LetterEmailChange))
		m.ask(t, "two@example.com")
		waiting := m.letter(t, m.me.ID)
		m.ask(t, "three@example.com")
		if l := m.letters(t, m.me.ID); l[1].ID != waiting.ID || l[1].State != school.LetterCancelled || l[1].Cause != "newer" {
			t.Errorf("the waiting letter is %+v", l[1])
		}
		third := tokenIn(t, m.send(t, school.LetterEmailChange))
		if err := confirm(first); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("the first link: %v", err)
		}
		// A letter put off, whose address is not wanted any more.
		m.ask(t, "four@example.com")
		o := m.claim(t)
		m.ask(t, "five@example.com")
		m.settle(t, o, busy)
		if err := confirm(third); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("the third link: %v", err)
		}
		fifth := tokenIn(t, m.send(t, school.LetterEmailChange))
		m.forward(2 * time.Minute)
		m.none(t, "nobody wants the fourth address")
		if err := m.BlockStudent(ctx, m.a, m.me.ID); err != nil {
			t.Fatal(err)
		}
		before := target.DumpWithoutRefusals(t)
		if err := confirm(fifth); !errors.Is(err, school.ErrAccountBlocked) {
			t.Errorf("blocked: %v", err)
		}
		if diff := cmp.Diff(before, target.DumpWithoutRefusals(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if err := m.UnblockStudent(ctx, m.a, m.me.ID); err != nil {
			t.Fatal(err)
		}
		m.forward(72*time.Hour - 2*time.Minute)
		if err := confirm(fifth); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("the link outlives its time: %v", err)
		}
		if account, _ := m.addresses(t); account != "old@example.com" {
			t.Errorf("the address is %s", account)
		}
	})
}

// TestATakenAddressIsNotTold: the answer and the history are the same, and no letter
// comes; who takes it after the letter keeps it.
func TestATakenAddressIsNotTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		m := moving(t, target)
		ctx := t.Context()
		taken := changed(t, target, func() { m.ask(t, "b@example.com") })
		m.none(t, "somebody has the address")
		free := changed(t, target, func() { m.ask(t, "new@example.com") })
		guesses := func(table string) bool { return table == "login_failures" }
		if diff := cmp.Diff(slices.DeleteFunc(free, guesses), append(slices.DeleteFunc(taken, guesses), "letters")); diff != "" {
			t.Errorf("what is written tells who has an account:\n%s", diff)
		}
		token := tokenIn(t, m.send(t, school.LetterEmailChange))
		m.admit(t, "new@example.com") // somebody was faster
		before := target.Dump(t)
		if _, err := m.ConfirmEmail(ctx, school.Visitor{}, token); !errors.Is(err, school.ErrEmailTaken) {
			t.Errorf("confirmed: %v", err)
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if code := m.login(t, "old@example.com", right, home); code != "" {
			t.Errorf("the old address: %s", code)
		}
	})
}

// TestAnAddressConfirmedByManyAtOnce goes to one of them, and each link works once.
func TestAnAddressConfirmedByManyAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		var tokens []string
		for _, who := range []school.Actor{r.admin, r.a, r.b} {
			if err := r.RequestEmailChange(t.Context(), who, "wanted@example.com", right); err != nil {
				t.Fatal(err)
			}
			token := tokenIn(t, r.send(t, school.LetterEmailChange))
			tokens = append(tokens, token, token)
		}
		if n := race(t, func(i int) error {
			_, err := r.ConfirmEmail(context.Background(), school.Visitor{}, tokens[i%len(tokens)])
			return err
		}, "link_invalid", "email_taken"); n != 1 {
			t.Errorf("%d have the address", n)
		}
		if n := number(t, target.Raw(t), "SELECT count(*) FROM letters WHERE kind = 'email_changed'"); n != 1 {
			t.Errorf("%d old addresses are told", n)
		}
	})
}
