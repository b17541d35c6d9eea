package desk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// fault makes the n-th statement of a Write fail, once it is armed.
type fault struct {
	left  atomic.Int64
	armed atomic.Bool
	fired atomic.Bool
}

var errPulled = errors.New("the plug was pulled")

func (f *fault) arm(n int) {
	f.left.Store(int64(n))
	f.fired.Store(false)
	f.armed.Store(true)
}

func (f *fault) before(string) error {
	if f.armed.Load() && f.left.Add(-1) == -1 {
		f.fired.Store(true)
		return errPulled
	}
	return nil
}

func (f *fault) option(o *store.Options) { o.BeforeStatement = f.before }

// atEveryStatement fails act at its first statement, then at its second, and so
// on until it passes. It answers after how many statements that was, and where
// something was left behind or the failure was not told.
func atEveryStatement(t *testing.T, target storetest.Target, f *fault, act func() error) (statements int, faults []string) {
	t.Helper()
	before := target.Dump(t)
	for n := 0; ; n++ {
		f.arm(n)
		err := act()
		f.armed.Store(false)
		if !f.fired.Load() {
			if err != nil {
				t.Fatalf("undisturbed: %v", err)
			}
			return n, faults
		}
		if !errors.Is(err, errPulled) || school.KindOf(err) != school.Internal {
			faults = append(faults, fmt.Sprintf("statement %d: told %v", n, err))
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			faults = append(faults, fmt.Sprintf("statement %d left something behind:\n%s", n, diff))
			before = target.Dump(t)
		}
	}
}

// TestACreationIsAllOrNothing: the account, the enrolment, the module, the link,
// the history and the letter, whichever statement fails.
func TestACreationIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var f fault
		p := open(t, target, f.option)
		for name, form := range map[string]school.NewStudentForm{
			"password": {FullName: "A", Email: "a1@example.com", Password: "test1234", Key: school.NewToken()},
			"link":     {FullName: "B", Email: "b1@example.com", Access: "link", Key: school.NewToken()},
			"no key":   {FullName: "C", Email: "c1@example.com", Access: "link"},
		} {
			var c school.Created
			statements, faults := atEveryStatement(t, target, &f, func() (err error) {
				c, err = p.CreateStudent(context.Background(), p.a, form)
				return err
			})
			for _, fault := range faults {
				t.Errorf("%s: %s", name, fault)
			}
			if statements < 5 || len(c.Unlocked) != 1 || c.Repeated {
				t.Errorf("%s: %d statements, created %+v", name, statements, c)
			}
		}
	})
}

// TestEveryVerbIsAllOrNothing, not only the creation.
func TestEveryVerbIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var f fault
		p := open(t, target, f.option)
		ctx := context.Background()
		first := p.student(t, p.a, "s1@example.com")
		id := first.Student.ID
		me := school.Actor{ID: id, Role: school.RoleStudent, Door: school.DoorPanel}
		keep := func(token string, who school.UserID) {
			if err := p.KeepSession(ctx, school.Session{TokenHash: token, UserID: who, ExpiresAt: time.Now().Add(time.Hour)}, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		keep("one", id)
		keep("two", p.b.ID)
		for _, verb := range []struct {
			name string
			act  func() error
		}{
			{"use link", func() error {
				_, err := p.UseLink(ctx, school.Visitor{}, strings.TrimPrefix(first.Link, "/access/"), "own password")
				return err
			}},
			{"own password", func() error {
				must := me
				must.MustChangePassword = true
				return p.SetOwnPassword(ctx, must, "next password")
			}},
			{"edit", func() error { return p.EditStudent(ctx, p.a, id, "New Name", "s2@example.com", false) }},
			{"issue link", func() error { _, _, err := p.IssueLink(ctx, p.a, id); return err }},
			{"grant", func() error { return p.GrantModule(ctx, p.a, id, 18, "a reason") }},
			{"lesson 67", func() error { return p.CompleteLesson(ctx, me, 67) }},
			{"lesson 68", func() error { return p.CompleteLesson(ctx, me, 68) }},
			{"the last lesson", func() error { return p.CompleteLesson(ctx, me, 69) }},
			{"block", func() error { return p.BlockStudent(ctx, p.a, id) }},
			{"unblock", func() error { return p.UnblockStudent(ctx, p.a, id) }},
			{"delete", func() error { _, err := p.DeleteStudent(ctx, p.a, id); return err }},
			{"restore", func() error { return p.RestoreStudent(ctx, p.a, id, "s3@example.com") }},
			{"add staff", func() error {
				_, err := p.AddStaff(ctx, p.admin, school.NewStaff{FullName: "N", Email: "n@example.com", Role: "sales", Password: "correct horse"})
				return err
			}},
			{"disable staff", func() error { return p.DisableStaff(ctx, p.admin, "b@example.com") }},
			{"reset staff", func() error { _, _, err := p.ResetStaff(ctx, p.admin, "b@example.com"); return err }},
			{"settings", func() error {
				s, err := p.Settings(ctx)
				if err != nil {
					return err
				}
				s.Name = "Another"
				return p.EditSettings(ctx, p.admin, s)
			}},
		} {
			before := target.Dump(t)
			statements, faults := atEveryStatement(t, target, &f, verb.act)
			for _, fault := range faults {
				t.Errorf("%s: %s", verb.name, fault)
			}
			if statements < 2 || cmp.Equal(before, target.Dump(t)) {
				t.Errorf("%s took %d statements and changed nothing", verb.name, statements)
			}
		}
	})
}

// TestTheFirstStartIsAllOrNothing: course, setup link, first administrator.
func TestTheFirstStartIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var f fault
		p := desk.New(target.Open(t, f.option), desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
		ctx := context.Background()
		var path string
		for _, act := range []func() error{
			func() error { return p.PrepareSchool(ctx) },
			func() (err error) { path, err = p.OfferSetup(ctx); return err },
			func() error {
				_, err := p.SetUp(ctx, school.Visitor{}, strings.TrimPrefix(path, "/setup/"), school.NewStaff{FullName: "Boss", Email: "boss@example.com", Password: "correct horse"})
				return err
			},
		} {
			statements, faults := atEveryStatement(t, target, &f, act)
			if len(faults) > 0 || statements < 2 {
				t.Errorf("%d statements: %s", statements, faults)
			}
		}
		if path, err := p.OfferSetup(ctx); err != nil || path != "" {
			t.Errorf("offered again: %q, %v", path, err)
		}
	})
}

// TestTheAllOrNothingTestSeesHalfAWork is its control: a verb of two transactions.
func TestTheAllOrNothingTestSeesHalfAWork(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var f fault
		p := open(t, target, f.option)
		id := school.NewUserID()
		made := false
		_, faults := atEveryStatement(t, target, &f, func() error {
			err := p.store.Write(context.Background(), func(tx *store.Tx) error {
				if made {
					return nil
				}
				return tx.InsertUser(school.Account{ID: id, Email: "half@example.com", FullName: "Half", Role: school.RoleStudent, Language: "ru"})
			})
			if err != nil {
				return err
			}
			made = true
			return p.store.Write(context.Background(), func(tx *store.Tx) error { return tx.InsertLetter(id, school.LetterWelcome, "a@example.com") })
		})
		if len(faults) != 1 || !strings.Contains(faults[0], "half@example.com") {
			t.Errorf("seen: %q", faults)
		}
	})
}

// kinds counts the rows of the tables that a creation writes.
func kinds(t *testing.T, target storetest.Target) map[string]int {
	t.Helper()
	n := map[string]int{}
	for table, rows := range target.Dump(t) {
		n[table] = len(rows)
	}
	return n
}

// TestAThousandHandsOneRowEach: many creations of the same addresses at once give
// one student for each address, and a clean answer to everybody else.
func TestAThousandHandsOneRowEach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		before := kinds(t, target)
		const addresses, hands = 100, 2
		var created, exist atomic.Int64
		var all sync.WaitGroup
		for i := range addresses * hands {
			all.Go(func() {
				by, email := p.a, fmt.Sprintf("many%d@example.com", i%addresses)
				if i >= addresses { // the second hand is another manager's, and writes it otherwise
					by, email = p.b, " "+strings.ToUpper(email)
				}
				c, err := p.CreateStudent(context.Background(), by, school.NewStudentForm{FullName: "Many", Email: email, Access: "link", Key: school.NewToken()})
				switch {
				case err == nil && len(c.Unlocked) == 1:
					created.Add(1)
				case errors.Is(err, school.ErrStudentExists):
					exist.Add(1)
				default:
					t.Errorf("%s: %+v, %v", email, c, err)
				}
			})
		}
		all.Wait()
		if created.Load() != addresses || exist.Load() != addresses {
			t.Errorf("%d created, %d told that the student exists", created.Load(), exist.Load())
		}
		after := kinds(t, target)
		for table, rows := range after {
			want := before[table]
			switch table {
			case "users", "tripwire_users", "module_unlocks", "access_links", "activity", "letters", "form_keys", "roster", "money_events":
				want += addresses
			}
			if rows != want && !strings.HasSuffix(table, "_counts") {
				t.Errorf("%s has %d rows, want %d", table, rows, want)
			}
		}
		if findings, err := p.Examine(context.Background()); err != nil || len(findings) != 0 {
			t.Errorf("examined: %+v, %v", findings, err)
		}
	})
}

// TestTheSameFormAtOnceIsOneStudent and everybody gets the same answer: pressing
// twice is pressing once.
func TestTheSameFormAtOnceIsOneStudent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		for access, form := range map[string]school.NewStudentForm{
			"link":     {FullName: "A", Email: "a1@example.com", Access: "link", Key: school.NewToken()},
			"password": {FullName: "B", Email: "b1@example.com", Password: "te\u0301st1234", Key: school.NewToken()},
		} {
			before := kinds(t, target)["users"]
			answers := make([]school.Created, 8)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					var err error
					if answers[i], err = p.CreateStudent(context.Background(), p.a, form); err != nil {
						t.Errorf("%s: %v", access, err)
					}
				})
			}
			all.Wait()
			news := 0
			for _, c := range answers {
				if !c.Repeated {
					news++
				}
				first := answers[0]
				if c.Student.ID != first.Student.ID || c.Link != first.Link || c.Password != first.Password || c.Access != first.Access ||
					!c.LinkEnds.Equal(first.LinkEnds) || !c.PasswordEnds.Equal(first.PasswordEnds) || c.MustChange != first.MustChange ||
					!c.At.Equal(first.At) || !cmp.Equal(c.Unlocked, first.Unlocked) || c.Student.Email != first.Student.Email || c.Student.Price != first.Student.Price {
					t.Errorf("%s: two answers:\n%s", access, cmp.Diff(first, c))
				}
			}
			if news != 1 || kinds(t, target)["users"] != before+1 {
				t.Errorf("%s: %d new students, %d accounts more", access, news, kinds(t, target)["users"]-before)
			}
			if access == "link" {
				if _, err := p.UseLink(context.Background(), school.Visitor{}, strings.TrimPrefix(answers[0].Link, "/access/"), "own password"); err != nil {
					t.Errorf("the link shown twice: %v", err)
				}
			}
		}
	})
}

// TestAFormKeyAnswersOnlyItsOwnForm: other contents, another password or another
// person get nothing of the first answer, and nothing is written.
func TestAFormKeyAnswersOnlyItsOwnForm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		form := school.NewStudentForm{FullName: "A", Email: "a1@example.com", Password: "test1234", Key: school.NewToken()}
		if _, err := p.CreateStudent(ctx, p.a, form); err != nil {
			t.Fatal(err)
		}
		before := target.Dump(t)
		other := func(change func(*school.NewStudentForm)) school.NewStudentForm {
			f := form
			change(&f)
			return f
		}
		for name, c := range map[string]struct {
			by   school.Actor
			form school.NewStudentForm
			want error
		}{
			"another name":      {p.a, other(func(f *school.NewStudentForm) { f.FullName = "B" }), school.ErrFormKeyReused},
			"another address":   {p.a, other(func(f *school.NewStudentForm) { f.Email = "b1@example.com" }), school.ErrFormKeyReused},
			"another price":     {p.a, other(func(f *school.NewStudentForm) { f.Price = "2500" }), school.ErrFormKeyReused},
			"another language":  {p.a, other(func(f *school.NewStudentForm) { f.Language = "kk" }), school.ErrFormKeyReused},
			"another way in":    {p.a, other(func(f *school.NewStudentForm) { f.Access = "link" }), school.ErrFormKeyReused},
			"another password":  {p.a, other(func(f *school.NewStudentForm) { f.Password = "test12345" }), school.ErrFormKeyReused},
			"no password":       {p.a, other(func(f *school.NewStudentForm) { f.Password = "" }), school.ErrFormKeyReused},
			"another manager":   {p.b, form, school.ErrFormKeyReused},
			"the administrator": {p.admin, form, school.ErrFormKeyReused},
			"a key of theirs":   {p.a, other(func(f *school.NewStudentForm) { f.Key = "1" }), school.ErrFormKeyInvalid},
			"a new key":         {p.a, other(func(f *school.NewStudentForm) { f.Key = school.NewToken() }), school.ErrStudentExists},
			"no key":            {p.a, other(func(f *school.NewStudentForm) { f.Key = "" }), school.ErrStudentExists},
		} {
			got, err := p.CreateStudent(ctx, c.by, c.form)
			if !errors.Is(err, c.want) || got.Password != "" || got.Link != "" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if c, err := p.CreateStudent(ctx, p.a, form); err != nil || !c.Repeated || c.Password != "test1234" {
			t.Errorf("the form itself: %+v, %v", c, err)
		}
	})
}

// TestWhatIsHopelessIsRefusedBeforeAnyHashing, and without a row.
func TestWhatIsHopelessIsRefusedBeforeAnyHashing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		p.student(t, p.a, "test123@example.com")
		before := target.Dump(t)
		ctx := context.Background()
		hasher := password.NewHasher(password.DefaultMemoryMiB)
		fresh := desk.New(p.store, desk.Options{Hasher: hasher, Files: files.NewFolder(t.TempDir(), 0)})
		form := school.NewStudentForm{FullName: "A", Email: "TEST123@example.com ", Password: "test1234"}
		for name, c := range map[string]struct {
			by   school.Actor
			form school.NewStudentForm
			want string
		}{
			"the address is taken":  {p.b, form, "student_exists"},
			"by staff":              {p.b, school.NewStudentForm{FullName: "A", Email: "admin@example.com", Password: "test1234"}, "student_exists"},
			"a short password":      {p.a, school.NewStudentForm{FullName: "A", Email: "n@example.com", Password: "test123"}, "password_too_short"},
			"the address as secret": {p.a, school.NewStudentForm{FullName: "A", Email: "n@example.com", Password: "N@example.com"}, "password_is_email"},
			"no password":           {p.a, school.NewStudentForm{FullName: "A", Email: "n@example.com"}, "password_required"},
			"a student asks":        {school.Actor{ID: p.a.ID, Role: school.RoleStudent}, form, "forbidden"},
			"nobody asks":           {school.Actor{}, form, "not_logged_in"},
		} {
			_, err := fresh.CreateStudent(ctx, c.by, c.form)
			var e *school.Error
			if !errors.As(err, &e) || e.Code != c.want && e.Fields["password"] != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if hasher.PeakMiB() != 0 {
			t.Error("something was hashed")
		}
		if diff := cmp.Diff(before, target.Dump(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
		if _, err := fresh.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: "A", Email: "n@example.com", Password: "test1234"}); err != nil || hasher.PeakMiB() == 0 {
			t.Errorf("the control: %v, %d MiB", err, hasher.PeakMiB())
		}
	})
}

// TestThePriceKeepsToWhatTheRoleMayGive, and is copied into the sale.
func TestThePriceKeepsToWhatTheRoleMayGive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		for i, c := range []struct {
			by    school.Actor
			price string
			minor int64 // of the course's 5000; -1: refused
		}{
			{p.a, "", 500000}, {p.a, "5000", 500000}, {p.a, "2 500,00", 250000}, {p.a, "2499.99", -1}, {p.a, "5000.01", -1}, {p.a, "0", -1},
			{p.admin, "0", 0}, {p.admin, "50000", 5000000}, {p.admin, "50000.01", -1}, {school.Terminal(), "1", 100},
		} {
			created, err := p.CreateStudent(ctx, c.by, school.NewStudentForm{FullName: "A", Email: fmt.Sprintf("p%d@example.com", i), Access: "link", Price: c.price})
			var e *school.Error
			switch {
			case c.minor < 0 && (!errors.As(err, &e) || e.Fields["price"] != "price_out_of_range"):
				t.Errorf("%s by %s: %v", c.price, c.by.Role, err)
			case c.minor >= 0 && err != nil:
				t.Errorf("%s by %s: %v", c.price, c.by.Role, err)
			case c.minor >= 0:
				card, err := p.Student(ctx, p.admin, created.Student.ID)
				if err != nil || card.Student.Price != (school.Money{Minor: c.minor, Currency: "KZT"}) || created.Student.Price != card.Student.Price {
					t.Errorf("%s by %s became %+v, %v", c.price, c.by.Role, card.Student.Price, err)
				}
			}
		}
	})
}

// TestSecretsAreNowhereInTheDatabase: no password, no token, no key, in no column
// of no table, and not in the bytes of the file.
func TestSecretsAreNowhereInTheDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		secrets := map[string]string{"staff password": "correct horse"}
		form := school.NewStudentForm{FullName: "A", Email: "a1@example.com", Password: "first-password-of-a", Key: school.NewToken()}
		if _, err := p.CreateStudent(ctx, p.a, form); err != nil {
			t.Fatal(err)
		}
		secrets["first password"], secrets["form key"] = form.Password, form.Key
		form = school.NewStudentForm{FullName: "B", Email: "b1@example.com", Access: "link", Key: school.NewToken()}
		c, err := p.CreateStudent(ctx, p.a, form)
		if err != nil {
			t.Fatal(err)
		}
		secrets["link"], secrets["key of the link"] = strings.TrimPrefix(c.Link, "/access/"), form.Key
		secrets["used link"] = strings.TrimPrefix(p.student(t, p.a, "c1@example.com").Link, "/access/")
		if _, err := p.UseLink(ctx, school.Visitor{}, secrets["used link"], "own-password-of-c"); err != nil {
			t.Fatal(err)
		}
		secrets["own password"] = "own-password-of-c"
		path, _, err := p.IssueLink(ctx, p.a, c.Student.ID)
		if err != nil {
			t.Fatal(err)
		}
		secrets["issued link"] = strings.TrimPrefix(path, "/access/")
		if path, _, err = p.ResetStaff(ctx, p.admin, "b@example.com"); err != nil {
			t.Fatal(err)
		}
		secrets["link of staff"] = strings.TrimPrefix(path, "/access/")
		if _, err := p.LogIn(ctx, school.Visitor{Address: "192.0.2.77"}, "a1@example.com", "wrong-password-of-a"); !errors.Is(err, school.ErrWrongCredentials) {
			t.Fatal(err)
		}
		secrets["wrong password"], secrets["network address"] = "wrong-password-of-a", "192.0.2.77"
		rows := target.Dump(t)
		look := func(where, text string) {
			for what, secret := range secrets {
				if len(secret) < 10 {
					t.Fatalf("%s is no secret: %q", what, secret)
				}
				if strings.Contains(text, secret) {
					t.Errorf("%s holds the %s", where, what)
				}
			}
		}
		for table, lines := range rows {
			look(table, strings.Join(lines, "\n"))
		}
		if !strings.Contains(strings.Join(rows["users"], "\n"), "a1@example.com") {
			t.Error("the search finds nothing at all")
		}
		if target.Engine == "postgres" {
			return
		}
		for _, file := range []string{target.Options.File, target.Options.File + "-wal"} {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			look(file, string(content))
		}
	})
}

// TestAnotherManagersStudentCannotBeTouched by any verb, and is answered like one
// who is not there.
func TestAnotherManagersStudentCannotBeTouched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		ctx := context.Background()
		theirs := p.student(t, p.a, "s1@example.com").Student.ID
		gone := p.student(t, p.a, "s2@example.com").Student.ID
		if _, err := p.DeleteStudent(ctx, p.a, gone); err != nil {
			t.Fatal(err)
		}
		before := target.DumpWithoutRefusals(t)
		nobody := school.NewUserID()
		student := school.Actor{ID: theirs, Role: school.RoleStudent}
		for _, id := range []school.UserID{theirs, gone, nobody} {
			for name, verb := range map[string]func(by school.Actor) error{
				"card":    func(by school.Actor) error { _, err := p.Student(ctx, by, id); return err },
				"edit":    func(by school.Actor) error { return p.EditStudent(ctx, by, id, "X", "x@example.com", false) },
				"block":   func(by school.Actor) error { return p.BlockStudent(ctx, by, id) },
				"unblock": func(by school.Actor) error { return p.UnblockStudent(ctx, by, id) },
				"delete":  func(by school.Actor) error { _, err := p.DeleteStudent(ctx, by, id); return err },
				"restore": func(by school.Actor) error { return p.RestoreStudent(ctx, by, id, "") },
				"link":    func(by school.Actor) error { _, _, err := p.IssueLink(ctx, by, id); return err },
				"grant":   func(by school.Actor) error { return p.GrantModule(ctx, by, id, 18, "a reason") },
			} {
				if err := verb(p.b); !errors.Is(err, school.ErrNotFound) {
					t.Errorf("%s: %v", name, err)
				}
				if err := verb(student); !errors.Is(err, school.ErrForbidden) {
					t.Errorf("%s by a student: %v", name, err)
				}
				if err := verb(school.Actor{}); !errors.Is(err, school.ErrNotLoggedIn) {
					t.Errorf("%s by nobody: %v", name, err)
				}
			}
		}
		list, err := p.Students(ctx, p.b, school.StudentFilter{Query: "student"})
		trash, errTrash := p.Trash(ctx, p.b, school.Page{})
		lines, errLines := p.Activity(ctx, p.b, 100)
		if err := errors.Join(err, errTrash, errLines); err != nil || len(list.Students)+list.Total+len(trash.Students)+trash.Total+len(lines) != 0 {
			t.Errorf("%+v, %+v, %+v, %v", list, trash, lines, err)
		}
		if *list.Counts != (school.StudentCounts{}) {
			t.Errorf("counted %+v", list.Counts)
		}
		if diff := cmp.Diff(before, target.DumpWithoutRefusals(t)); diff != "" {
			t.Errorf("written:\n%s", diff)
		}
	})
}
