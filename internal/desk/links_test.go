package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestALinkToAWrongMailboxDiesWithTheAddress: whoever got the mistyped letter does not
// get in after the correction, and the student's link is another.
func TestALinkToAWrongMailboxDiesWithTheAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "typo@example.com")
		stranger := tokenIn(t, r.send(t, school.LetterWelcome))
		if err := r.EditStudent(t.Context(), r.a, id, "Student", "right@example.com", true); err != nil {
			t.Fatal(err)
		}
		right := tokenIn(t, r.send(t, school.LetterWelcome))
		if r.opens(t, stranger) || stranger == right || !r.opens(t, right) {
			t.Errorf("the stranger's link opens: %v, the student's: %v", r.opens(t, stranger), r.opens(t, right))
		}
	})
}

// TestAPasswordEndsLinksOfBothKinds: who had the old password cannot take the account
// away by a link asked for before.
func TestAPasswordEndsLinksOfBothKinds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		if err := r.RequestEmailChange(t.Context(), r.a, "evil@example.com", "correct horse"); err != nil {
			t.Fatal(err)
		}
		evil := tokenIn(t, r.send(t, school.LetterEmailChange))
		if _, _, err := r.ResetStaff(t.Context(), r.admin, "a@example.com"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ConfirmEmail(t.Context(), school.Visitor{}, evil); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("after a reset the link confirms: %v", err)
		}
		if err := r.RequestEmailChange(t.Context(), r.b, "evil@example.com", "correct horse"); err != nil {
			t.Fatal(err)
		}
		evil = tokenIn(t, r.send(t, school.LetterEmailChange))
		if err := r.ChangePassword(t.Context(), r.b, "correct horse", "quite another horse"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ConfirmEmail(t.Context(), school.Visitor{}, evil); !errors.Is(err, school.ErrLinkInvalid) {
			t.Errorf("after a change of the password the link confirms: %v", err)
		}
	})
}

// TestABounceSpeaksOfItsAddressAlone once a letter had another one before; it may name
// where that forwards to, and may come before the answer to the letter.
func TestABounceSpeaksOfItsAddressAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "typo@example.com")
		r.settle(t, r.claim(t), unknown)
		if err := r.EditStudent(t.Context(), r.a, id, "Test Student", "right@example.com", false); err != nil {
			t.Fatal(err)
		}
		if err := r.RetryLetter(t.Context(), r.admin, r.letter(t, id).ID); err != nil {
			t.Fatal(err)
		}
		o := r.send(t, school.LetterWelcome)
		token, err := r.ReplaceHook(t.Context(), r.admin)
		if err != nil {
			t.Fatal(err)
		}
		report := func(o school.Letter, recipient string) int {
			t.Helper()
			n, err := r.ReportBounces(t.Context(), token, "application/json", fmt.Appendf(nil, `{"message_id": %q, "recipient": %q, "permanent": true, "words": "gone"}`, o.MessageID, recipient))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := report(o.Letter, "typo@example.com"); n != 0 {
			t.Error("a report about a former address is noted")
		}
		r.wantState(t, id, school.LetterAccepted, "")
		if n := report(o.Letter, "Right@Example.com"); n != 1 {
			t.Error("a report about the address is not noted")
		}
		r.wantState(t, id, school.LetterBounced, "bounced")

		forwards := r.admit(t, "forwards@example.com")
		if n := report(r.send(t, school.LetterWelcome).Letter, "box@elsewhere.example"); n != 1 {
			t.Error("a report about where the address forwards to is not noted")
		}
		r.wantState(t, forwards, school.LetterBounced, "bounced")

		early := r.admit(t, "early@example.com")
		o = r.claim(t)
		if n := report(o.Letter, ""); n != 1 {
			t.Error("a report that comes before the answer is not noted")
		}
		if err := r.SettleLetter(t.Context(), o, nil); err == nil {
			t.Error("the answer that came late undoes the bounce")
		}
		r.wantState(t, early, school.LetterBounced, "bounced")
	})
}

// TestALetterThatCannotBeWrittenLetsOthersPass.
func TestALetterThatCannotBeWrittenLetsOthersPass(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		broken, whole := r.admit(t, "broken@example.com"), r.admit(t, "whole@example.com")
		rawly(t, target.Raw(t), "UPDATE letters SET kind = 'module_opened', about = 'no number' WHERE user_id = '"+string(broken)+"'", "UPDATE mail_settings SET module_opened = TRUE")
		if _, err := r.ClaimLetter(t.Context(), schoolURL, nil); err == nil || errors.Is(err, school.ErrNotFound) {
			t.Fatalf("a letter about nothing is claimed: %v", err)
		}
		if o := r.claim(t); o.Letter.UserID != whole {
			t.Errorf("claimed %+v", o.Letter)
		}
		r.wantState(t, broken, school.LetterDeferred, "unwritten")
	})
}

// TestWhoStudiesInOneSessionIsNotReminded: a login is not the only visit.
func TestWhoStudiesInOneSessionIsNotReminded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.switches(t, false, 7)
		id := r.admit(t, "s@example.com")
		r.send(t, school.LetterWelcome)
		at := r.time().Add(7*24*time.Hour + time.Hour)
		r.set(at)
		if err := r.KeepSession(t.Context(), school.Session{TokenHash: "a", UserID: id, ExpiresAt: at.Add(time.Hour)}, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if n, err := r.QueueReminders(t.Context()); n != 0 || err != nil {
			t.Errorf("%d reminded while they are here, %v", n, err)
		}
		r.set(at.Add(-time.Minute)) // the session began later
		rawly(t, target.Raw(t), "DELETE FROM sessions", "UPDATE users SET last_visit_at = created_at")
		if n, err := r.QueueReminders(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d reminded, %v", n, err)
		}
		if o := r.claim(t); o.Letter.Kind != school.LetterReminder || !strings.Contains(o.Message.Text, "7 дней") {
			t.Errorf("claimed %+v: %s", o.Letter, o.Message.Text)
		}
	})
}

// TestWhoStudiedForWeeksInOneSessionIsRemindedOnce: the last login is long ago when the
// absence begins.
func TestWhoStudiedForWeeksInOneSessionIsRemindedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.switches(t, false, 7)
		id := r.admit(t, "s@example.com")
		r.send(t, school.LetterWelcome)
		if err := r.KeepSession(t.Context(), school.Session{TokenHash: "a", UserID: id, ExpiresAt: r.time().Add(30 * 24 * time.Hour)}, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			r.forward(24 * time.Hour)
			if a, err := r.Arrive(t.Context(), "a"); err != nil || a.Actor.ID != id {
				t.Fatalf("%+v, %v", a, err)
			}
			if n, err := r.QueueReminders(t.Context()); n != 0 || err != nil {
				t.Fatalf("%d reminded while they study, %v", n, err)
			}
		}
		var after []time.Duration
		for left := r.time(); r.time().Sub(left) < 30*24*time.Hour; r.forward(6 * time.Hour) {
			if _, err := r.Sweep(t.Context()); err != nil { // which the row of the session does not outlive
				t.Fatal(err)
			}
			n, err := r.QueueReminders(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 1 {
				after = append(after, r.time().Sub(left))
				if o := r.claim(t); o.Letter.Kind != school.LetterReminder || !strings.Contains(o.Message.Text, "7 дней") {
					t.Errorf("claimed %+v: %s", o.Letter, o.Message.Text)
				}
			}
		}
		if len(after) != 1 || after[0] != 7*24*time.Hour {
			t.Errorf("reminded after %v", after)
		}
	})
}

// TestAModuleThatOpensSoonerIsToldOfSooner.
func TestAModuleThatOpensSoonerIsToldOfSooner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		r.switches(t, true, 0)
		rawly(t, target.Raw(t), "UPDATE unlock_rules SET delay_minutes = 30240 WHERE event = 'completed'") // three weeks
		id := r.admit(t, "s@example.com")
		r.send(t, school.LetterWelcome)
		if err := r.CompleteLesson(t.Context(), school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}, 67); err != nil {
			t.Fatal(err)
		}
		r.none(t, "the module opens in three weeks")
		r.set(r.time().Add(time.Hour))
		if err := r.GrantModule(t.Context(), r.a, id, 17, "by agreement"); err != nil {
			t.Fatal(err)
		}
		if o := r.send(t, school.LetterModuleOpened); o.Letter.About != "17" {
			t.Errorf("told of %+v", o.Letter)
		}
	})
}

// TestABusyDomainIsNotGoneThrough: letters to others leave behind a long queue.
func TestABusyDomainIsNotGoneThrough(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		for i := range 5 {
			r.admit(t, fmt.Sprintf("s%d@busy.example", i))
		}
		r.admit(t, "late@zz.example")
		r.set(r.time().Add(time.Second))
		r.admit(t, "later@aa.example")
		claim := func(busy ...string) (email school.Email) {
			t.Helper()
			o, err := r.ClaimLetter(t.Context(), schoolURL, busy)
			if err != nil && !errors.Is(err, school.ErrNotFound) {
				t.Fatal(err)
			}
			return o.Letter.Email
		}
		for _, want := range []school.Email{"late@zz.example", "later@aa.example", ""} {
			if got := claim("busy.example"); got != want {
				t.Errorf("claimed %q, want %q", got, want)
			}
		}
		if got := claim("zz.example"); got != "s0@busy.example" {
			t.Errorf("claimed %q", got)
		}
	})
}

// TestTwoLinksAtTheSameMomentAreOne.
func TestTwoLinksAtTheSameMomentAreOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		r := openPost(t, target)
		id := r.admit(t, "s@example.com")
		insert := func(hash string) error {
			return r.store.Take(t.Context(), func(tx *store.Tx) error {
				return tx.InsertFirstLink(store.Link{UserID: id, Purpose: store.ForAccess, TokenHash: hash, ExpiresAt: tx.Now.Add(time.Hour)})
			})
		}
		rawly(t, target.Raw(t), "DELETE FROM access_links")
		if err := insert("one"); err != nil {
			t.Fatal(err)
		}
		if err := insert("two"); !errors.Is(err, school.ErrUnavailable) {
			t.Errorf("a second link beside the first: %v", err)
		}
	})
}
