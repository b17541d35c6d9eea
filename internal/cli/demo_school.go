package cli

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/seed"
)

// demoPerson is a member of the demo's staff.
type demoPerson struct {
	name, email string
	share       int // of the sales, in percent
}

var (
	demoAdmin    = demoPerson{name: "Айгүл Сәрсенова", email: "admin@example.com"}
	demoManagers = []demoPerson{
		{"Вера Ким", "vera@example.com", 34},
		{"Борис Нуртаев", "boris@example.com", 41},
		{"Дана Оспанова", "dana@example.com", 17},
		{"Глеб Ли", "gleb@example.com", 8},
	}
)

const (
	demoStudentEmail = "student@example.com"
	demoStudentName  = "Әлия Нұрланқызы"
	demoDays         = 150 // how far back the sales go
	homeworkLesson   = 1   // the one with homework, counted from 0
)

// demoSchool makes a past through the verbs that make the present: nothing here
// writes a row by itself.
type demoSchool struct {
	desk     *desk.Desk
	clock    *demoClock
	today    time.Time
	random   *rand.Rand
	managers []school.Actor
	lessons  []school.LessonID
	events   []demoEvent
}

// demoEvent is something that happened at a time.
type demoEvent struct {
	at time.Time
	do func(ctx context.Context) error
}

func (s *demoSchool) make(ctx context.Context, students int) error {
	s.random = rand.New(rand.NewPCG(16, 67)) //nolint:gosec // a believable past, not a secret
	s.clock.set(s.today.AddDate(0, 0, -demoDays-1))
	if err := s.desk.PrepareSchool(ctx); err != nil {
		return err
	}
	admin, err := s.hire(ctx, demoAdmin, school.RoleAdmin)
	if err != nil {
		return err
	}
	for _, m := range demoManagers {
		a, err := s.hire(ctx, m, school.RoleSales)
		if err != nil {
			return err
		}
		s.managers = append(s.managers, a)
	}
	course, err := s.desk.CourseOnSale(ctx, admin)
	if err != nil {
		return err
	}
	for _, m := range course.Modules {
		for _, l := range m.Lessons {
			s.lessons = append(s.lessons, l.ID)
		}
	}
	if err := s.furnish(ctx, admin, course); err != nil {
		return err
	}
	s.plan(students)
	return s.live(ctx)
}

func (s *demoSchool) hire(ctx context.Context, p demoPerson, role school.Role) (school.Actor, error) {
	a, err := s.desk.AddStaff(ctx, school.Terminal(), school.NewStaff{FullName: p.name, Email: p.email, Role: string(role), Password: demoPassword})
	return school.Actor{ID: a.ID, Role: a.Role, Name: a.FullName, Email: a.Email, Door: school.DoorPanel}, err
}

// plan decides who comes when, and what becomes of them.
func (s *demoSchool) plan(students int) {
	s.planNamed(demoStudentName, demoStudentEmail, s.today.Add(-75*time.Hour), s.managers[0], 1)
	for i := range students - 1 {
		name := seed.Name(s.random)
		email := fmt.Sprintf("%s%d@example.com", seed.Latin(name), i+1)
		s.planNamed(name, email, s.moment(i), s.manager(), -1)
	}
	slices.SortStableFunc(s.events, func(a, b demoEvent) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
}

// moment is within working hours, more often lately than long ago.
func (s *demoSchool) moment(i int) time.Time {
	if i < 3 {
		return s.today.Add(-time.Duration(i*47+12) * time.Minute)
	}
	back := int(float64(demoDays) * s.random.Float64() * s.random.Float64())
	day := s.today.AddDate(0, 0, -back-1)
	return time.Date(day.Year(), day.Month(), day.Day(), 4+s.random.IntN(10), s.random.IntN(60), s.random.IntN(60), 0, time.UTC)
}

func (s *demoSchool) manager() school.Actor {
	n := s.random.IntN(100)
	for i, m := range demoManagers {
		if n -= m.share; n < 0 {
			return s.managers[i]
		}
	}
	return s.managers[0]
}

// planNamed plans one student; done is how many lessons they complete, -1 for
// chance.
func (s *demoSchool) planNamed(name, email string, at time.Time, by school.Actor, done int) {
	student := &school.Actor{Role: school.RoleStudent, Name: name, Door: school.DoorPanel}
	s.events = append(s.events, demoEvent{at, func(ctx context.Context) error {
		form := school.NewStudentForm{FullName: name, Email: email, Access: string(school.AccessLink), Language: s.language()}
		if email == demoStudentEmail {
			form.Access, form.Password = string(school.AccessPassword), school.NewPassword()
		}
		created, err := s.desk.CreateStudent(ctx, by, form)
		student.ID = created.Student.ID
		if err == nil && form.Password != "" {
			err = s.ownPassword(ctx, *student, form)
		}
		return err
	}})
	if done < 0 {
		done = max(0, s.random.IntN(5)-1)
	}
	for i := range min(done, len(s.lessons)) {
		at = at.Add(time.Duration(20+s.random.IntN(70)) * time.Hour)
		s.later(at, func(ctx context.Context) error { return s.study(ctx, *student, s.lessons[i]) })
		if i == homeworkLesson {
			s.later(at.Add(time.Hour), func(ctx context.Context) error { return s.handIn(ctx, *student, s.lessons[i]) })
			s.later(at.Add(80*time.Hour), func(ctx context.Context) error { return s.review(ctx, by) })
		}
	}
	switch chance := s.random.IntN(40); {
	case email == demoStudentEmail:
	case chance == 0:
		s.later(at.Add(30*time.Hour), func(ctx context.Context) error { return s.desk.BlockStudent(ctx, by, student.ID) })
	case chance == 1:
		s.later(at.Add(26*time.Hour), func(ctx context.Context) error {
			_, err := s.desk.DeleteStudent(ctx, by, student.ID)
			return err
		})
	}
}

// later plans what happens only if its time has come.
func (s *demoSchool) later(at time.Time, do func(context.Context) error) {
	if at.Before(s.today) {
		s.events = append(s.events, demoEvent{at, do})
	}
}

// ownPassword logs the demo's student in once and gives them the demo's
// password.
func (s *demoSchool) ownPassword(ctx context.Context, student school.Actor, f school.NewStudentForm) error {
	a, err := s.desk.LogIn(ctx, school.Visitor{Address: "demo"}, f.Email, f.Password)
	if err != nil {
		return err
	}
	student.MustChangePassword = a.MustChange
	return s.desk.SetOwnPassword(ctx, student, demoPassword)
}

func (s *demoSchool) language() string {
	return []string{"ru", "ru", "ru", "kk", "kk", "en"}[s.random.IntN(6)]
}

// live lets the past happen, in order, and returns to the present.
func (s *demoSchool) live(ctx context.Context) error {
	for _, e := range s.events {
		s.clock.set(e.at)
		if err := e.do(ctx); err != nil {
			return err
		}
	}
	s.clock.release()
	return nil
}
