package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/files"
	"tripwire/internal/password"
	"tripwire/internal/school"
	"tripwire/internal/seed"
	"tripwire/internal/server"
	"tripwire/internal/store"
	"tripwire/internal/web"
)

// staffPassword is that of everybody at the desk.
const staffPassword = "correct horse"

const adminEmail = "admin@example.com"

// managersAtWork is how many managers are logged in; the first has a quarter of the
// students.
const managersAtWork = 4

// found makes the school: the default course, an administrator, the managers.
func found(ctx context.Context, o store.Options) error {
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	d := newDesk(s, nil)
	err = d.PrepareSchool(ctx)
	if err == nil {
		_, err = seed.Hire(ctx, d, staffPassword)
	}
	if err == nil {
		_, err = d.AddStaff(ctx, school.Terminal(), school.NewStaff{FullName: "Айгүл Сәрсенова", Email: adminEmail, Role: string(school.RoleAdmin), Password: staffPassword})
	}
	return errors.Join(err, s.Close())
}

// newDesk opens a desk over a store; nil: with a hasher of its own.
func newDesk(s *store.Store, h *password.Hasher) *desk.Desk {
	if h == nil {
		h = password.NewHasher(password.DefaultMemoryMiB)
	}
	return desk.New(s, desk.Options{Hasher: h, Files: files.NewFolder(os.TempDir(), 0)})
}

// place is the panel behind a real server on loopback, in this process, with
// everybody of the staff logged in.
type place struct {
	addr     string
	hasher   *password.Hasher
	sessions []string // the managers'
	admin    string
	close    func() error

	// Where the parts of the desk are measured by themselves.
	store   *store.Store
	desk    *desk.Desk
	handler http.Handler
	boss    school.Actor
	client  *client
	middle  school.Cursor
}

// openPlace opens a founded school. Its log is written in full, to nowhere.
func openPlace(ctx context.Context, o store.Options) (*place, error) {
	s, err := store.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &place{hasher: password.NewHasher(password.DefaultMemoryMiB)}
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	p.store, p.desk, p.boss = s, newDesk(s, p.hasher), school.Terminal()
	stop, err := p.serve(ctx, p.desk, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		return nil, errors.Join(err, s.Close(), log.Close())
	}
	p.close = func() error {
		if p.client != nil {
			p.client.close()
		}
		return errors.Join(stop(), s.Close(), log.Close())
	}
	if err = p.logIn(ctx); err == nil {
		p.client, err = dial(ctx, p.addr)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *place) serve(ctx context.Context, d *desk.Desk, log *slog.Logger) (stop func() error, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.addr = l.Addr().String()
	handler, err := web.New(d, web.Options{BaseURL: "http://" + p.addr, Log: log})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p.handler = handler
	return serve(ctx, l, handler, log), nil
}

// serve answers on l until the returned function is called.
func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l, h, log) }()
	return func() error {
		cancel()
		return <-ended
	}
}

func (p *place) logIn(ctx context.Context) (err error) {
	if p.admin, err = logIn(ctx, p.addr, adminEmail); err != nil {
		return err
	}
	for _, m := range seed.Managers()[:managersAtWork] {
		session, err := logIn(ctx, p.addr, m.Email)
		if err != nil {
			return err
		}
		p.sessions = append(p.sessions, session)
	}
	return nil
}

// session is the cookie of the administrator, or of the manager with the most
// students.
func (p *place) session(admin bool) string {
	if admin {
		return p.admin
	}
	return p.sessions[0]
}

// clients answers so many connections, the managers by turns, and what closes
// them all.
func (p *place) clients(ctx context.Context, n int) (all []*client, closeAll func(), err error) {
	closeAll = func() {
		for _, c := range all {
			c.close()
		}
	}
	for i := range n {
		c, err := dial(ctx, p.addr)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		c.cookie = p.sessions[i%len(p.sessions)]
		all = append(all, c)
	}
	return all, closeAll, nil
}

// newcomers numbers the students that are created through the panel.
var newcomers atomic.Int64

// thisRun keeps the newcomers of a school that is kept apart from those of earlier runs.
var thisRun = time.Now().Format("20060102t150405")

// creating answers acts that create a new student each time. script is the
// panel's own way; without it the whole page is the answer.
func creating(all []*client, access school.Access, script bool) []act {
	acts := make([]act, len(all))
	for i, c := range all {
		acts[i] = func(context.Context) error {
			n := newcomers.Add(1)
			_, err := c.post("/integrator/students", url.Values{
				"full_name": {fmt.Sprintf("Новый Студент %d", n)}, "email": {fmt.Sprintf("newcomer%d@%s.example.com", n, thisRun)},
				"access": {string(access)}, "password": {"first password"}, "language": {"ru"}, "form_key": {school.NewToken()},
			}, script, http.StatusOK)
			return err
		}
	}
	return acts
}
