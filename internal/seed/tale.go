package seed

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"tripwire/internal/desk"
	"tripwire/internal/school"
	"tripwire/internal/store"
)

// years is how far back the sales go.
const years = 3

// tale makes the past up, student after student in the order in which they came:
// so ids, rows and indexes grow as they do in life.
type tale struct {
	random    *rand.Rand
	now       time.Time
	zone      *time.Location
	course    school.Course
	lessons   []school.LessonID
	managers  []seller
	number    int // of the last account, which makes addresses distinct
	added     []time.Time
	unstudied bool
}

type seller struct {
	id    school.UserID
	share int
}

func newTale(ctx context.Context, s *store.Store, d *desk.Desk, o Options) (*tale, error) {
	t := &tale{now: s.Now(), unstudied: o.Unstudied}
	var err error
	if t.course, err = d.CourseOnSale(ctx, school.Terminal()); err != nil {
		return nil, err
	}
	settings, err := d.Settings(ctx)
	if err != nil {
		return nil, err
	}
	t.zone = settings.Location()
	for _, m := range t.course.Modules {
		for _, l := range m.Lessons {
			t.lessons = append(t.lessons, l.ID)
		}
	}
	if err := t.findManagers(ctx, d); err != nil {
		return nil, err
	}
	if err := s.Look(ctx, func(tx *store.Tx) error {
		t.number, err = tx.CountAccounts()
		return err
	}); err != nil {
		return nil, err
	}
	// A second run goes on with other people.
	t.random = rand.New(rand.NewPCG(o.Seed, uint64(t.number))) //nolint:gosec // a believable past, not a secret
	for range o.Students {
		t.added = append(t.added, t.moment())
	}
	slices.SortFunc(t.added, time.Time.Compare)
	return t, nil
}

func (t *tale) findManagers(ctx context.Context, d *desk.Desk) error {
	staff, err := d.Staff(ctx, school.Terminal())
	if err != nil {
		return err
	}
	for _, m := range managers {
		i := slices.IndexFunc(staff, func(a school.Account) bool { return string(a.Email) == m.Email })
		if i < 0 {
			return fmt.Errorf("%s is not hired", m.Email)
		}
		t.managers = append(t.managers, seller{staff[i].ID, m.share})
	}
	return nil
}

// moment is when a sale was made: within the hours in which the school works,
// seldom on a Sunday, more often lately than long ago.
func (t *tale) moment() time.Time {
	for {
		// The larger of two chances: the school has grown steadily from nothing.
		day := t.now.In(t.zone).AddDate(0, 0, -int((1-max(t.random.Float64(), t.random.Float64()))*years*365))
		minute := 9*60 + int((t.random.Float64()+t.random.Float64())/2*11*60)
		at := time.Date(day.Year(), day.Month(), day.Day(), 0, minute, t.random.IntN(60), t.random.IntN(1000)*int(time.Millisecond), t.zone).UTC()
		if at.Before(t.now) && (at.In(t.zone).Weekday() != time.Sunday || t.random.IntN(6) == 0) {
			return at
		}
	}
}

// next tells of the next n students.
func (t *tale) next(n int) []store.Past {
	all := make([]store.Past, n)
	for i := range all {
		all[i] = t.student(t.added[i])
	}
	t.added = t.added[n:]
	return all
}

// chance is true so many times of a thousand.
func (t *tale) chance(of1000 int) bool { return t.random.IntN(1000) < of1000 }

var domains = []string{"example.com", "example.com", "example.com", "example.org", "example.org", "example.net", "post.example"}

func (t *tale) student(at time.Time) store.Past {
	t.number++
	p := store.Past{
		ID: t.id(at), FullName: Name(t.random), CourseID: t.course.ID, Manager: t.manager(), Price: t.price(), AddedAt: at,
		Language: []school.Language{school.Russian, school.Russian, school.Russian, school.Kazakh, school.Kazakh, school.English}[t.random.IntN(6)],
	}
	p.Email = school.Email(fmt.Sprintf("%s.%d@%s", Latin(p.FullName), t.number, domains[t.random.IntN(len(domains))]))
	p.Created = details("email", string(p.Email), "course", t.course.Title, "access", string(school.AccessLink))
	if !t.chance(30) {
		p.LetterAt = t.soon(at, time.Minute)
	}
	t.study(&p)
	if len(p.Lessons) > 0 || t.chance(167) {
		p.LoggedInAt = t.soon(at, 24*time.Hour)
	}
	switch chance := t.random.IntN(1000); {
	case chance < 20:
		p.BlockedAt = t.later(at)
	case chance < 30:
		p.DeletedAt = t.later(at)
	case chance < 35:
		p.TestAt = t.soon(at, time.Hour)
	}
	if t.chance(10) && p.DeletedAt.IsZero() && p.Price.Minor > 0 {
		t.refund(&p)
	}
	return p
}

// study has four in ten not begin, one in four finish, and the others stop
// somewhere between.
func (t *tale) study(p *store.Past) {
	share, done := t.random.IntN(100), len(t.lessons)
	switch {
	case t.unstudied || share >= 70 || done == 0:
		return
	case share >= 25 && done > 1:
		done = 1 + t.random.IntN(done-1)
	}
	took := min(time.Duration((3+t.random.ExpFloat64()*18)*24*float64(time.Hour)), t.now.Sub(p.AddedAt))
	step := took / time.Duration(len(t.lessons)+1)
	at := p.AddedAt
	for _, l := range t.lessons[:done] {
		at = at.Add(step/2 + time.Duration(t.random.Int64N(int64(step/2)+1)))
		p.Lessons = append(p.Lessons, store.Done{Lesson: l, At: at.Truncate(time.Millisecond)})
	}
}

var reasons = []string{
	"Передумал в первые дни", "Оплатили дважды", "Переезд, не сможет учиться", "Ошибка в счёте", "Көңілі қалмады, ақшасын қайтардық", "По договору, в течение 14 дней",
}

func (t *tale) refund(p *store.Past) {
	r := store.Refund{Minor: p.Price.Minor, At: t.soon(p.AddedAt, 14*24*time.Hour), Reason: reasons[t.random.IntN(len(reasons))]}
	if t.chance(400) {
		r.Minor = (r.Minor + 1) / 2
	}
	r.Details = details("amount", school.Money{Minor: r.Minor, Currency: p.Price.Currency}.String(), "reason", r.Reason)
	p.Refund = r
}

func (t *tale) manager() school.UserID {
	n := t.random.IntN(1000)
	for _, m := range t.managers {
		if n -= m.share; n < 0 {
			return m.id
		}
	}
	return t.managers[0].id
}

// price is the course's, but for some who got something off.
func (t *tale) price() school.Money {
	p := t.course.Price
	if t.chance(150) {
		p.Minor = p.Minor * int64(100-5*(1+t.random.IntN(6))) / 100
	}
	return p
}

// soon is within the given time, and not in the future.
func (t *tale) soon(at time.Time, within time.Duration) time.Time {
	within = min(within, t.now.Sub(at))
	return at.Add(time.Duration(t.random.Int64N(int64(within) + 1))).Truncate(time.Millisecond)
}

// later is at any time until now.
func (t *tale) later(at time.Time) time.Time { return t.soon(at, t.now.Sub(at)) }

// id is a UUID of version 7, of the time at which the student came.
func (t *tale) id(at time.Time) school.UserID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|t.random.Uint64()&0xfff) //nolint:gosec // no time of ours is before 1970
	binary.BigEndian.PutUint64(id[8:], 1<<63|t.random.Uint64()>>2)
	return school.UserID(id.String())
}

// details are names and what they say, by turns.
func details(pairs ...string) string {
	all := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		all[pair[0]] = pair[1]
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // texts can always be written
	}
	return string(text)
}
