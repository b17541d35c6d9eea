package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
	"tripwire/internal/worker"
)

// notices is a log that tells of each line as it is written.
type notices chan string

func (n notices) Write(p []byte) (int, error) {
	n <- string(p)
	return len(p), nil
}

// TestTheSweepTakesWhatIsOldOnly: what still opens a door, or still slows a
// guesser down, stays.
func TestTheSweepTakesWhatIsOldOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var at atomic.Pointer[time.Time]
		start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
		at.Store(&start)
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return *at.Load() } })
		d := desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
		ctx := t.Context()
		if err := d.PrepareSchool(ctx); err != nil {
			t.Fatal(err)
		}
		a, err := d.AddStaff(ctx, school.Terminal(), school.NewStaff{FullName: "A", Email: "a@example.com", Role: "sales", Password: "correct horse"})
		if err != nil {
			t.Fatal(err)
		}
		actor := school.Actor{ID: a.ID, Role: a.Role, Door: school.DoorPanel}
		// Three moments: long past, just inside the limits, and now.
		for name, moment := range map[string]time.Time{
			"old":   start,
			"young": start.Add(4 * 24 * time.Hour),
			"new":   start.Add(5*24*time.Hour - time.Second),
		} {
			at.Store(&moment)
			session := school.Session{TokenHash: name, UserID: a.ID, Device: name, ExpiresAt: moment.Add(720 * time.Hour)}
			if err := d.KeepSession(ctx, session, []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			if _, err := d.LogIn(ctx, school.Visitor{Address: "192.0.2." + name}, name+"@example.com", "wrong password"); !errors.Is(err, school.ErrWrongCredentials) {
				t.Fatal(err)
			}
			if _, err := d.CreateStudent(ctx, actor, school.NewStudentForm{FullName: name, Email: name + "@example.com", Access: "link", Key: school.NewToken()}); err != nil {
				t.Fatal(err)
			}
		}
		now := start.Add(5 * 24 * time.Hour)
		at.Store(&now)

		log := make(notices, 10)
		working, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			worker.Run(working, d, worker.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
			close(ended)
		}()
		if line := <-log; !strings.Contains(line, "rows=5") { // a session, a link, two counters, a form key
			t.Errorf("logged %s", line)
		}
		stop()
		<-ended

		db := target.Raw(t)
		for query, want := range map[string]int{
			"SELECT count(*) FROM sessions":                            2,
			"SELECT count(*) FROM sessions WHERE token_hash = 'old'":   0,
			"SELECT count(*) FROM login_failures":                      4,
			"SELECT count(*) FROM form_keys":                           2,
			"SELECT count(*) FROM tripwire_users":                      3,
			"SELECT count(*) FROM access_links":                        2,
			"SELECT count(*) FROM activity WHERE action <> 'x'":        3 + 2, // the course and the manager before them
			"SELECT count(*) FROM letters WHERE sent_at IS NULL":       3,
			"SELECT count(*) FROM module_unlocks":                      3,
			"SELECT count(*) FROM sessions WHERE token_hash = 'young'": 1,
		} {
			var n int
			if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d, want %d, %v", query, n, want, err)
			}
		}
	})
}

// TestTheWorkerStopsWhenTold and not before: a failure does not end it, and the
// end is no failure.
func TestTheWorkerStopsWhenTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		s := target.Open(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		log := make(notices, 10)
		working, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			worker.Run(working, desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)}), worker.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
			close(ended)
		}()
		for told := false; !told; {
			line := <-log
			if told = strings.Contains(line, "sweep"); !strings.Contains(line, "level=ERROR") {
				t.Errorf("logged %s", line)
			}
		}
		select {
		case <-ended:
			t.Error("one failure has ended the worker")
		default:
		}
		stop()
		<-ended
		for len(log) > 0 { // of the failures before it, and of nothing else
			if line := <-log; !strings.Contains(line, "closed") {
				t.Errorf("a stop is logged: %s", line)
			}
		}
	})
}

// TestAStopKeepsWhatPlayersHaveTold: what waited in memory is in the rows when
// the worker has ended.
func TestAStopKeepsWhatPlayersHaveTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		var at atomic.Pointer[time.Time]
		start := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
		at.Store(&start)
		s := target.Open(t, func(o *store.Options) { o.Now = func() time.Time { return *at.Load() } })
		d := desk.New(s, desk.Options{Hasher: password.NewWeakHasher(), Files: files.NewFolder(t.TempDir(), 0)})
		ctx := t.Context()
		if err := d.PrepareSchool(ctx); err != nil {
			t.Fatal(err)
		}
		created, err := d.CreateStudent(ctx, school.Terminal(), school.NewStudentForm{FullName: "Test Student", Email: "test123@example.com", Access: "link"})
		if err == nil {
			err = d.EditLesson(ctx, school.Terminal(), 67, school.LessonForm{Title: "x", Minutes: "1", VideoSource: "mp4", VideoAddress: "https://cdn.example.com/a.mp4", VideoSeconds: "60"})
		}
		if err != nil {
			t.Fatal(err)
		}
		me := school.Actor{ID: created.Student.ID, Role: school.RoleStudent, Door: school.DoorPanel}
		if _, err := d.MyLesson(ctx, me, 67); err != nil {
			t.Fatal(err)
		}
		for _, seconds := range []float64{20, 25} {
			now := start.Add(time.Duration(seconds) * time.Second)
			at.Store(&now)
			if _, err := d.ReportProgress(ctx, me, 67, school.PlayReport{Ranges: [][2]float64{{0, seconds}}}); err != nil {
				t.Fatal(err)
			}
		}
		var played string
		look := func() string {
			if err := target.Raw(t).QueryRowContext(ctx, "SELECT played FROM lesson_plays").Scan(&played); err != nil {
				t.Fatal(err)
			}
			return played
		}
		if look() != "0-20000" {
			t.Fatalf("written at once: %s", played)
		}
		working, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			worker.Run(working, d, worker.Options{Log: slog.New(slog.DiscardHandler)})
			close(ended)
		}()
		stop()
		<-ended
		if look() != "0-25000" {
			t.Errorf("at the stop stood %s", played)
		}
	})
}
