// Package seed fills a school with as many students as wanted and a believable
// past, to measure with and to look at. It tells the facts; everything that
// follows from them is written by the triggers, as for students who really came.
package seed

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

// MaxStudents is more than any school has, and less than what fills a disk by a
// slip of the finger.
const MaxStudents = 10_000_000

// Manager is somebody who sells.
type Manager struct {
	Name, Email string
	share       int // of a thousand sales
}

// Managers answers the people whose students these are.
func Managers() []Manager { return slices.Clone(managers) }

var managers = []Manager{
	{"Вера Ким", "vera@desk.example.com", 245},
	{"Борис Нуртаев", "boris@desk.example.com", 172},
	{"Дана Оспанова", "dana@desk.example.com", 131},
	{"Глеб Ли", "gleb@desk.example.com", 104},
	{"Айнұр Сейдахмет", "ainur@desk.example.com", 88},
	{"Олег Панченко", "oleg@desk.example.com", 71},
	{"Сәния Төлеген", "saniya@desk.example.com", 58},
	{"Тимофей Цой", "timofey@desk.example.com", 46},
	{"Жанар Әбіш", "zhanar@desk.example.com", 35},
	{"Елизавета Югай", "liza@desk.example.com", 26},
	{"Нұрбол Қасым", "nurbol@desk.example.com", 16},
	{"Римма Шульц", "rimma@desk.example.com", 8},
}

// Hire makes the managers members of the staff with one password. Those who are
// there already stay as they are. It answers how many are new. Errors: Invalid for
// a password that is none.
func Hire(ctx context.Context, d *desk.Desk, password string) (hired int, err error) {
	for _, m := range managers {
		_, err := d.AddStaff(ctx, school.Terminal(), school.NewStaff{FullName: m.Name, Email: m.Email, Role: string(school.RoleSales), Password: password})
		switch {
		case err == nil:
			hired++
		case !errors.Is(err, school.ErrStaffExists):
			return hired, err
		}
	}
	return hired, nil
}

// Options say what is made.
type Options struct {
	Students int
	// Seed chooses the past: the same seed makes the same students of the same
	// school at the same time.
	Seed uint64
	// Unstudied: nobody has begun with the lessons.
	Unstudied bool
	// Progress is told after each batch how many are there; nil: nobody is.
	Progress func(made Made)
}

// Made counts what was made.
type Made struct {
	Students, Completed, Studying, LoggedIn, Blocked, Deleted, Test, Refunds, Lessons int
}

// batch is how many students are written in one transaction. What is interrupted
// leaves whole batches.
const batch = 2000

// Fill adds students to the school. Their managers must have been hired. Errors:
// Conflict no_course; on any error, made says what is there nevertheless.
func Fill(ctx context.Context, s *store.Store, d *desk.Desk, o Options) (made Made, err error) {
	if o.Students < 1 || o.Students > MaxStudents {
		return made, fmt.Errorf("from 1 to %d students can be made", MaxStudents)
	}
	t, err := newTale(ctx, s, d, o)
	if err != nil {
		return made, err
	}
	for made.Students < o.Students {
		if err := ctx.Err(); err != nil {
			return made, err
		}
		all := t.next(min(batch, o.Students-made.Students))
		err := s.Add(ctx, func(tx *store.Tx) error { return tx.InsertPasts(all) }, func(*store.Tx) error { return nil })
		if err != nil {
			return made, err
		}
		made.count(all, len(t.lessons))
		if o.Progress != nil {
			o.Progress(made)
		}
	}
	return made, s.Analyze(ctx)
}

func (m *Made) count(all []store.Past, lessons int) {
	m.Students += len(all)
	for _, p := range all {
		m.Lessons += len(p.Lessons)
		for _, c := range []struct {
			n   *int
			yes bool
		}{
			{&m.Completed, lessons > 0 && len(p.Lessons) == lessons},
			{&m.Studying, len(p.Lessons) > 0 && len(p.Lessons) < lessons},
			{&m.LoggedIn, !p.LoggedInAt.IsZero()},
			{&m.Blocked, !p.BlockedAt.IsZero()},
			{&m.Deleted, !p.DeletedAt.IsZero()},
			{&m.Test, !p.TestAt.IsZero()},
			{&m.Refunds, p.Refund.Minor > 0},
		} {
			if c.yes {
				*c.n++
			}
		}
	}
}
