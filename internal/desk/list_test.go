package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// standing is where a student stands in an order: two are in the right order when
// these are. The order by manager has the newest first within each, whichever way
// the managers go.
func standing(by school.Sort, managers []school.UserID, s school.Student) string {
	added := s.GrantedAt.UnixMilli()
	at := fmt.Sprintf("%020d", added)
	switch by.By {
	case school.SortName:
		return school.Fold(s.FullName)
	case school.SortStatus:
		return string(s.Status()) + at
	case school.SortModules:
		return fmt.Sprint(s.ModulesDone) + at
	case school.SortLetter:
		return letterOf(s) + at
	case school.SortManager:
		rank := slices.Index(managers, s.GrantedBy)
		if by.Desc {
			rank = len(managers) - rank
		}
		return fmt.Sprintf("%03d %020d", rank, 1<<60-added)
	default:
		return at
	}
}

func letterOf(s school.Student) string {
	switch {
	case s.Letter.ID == 0:
		return "none"
	case s.Letter.State == school.LetterAccepted:
		return "sent"
	default:
		return "waiting"
	}
}

// ordered reports whether the one standing may come before the other.
func ordered(by school.Sort, before, after string) bool {
	if by.Desc && by.By != school.SortManager {
		before, after = after, before
	}
	return before <= after
}

// office is a school in which things happen while somebody reads the list.
type office struct {
	place
	clock    *wanderingClock
	managers []school.UserID // in the order of their names; nobody last
	staff    []school.Actor
	n        int
	deleted  []school.UserID
}

// TestEveryStudentIsMetOnce: whoever walks the list, forwards or backwards, in any
// order and choice, meets everybody once who was there all the time and has not
// moved, in order, although students come, go and change between the pages.
func TestEveryStudentIsMetOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		o := &office{clock: &wanderingClock{at: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}}
		o.place = open(t, target, func(s *store.Options) { s.Now = o.clock.now })
		o.staff = []school.Actor{o.a, o.b, o.admin}
		o.managers = []school.UserID{o.a.ID, o.admin.ID, o.b.ID, ""} // Staff a@…, Staff admin@…, Staff b@…
		raw := target.Raw(t)
		happen := func(t *rapid.T) {
			o.happen(t, func(q string) error { _, err := raw.ExecContext(context.Background(), q); return err })
		}
		for i := range 14 {
			o.add(t, o.staff[i%3], names[i%len(names)])
		}
		tried := 0
		rapid.Check(t, func(t *rapid.T) {
			if tried < propertyTries {
				o.walk(t, happen)
				tried++ // not of one that has failed and is made smaller
			}
		})
	})
}

var names = []string{"Анна Ким", "анна ли", "Әлия Серик", "Bob Stone", "Ёлка Ан", "Zoe Анан"}

func (o *office) add(t interface{ Fatal(args ...any) }, by school.Actor, name string) {
	o.n++
	_, err := o.CreateStudent(context.Background(), by, school.NewStudentForm{FullName: name, Email: fmt.Sprintf("s%d@example.com", o.n), Access: "link"})
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) page(t *rapid.T, by school.Actor, f school.StudentFilter) (l []school.Student, next, before school.Cursor) {
	page, err := o.Students(context.Background(), by, f)
	if err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	return page.Students, page.Next, page.Before
}

func (o *office) walk(t *rapid.T, happen func(*rapid.T)) {
	by := rapid.SampledFrom([]school.Actor{o.admin, o.admin, o.a}).Draw(t, "by")
	f := school.StudentFilter{
		Sort:   school.Sort{By: rapid.SampledFrom(school.SortColumns()).Draw(t, "sort"), Desc: rapid.Bool().Draw(t, "desc")},
		Status: rapid.SampledFrom([]school.Status{"", "", school.StatusActive, school.StatusUndelivered}).Draw(t, "status"),
		// Of fewer than three letters is in no index; the other is rare.
		Query: rapid.SampledFrom([]string{"", "", "ан", "анна"}).Draw(t, "query"),
	}
	all := func() map[school.UserID]string {
		g := f
		g.Size, g.After, g.Before = 1000, school.Cursor{}, school.Cursor{}
		in := map[school.UserID]string{}
		students, next, before := o.page(t, by, g)
		if !next.IsZero() || !before.IsZero() {
			t.Fatal("there is no page beside all of them")
		}
		for _, s := range students {
			in[s.ID] = standing(f.Sort, o.managers, s)
		}
		return in
	}
	stayed := all()
	f.Size = rapid.IntRange(2, 7).Draw(t, "size")
	backwards := rapid.Bool().Draw(t, "backwards")
	if backwards { // the last page is where a walk back begins
		for {
			_, next, _ := o.page(t, by, f)
			if next.IsZero() {
				break
			}
			f.After = next
		}
	}
	met := map[school.UserID]int{}
	last, happened := "", 0
	for {
		students, next, before := o.page(t, by, f)
		if len(students) > f.Size {
			t.Fatalf("a page of %d has %d", f.Size, len(students))
		}
		if backwards {
			slices.Reverse(students)
			next = before
		}
		for _, s := range students {
			met[s.ID]++
			at, stays := stayed[s.ID]
			if !stays {
				continue
			}
			first, second := last, at
			if backwards {
				first, second = at, last
			}
			if last != "" && !ordered(f.Sort, first, second) {
				t.Fatalf("%+v: %q stands beside %q", f, last, at)
			}
			last = at
		}
		if next.IsZero() {
			break
		}
		f.After, f.Before = next, school.Cursor{}
		if backwards {
			f.After, f.Before = school.Cursor{}, next
		}
		if happened < 6 {
			happened++
			gone := slices.Clone(o.deleted)
			happen(t)
			now := all()
			for id, at := range stayed {
				if now[id] != at || slices.Contains(o.deleted, id) != slices.Contains(gone, id) {
					delete(stayed, id)
				}
			}
		}
	}
	for id := range stayed {
		if met[id] != 1 {
			t.Fatalf("%+v by %s, backwards %v: a student who stayed is met %d times", f, by.Name, backwards, met[id])
		}
	}
}

// happen lets one thing happen to somebody.
func (o *office) happen(t *rapid.T, raw func(string) error) {
	ctx := context.Background()
	o.clock.set(o.clock.now().Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "seconds")) * time.Second))
	living, _, _ := o.page(t, o.admin, school.StudentFilter{Size: 1000})
	what := rapid.SampledFrom([]string{"create", "create", "delete", "restore", "block", "unblock", "complete", "complete", "transfer", "rename", "disown", "send", "test"}).Draw(t, "what")
	if what == "create" && len(living) > 22 {
		what = "delete"
	}
	if what == "create" || len(living) < 6 {
		o.add(t, rapid.SampledFrom(o.staff).Draw(t, "creator"), rapid.SampledFrom(names).Draw(t, "name"))
		return
	}
	s := rapid.SampledFrom(living).Draw(t, "student")
	var err error
	switch what {
	case "delete":
		if _, err = o.DeleteStudent(ctx, o.admin, s.ID); err == nil {
			o.deleted = append(o.deleted, s.ID)
		}
	case "restore":
		if n := len(o.deleted); n > 0 {
			err = o.RestoreStudent(ctx, o.admin, o.deleted[n-1], "")
			o.deleted = o.deleted[:n-1]
		}
	case "block":
		err = o.BlockStudent(ctx, o.admin, s.ID)
	case "unblock":
		err = o.UnblockStudent(ctx, o.admin, s.ID)
	case "complete":
		if s.Status() == school.StatusActive {
			err = o.CompleteLesson(ctx, school.Actor{ID: s.ID, Role: school.RoleStudent, Door: school.DoorPanel}, school.LessonID(67+s.ModulesDone))
		}
	case "transfer":
		err = o.TransferStudent(ctx, o.admin, s.ID, rapid.SampledFrom([]school.UserID{o.a.ID, o.b.ID}).Draw(t, "to"), true)
	case "rename":
		err = o.EditStudent(ctx, o.admin, s.ID, rapid.SampledFrom(names).Draw(t, "new name"), string(s.Email), false)
	case "disown":
		err = raw("UPDATE tripwire_users SET granted_by = NULL WHERE user_id = '" + string(s.ID) + "'")
	case "send":
		err = raw("UPDATE letters SET state = 'accepted', due_at = NULL, sent_at = queued_at WHERE user_id = '" + string(s.ID) + "'")
	case "test":
		err = o.MarkTest(ctx, o.admin, s.ID, true)
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// listed answers the names of a list, in its order.
func (p place) listed(t *testing.T, by school.Actor, f school.StudentFilter) (names []string) {
	t.Helper()
	l, err := p.Students(context.Background(), by, f)
	if err != nil {
		t.Fatal(err)
	}
	if l.Total != len(l.Students) || l.Counts == nil || l.Counts.Of(f.Status) != l.Total {
		t.Errorf("%+v: %d are listed, %d counted, the chips say %+v", f, len(l.Students), l.Total, l.Counts)
	}
	for _, s := range l.Students {
		names = append(names, s.FullName)
	}
	return names
}

// TestListIsSortedAsItSays, by each column and turned round.
func TestListIsSortedAsItSays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		clock := &wanderingClock{at: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx, raw := context.Background(), target.Raw(t)
		ids := map[string]school.UserID{}
		for i, s := range []struct {
			name string
			by   school.Actor
		}{{"Ёлкин", p.b}, {"амир", p.a}, {"Әсет", p.admin}, {"Борис", p.a}, {"zed", p.b}} {
			clock.set(clock.now().Add(time.Hour))
			c, err := p.CreateStudent(ctx, s.by, school.NewStudentForm{FullName: s.name, Email: fmt.Sprintf("s%d@example.com", i), Access: "link"})
			if err != nil {
				t.Fatal(err)
			}
			ids[s.name] = c.Student.ID
		}
		pupil := func(name string) school.Actor {
			return school.Actor{ID: ids[name], Role: school.RoleStudent, Door: school.DoorPanel}
		}
		for lesson := school.LessonID(67); lesson <= 69; lesson++ {
			if err := p.CompleteLesson(ctx, pupil("Әсет"), lesson); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.CompleteLesson(ctx, pupil("zed"), 67); err != nil {
			t.Fatal(err)
		}
		if err := p.BlockStudent(ctx, p.admin, ids["амир"]); err != nil {
			t.Fatal(err)
		}
		rawly(t, raw, "UPDATE letters SET state = 'accepted', due_at = NULL, sent_at = queued_at WHERE user_id = '"+string(ids["Ёлкин"])+"'",
			"UPDATE tripwire_users SET granted_by = NULL WHERE user_id = '"+string(ids["zed"])+"'")
		for by, want := range map[school.SortColumn][]string{
			school.SortAdded:   {"Ёлкин", "амир", "Әсет", "Борис", "zed"},
			school.SortName:    {"zed", "амир", "Әсет", "Борис", "Ёлкин"}, // ё as е, ә as а
			school.SortStatus:  {"Ёлкин", "Борис", "zed", "амир", "Әсет"}, // active, blocked, completed
			school.SortModules: {"Ёлкин", "амир", "Борис", "zed", "Әсет"},
			school.SortLetter:  {"Ёлкин", "амир", "Әсет", "Борис", "zed"}, // sent, waiting
		} {
			if got := p.listed(t, p.admin, school.StudentFilter{Sort: school.Sort{By: by}}); !slices.Equal(got, want) {
				t.Errorf("by %s: %q, want %q", by, got, want)
			}
			slices.Reverse(want)
			if got := p.listed(t, p.admin, school.StudentFilter{Sort: school.Sort{By: by, Desc: true}}); !slices.Equal(got, want) {
				t.Errorf("by %s, turned round: %q, want %q", by, got, want)
			}
		}
		// By the name of the manager, and within each the newest first.
		if got, want := p.listed(t, p.admin, school.StudentFilter{Sort: school.Sort{By: school.SortManager}}), []string{"Борис", "амир", "Әсет", "Ёлкин", "zed"}; !slices.Equal(got, want) {
			t.Errorf("by manager: %q", got)
		}
		if got, want := p.listed(t, p.admin, school.StudentFilter{Sort: school.Sort{By: school.SortManager, Desc: true}}), []string{"zed", "Ёлкин", "Әсет", "Борис", "амир"}; !slices.Equal(got, want) {
			t.Errorf("by manager, turned round: %q", got)
		}
		if got, want := p.listed(t, p.a, school.StudentFilter{Sort: school.Sort{By: school.SortManager}}), []string{"Борис", "амир"}; !slices.Equal(got, want) {
			t.Errorf("a manager's own: %q", got)
		}
		if got, want := p.listed(t, p.admin, school.StudentFilter{}), []string{"zed", "Борис", "Әсет", "амир", "Ёлкин"}; !slices.Equal(got, want) {
			t.Errorf("as nobody has sorted it: %q", got)
		}
	})
}

// TestChipsChooseWhomTheySay: who has got no letter, has never logged in, is stuck,
// is a test account.
func TestChipsChooseWhomTheySay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		almaty, err := time.LoadLocation("Asia/Almaty")
		if err != nil {
			t.Fatal(err)
		}
		clock := &wanderingClock{at: time.Date(2026, 11, 1, 23, 59, 59, 0, almaty)}
		p := open(t, target, func(o *store.Options) { o.Now = clock.now })
		ctx := context.Background()
		add := func(name string) school.UserID {
			c, err := p.CreateStudent(ctx, p.a, school.NewStudentForm{FullName: name, Email: name + "@example.com", Password: "my own words"})
			if err != nil {
				t.Fatal(err)
			}
			return c.Student.ID
		}
		early := add("early")
		clock.set(time.Date(2026, 11, 2, 0, 0, 0, 0, almaty)) // a second later, and a day
		add("late")
		tester := add("tester")
		if err := p.MarkTest(ctx, p.admin, tester, true); err != nil {
			t.Fatal(err)
		}
		wanted := func(when string, want map[school.Status][]string) {
			t.Helper()
			for status, names := range want {
				for _, by := range []school.Actor{p.a, p.admin} {
					got := p.listed(t, by, school.StudentFilter{Status: status, Sort: school.Sort{By: school.SortName}})
					if !slices.Equal(got, names) {
						t.Errorf("%s, by %s: %q lists %q, want %q", when, by.Name, status, got, names)
					}
				}
				if got := p.listed(t, p.b, school.StudentFilter{Status: status}); got != nil {
					t.Errorf("%s: the other manager sees %q", when, got)
				}
			}
		}
		both := []string{"early", "late"}
		wanted("at first", map[school.Status][]string{
			"": both, school.StatusActive: both, school.StatusTest: {"tester"}, school.StatusUndelivered: both, school.StatusNewcomer: both, school.StatusStuck: nil,
		})
		rawly(t, target.Raw(t), "UPDATE letters SET state = 'accepted', due_at = NULL, sent_at = queued_at WHERE user_id = '"+string(early)+"'")
		if _, err := p.LogIn(ctx, school.Visitor{Address: "192.0.2.1"}, "late@example.com", "my own words"); err != nil {
			t.Fatal(err)
		}
		clock.set(time.Date(2026, 11, 7, 23, 59, 59, 999_000_000, almaty))
		wanted("before a week", map[school.Status][]string{school.StatusUndelivered: {"late"}, school.StatusNewcomer: {"early"}, school.StatusStuck: nil})
		clock.set(time.Date(2026, 11, 8, 0, 0, 0, 0, almaty)) // 02:00 in Berlin, still the 7th in London
		wanted("a week after the first", map[school.Status][]string{school.StatusStuck: {"early"}})
		clock.set(time.Date(2026, 11, 9, 0, 0, 0, 0, almaty))
		wanted("a week after both", map[school.Status][]string{school.StatusStuck: both})
		if err := p.CompleteLesson(ctx, school.Actor{ID: early, Role: school.RoleStudent, Door: school.DoorPanel}, 67); err != nil {
			t.Fatal(err)
		}
		wanted("after a step", map[school.Status][]string{school.StatusStuck: {"late"}, school.StatusTest: {"tester"}, school.StatusActive: both})
		clock.set(time.Date(2026, 11, 16, 0, 0, 0, 0, almaty))
		if err := p.BlockStudent(ctx, p.a, early); err != nil {
			t.Fatal(err)
		}
		wanted("a week later", map[school.Status][]string{school.StatusStuck: {"late"}, school.StatusBlocked: {"early"}, "": both, school.StatusDeleted: nil})
	})
}

// TestAnAddressInAnotherScriptIsFound in either form of its domain, and is one account
// in either case.
func TestAnAddressInAnotherScriptIsFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		p := open(t, target)
		want := p.student(t, p.a, "student@пример.рф").Student
		if want.Email != "student@xn--e1afmkfd.xn--p1ai" || want.Email.Written() != "student@пример.рф" {
			t.Fatalf("kept as %s, written %s", want.Email, want.Email.Written())
		}
		p.student(t, p.a, "student@example.com")
		for _, query := range []string{"пример.рф", "ПРИМЕР", "student@пример", "xn--e1afmkfd"} {
			l, err := p.Students(context.Background(), p.a, school.StudentFilter{Query: query})
			if err != nil || len(l.Students) != 1 || l.Students[0].ID != want.ID {
				t.Errorf("%q finds %d, %v", query, len(l.Students), err)
			}
		}
		other := p.student(t, p.a, "Иван@Почта.рф").Student
		if other.Email.Written() != "иван@почта.рф" {
			t.Fatalf("kept as %s", other.Email)
		}
		for _, query := range []string{"иван", "ИВАН@почта", "иван@почта.рф"} {
			l, err := p.Students(context.Background(), p.a, school.StudentFilter{Query: query})
			if err != nil || len(l.Students) != 1 || l.Students[0].ID != other.ID {
				t.Errorf("%q finds %d, %v", query, len(l.Students), err)
			}
		}
		if _, err := p.CreateStudent(context.Background(), p.b, school.NewStudentForm{FullName: "Иван", Email: "иван@XN--80A1ACNY.xn--p1ai", Access: "link"}); !errors.Is(err, school.ErrStudentExists) {
			t.Errorf("a second one: %v", err)
		}
	})
}
