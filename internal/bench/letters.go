package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/mail"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/secret"
	"tripwire/internal/store"
	"tripwire/internal/worker"
)

const (
	// fewLetters and manyLetters wait in the outbox while letters leave.
	fewLetters, manyLetters = 20_000, 1_000_000
	// handedOver is how many creations are followed to the mail server.
	handedOver = 200
	// sideBySide is how many connections the floor uses, as the worker does.
	sideBySide = 4
	// atRest is how long an idle worker is watched.
	atRest = 20 * time.Second
)

// letterTasks measure the outbox against a mail server in this process, which takes
// everything at once.
func (b *bench) letterTasks() []task {
	tasks := []task{{"letters/floor", b.lettersFloor}}
	for _, engine := range engines {
		tasks = append(tasks,
			task{"letters/" + engine + "/rate", func(ctx context.Context, name string) error { return b.letterRate(ctx, name, engine, fewLetters) }},
			task{"letters/" + engine + "/waiting", func(ctx context.Context, name string) error { return b.letterRate(ctx, name, engine, manyLetters) }},
			task{"letters/" + engine + "/delay", func(ctx context.Context, name string) error { return b.letterDelay(ctx, name, engine) }},
			task{"letters/" + engine + "/idle", func(ctx context.Context, name string) error { return b.idleWorker(ctx, name, engine) }})
	}
	return tasks
}

// sink is a mail server that counts letters and notes when each came.
type sink struct {
	mail.Server
	taken atomic.Int64

	mu   sync.Mutex
	came map[string]time.Time
	stop func() error
}

func openSink(ctx context.Context) (*sink, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &sink{came: map[string]time.Time{}, Server: mail.Server{Host: host, Security: mail.Plain}}
	if s.Port, err = strconv.Atoi(port); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &taking{sink: s}, nil }))
	server.Domain = "sink.test"
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // it ends when it is closed
	s.stop = func() error {
		err := server.Close()
		serving.Wait()
		return err
	}
	return s, nil
}

// taking is one connection to the sink.
type taking struct {
	*sink
	to string
}

// Mail is go-smtp's.
func (t *taking) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt is go-smtp's.
func (t *taking) Rcpt(to string, _ *smtp.RcptOptions) error {
	t.to = to
	return nil
}

// Data is go-smtp's.
func (t *taking) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	t.taken.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.came[t.to] = time.Now()
	return nil
}

// Reset is go-smtp's.
func (t *taking) Reset() {}

// Logout is go-smtp's.
func (t *taking) Logout() error { return nil }

// lettersFloor hands the same kind of letter over as fast as SMTP goes, without an
// outbox.
func (b *bench) lettersFloor(ctx context.Context, name string) error {
	s, err := openSink(ctx)
	if err != nil {
		return err
	}
	m := mail.Message{
		From: mail.Address{Name: "School", Email: "school@example.com"}, To: mail.Address{Name: "Student", Email: "student@example.com"},
		Subject: "Your course is open", Text: "Come in", HTML: "<p>" + string(bytes.Repeat([]byte("Come in. "), 500)), Language: "en", At: time.Now(),
	}
	acts := make([]act, sideBySide)
	for i := range acts {
		sender := mail.NewSender(s.Server, mail.Options{})
		defer sender.Close()
		n := 0
		acts[i] = func(ctx context.Context) error {
			n++
			m := m
			m.ID = fmt.Sprintf("<%d.%d@example.com>", i, n)
			return sender.Send(ctx, m)
		}
	}
	p, err := load(ctx, acts, b.each)
	if err == nil {
		b.add(name, p)
	}
	return errors.Join(err, s.stop())
}

// office is a school whose letters leave into a sink.
type office struct {
	*sink
	store *store.Store
	desk  *desk.Desk
}

// withOffice runs fn in a founded school, with its worker not yet at work.
func (b *bench) withOffice(ctx context.Context, engine string, students int, fn func(*office, database) error) error {
	d, err := b.school(ctx, engine, students, unstudied)
	if err != nil {
		return err
	}
	db, err := d.raw()
	if err == nil {
		_, err = db.ExecContext(ctx, "UPDATE mail_settings SET domain_per_minute = 0")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return errors.Join(err, d.drop())
	}
	s, err := openSink(ctx)
	if err != nil {
		return errors.Join(err, d.drop())
	}
	at := &office{sink: s}
	if at.store, err = store.Open(ctx, d.Options); err == nil {
		at.desk = desk.New(at.store, desk.Options{
			Hasher: password.NewHasher(password.DefaultMemoryMiB), Files: files.NewFolder(b.dir, 0), Key: secret.New(),
			Mail: &desk.FixedMail{Server: s.Server, From: mail.Address{Name: "School", Email: "school@example.com"}},
		})
		err = errors.Join(fn(at, d), at.store.Close())
	}
	return errors.Join(err, s.stop(), d.drop())
}

// work runs the worker while fn does.
func (o *office) work(ctx context.Context, fn func() error) error {
	working, stop := context.WithCancel(ctx)
	var back sync.WaitGroup
	back.Go(func() {
		worker.Run(working, o.desk, worker.Options{Log: slog.New(slog.DiscardHandler), BaseURL: "https://school.example"})
	})
	err := fn()
	stop()
	back.Wait()
	return err
}

// letterRate measures how fast letters leave while so many wait, and the most
// memory of the process meanwhile.
func (b *bench) letterRate(ctx context.Context, name, engine string, waiting int) error {
	const students = 1000
	return b.withOffice(ctx, engine, students, func(at *office, d database) error {
		db, err := d.raw()
		if err != nil {
			return err
		}
		// Of fifty domains, as two letters at most are under way to one.
		_, err = db.ExecContext(ctx, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO letters (user_id, kind, email, domain, queued_at, due_at)
			SELECT u.id, 'welcome', 'letter' || n.i || '@d' || (n.i % 50) || '.example.com', 'd' || (n.i % 50) || '.example.com', $2, $2
			FROM n CROSS JOIN (SELECT id FROM users WHERE role = 'student' AND deleted_at IS NULL AND id IN (SELECT user_id FROM tripwire_users WHERE blocked_at IS NULL)) u`,
			waiting/students+1, moment(d, time.Now()))
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		if err := at.store.Analyze(ctx); err != nil {
			return err
		}
		if err := forgetPeak(); err != nil {
			return err
		}
		return at.work(ctx, func() error {
			start, before := time.Now(), at.taken.Load()
			select {
			case <-time.After(2 * b.each):
			case <-ctx.Done():
				return ctx.Err()
			}
			rate := float64(at.taken.Load()-before) / time.Since(start).Seconds()
			peak, err := statusLine("self", "VmHWM")
			b.add(name, point{Rate: rate, Bytes: peak})
			return err
		})
	})
}

// moment is a time as a statement of the driver alone takes it.
func moment(d database, t time.Time) any {
	if d.engine == postgres {
		return t.UTC()
	}
	return t.UTC().Format("2006-01-02 15:04:05.000")
}

// letterDelay measures how long it takes from the answer to a creation until the
// mail server has the letter.
func (b *bench) letterDelay(ctx context.Context, name, engine string) error {
	return b.withOffice(ctx, engine, 0, func(at *office, _ database) error {
		return at.work(ctx, func() error {
			var took []time.Duration
			for i := range handedOver {
				email := fmt.Sprintf("delay%d@d%d.example.com", i, i)
				form := school.NewStudentForm{FullName: "Новый Студент", Email: email, Access: string(school.AccessLink)}
				if _, err := at.desk.CreateStudent(ctx, school.Terminal(), form); err != nil {
					return err
				}
				created := time.Now()
				came, err := at.wait(ctx, email)
				if err != nil {
					return err
				}
				took = append(took, max(came.Sub(created), 0))
			}
			slices.Sort(took)
			b.add(name, point{P50: took[len(took)/2], P99: took[len(took)*99/100]})
			return nil
		})
	})
}

// wait answers when the letter to an address came.
func (s *sink) wait(ctx context.Context, email string) (time.Time, error) {
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		s.mu.Lock()
		came, ok := s.came[email]
		s.mu.Unlock()
		if ok {
			return came, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return came, ctx.Err()
		}
	}
}

// idleWorker measures what a worker costs that has nothing to do.
func (b *bench) idleWorker(ctx context.Context, name, engine string) error {
	return b.withOffice(ctx, engine, 0, func(at *office, _ database) error {
		return at.work(ctx, func() error {
			select { // what a start does first is not what rest costs
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
			before, start := cpu(), time.Now()
			select {
			case <-time.After(atRest):
			case <-ctx.Done():
				return ctx.Err()
			}
			b.add(name, point{Cores: float64(cpu()-before) / float64(time.Since(start))})
			return nil
		})
	})
}

// cpu is what this process has spent of all cores.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// letters are the tables about the outbox.
func (r *report) letters() {
	floor := r.sheet.median("letters/floor")
	var rows [][]string
	if floor.Rate > 0 {
		rows = append(rows, []string{"SMTP alone, 4 connections", perSecond(floor.Rate), "1.00 ×", ""})
	}
	for _, engine := range engines {
		for _, w := range []struct {
			part string
			n    int
		}{{"rate", fewLetters}, {"waiting", manyLetters}} {
			if p := r.sheet.median("letters/" + engine + "/" + w.part); p.Rate > 0 && floor.Rate > 0 {
				rows = append(rows, []string{engineNames[engine] + ", " + thousands(w.n) + " letters waiting", perSecond(p.Rate), fmt.Sprintf("%.2f ×", p.Rate/floor.Rate), inMB(p.Bytes)})
			}
		}
	}
	r.table("Letters through a local mail server", "what | letters a second | of SMTP alone | most memory, MB", rows)
	rows = nil
	for _, engine := range engines {
		if p := r.sheet.median("letters/" + engine + "/delay"); p.P50 > 0 {
			idle := r.sheet.median("letters/" + engine + "/idle")
			rows = append(rows, []string{engineNames[engine], inMS(p.P50), inMS(p.P99), fmt.Sprintf("%.3f %%", 100*idle.Cores)})
		}
	}
	r.table("From the commit of a creation to the mail server", "engine | p50, ms | p99, ms | idle worker, of a core", rows)
}
