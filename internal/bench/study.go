package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// lessonsWatched is how many rows of progress each student has.
	lessonsWatched = 10
	// fewStudents is a database that is almost empty.
	fewStudents = 10
	// watching is how many students watch at once.
	watching = 1000
	// beat is how often each of their players reports.
	beat = 15 * time.Second
)

// studyTasks measure the student's side: its pages as the school grows, and what
// it costs that many watch at once.
func (b *bench) studyTasks() (tasks []task) {
	for _, engine := range engines {
		for _, students := range []int{fewStudents, b.students} {
			tasks = append(tasks, task{fmt.Sprintf("study/%s/%d", engine, students), func(ctx context.Context, name string) error {
				return b.studyPages(ctx, name, engine, students)
			}})
		}
		tasks = append(tasks, task{"watch/" + engine, func(ctx context.Context, name string) error { return b.watch(ctx, name, engine) }})
	}
	return tasks
}

// view is a page of the student's side.
type view struct{ name, what, path string }

var studyViews = []view{
	{name: "course", what: "course page", path: "/course/integrator"},
	{name: "lesson", what: "lesson page", path: "/lesson/67"},
}

func (b *bench) studyPages(ctx context.Context, name, engine string, students int) error {
	d, err := b.school(ctx, engine, students, unstudied)
	if err != nil {
		return err
	}
	cookies, err := studious(ctx, d, 1)
	if err == nil {
		err = withPlace(ctx, d, func(at *place) error {
			c, err := dial(ctx, at.addr)
			if err != nil {
				return err
			}
			defer c.close()
			c.cookie = cookies[0]
			for _, v := range studyViews {
				p, err := load(ctx, []act{func(context.Context) error { return c.get(v.path) }}, b.each)
				if err != nil {
					return fmt.Errorf("%s: %w", v.name, err)
				}
				b.add(name+"/"+v.name, p)
			}
			return nil
		})
	}
	return errors.Join(err, d.drop())
}

// studious gives the first module ten lessons with videos, every student rows of
// progress in all of them, and logs some students in. It answers their cookies.
func studious(ctx context.Context, d database, n int) (cookies []string, err error) {
	db, err := d.raw()
	if err != nil {
		return nil, err
	}
	statements := []string{
		`UPDATE lessons SET body = 'What we **do** in this lesson', homework = 'Describe it' WHERE id = 67`,
	}
	for i := 1; i < lessonsWatched; i++ {
		statements = append(statements, fmt.Sprintf("INSERT INTO lessons (id, module_id, position, title, minutes, required) VALUES (%d, 16, %d, 'Another', 10, TRUE)", 1000+i, i+1))
	}
	statements = append(statements,
		`INSERT INTO lesson_videos (lesson_id, source, address, seconds) SELECT id, 'mp4', 'https://cdn.example.com/a.mp4', 86000 FROM lessons WHERE module_id = 16`,
		`INSERT INTO completion_rules (lesson_id, kind, percent) SELECT id, 'video', 80 FROM lessons WHERE module_id = 16`,
		`INSERT INTO lesson_plays (user_id, lesson_id, opened_at, played, position_ms, reported_at)
			SELECT t.user_id, l.id, '2026-01-01 00:00:00.000', '0-60000,90000-240000', 240000, '2026-01-01 00:05:00.000'
			FROM tripwire_users t CROSS JOIN lessons l WHERE l.module_id = 16`,
		"UPDATE tripwire_users SET deleted_at = NULL, blocked_at = NULL WHERE deleted_at IS NULL",
		"ANALYZE",
	)
	for _, s := range statements {
		if err == nil {
			if _, err = db.ExecContext(ctx, s); err != nil {
				err = fmt.Errorf("%.80s: %w", s, err)
			}
		}
	}
	if err == nil {
		cookies, err = enter(ctx, db, n)
	}
	return cookies, errors.Join(err, db.Close())
}

// enter writes sessions as logins would, without hashing passwords.
func enter(ctx context.Context, db *sql.DB, n int) (cookies []string, err error) {
	ids, err := texts(ctx, db, fmt.Sprintf("SELECT user_id FROM tripwire_users WHERE deleted_at IS NULL AND blocked_at IS NULL ORDER BY granted_at LIMIT %d", n))
	if err != nil {
		return nil, err
	}
	now, ends := time.Now().UTC(), time.Now().UTC().Add(24*time.Hour)
	for i, id := range ids {
		token := fmt.Sprintf("student-%06d-%s", i, strings.Repeat("x", 30))
		sum := sha256.Sum256([]byte(token))
		body, err := json.Marshal(map[string]any{"deadline": ends, "values": map[string]string{"user": id}})
		if err != nil {
			return nil, err
		}
		if _, err := db.ExecContext(ctx, `INSERT INTO sessions (token_hash, user_id, device, data, created_at, last_seen_at, expires_at) VALUES ($1, $2, '', $3, $4, $4, $5)`,
			base64.RawURLEncoding.EncodeToString(sum[:]), id, body, now.Format("2006-01-02 15:04:05.000"), ends.Format("2006-01-02 15:04:05.000")); err != nil {
			return nil, err
		}
		if _, err := db.ExecContext(ctx, "UPDATE users SET must_change = FALSE WHERE id = $1", id); err != nil {
			return nil, err
		}
		cookies = append(cookies, "tripwire="+token)
	}
	if len(cookies) < n {
		return nil, fmt.Errorf("only %d students to log in", len(cookies))
	}
	return cookies, nil
}

func texts(ctx context.Context, db *sql.DB, query string) (all []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// watch lets the players of a thousand students report as fast as the machine can
// take it, each fifteen seconds of the school's clock apart, so that every report
// is written. What all cores spend on a report (clients and database server
// included) then says what a thousand cost.
func (b *bench) watch(ctx context.Context, name, engine string) error {
	d, err := b.school(ctx, engine, watching*2, unstudied)
	if err != nil {
		return err
	}
	cookies, err := studious(ctx, d, watching)
	if err == nil {
		var clock atomic.Pointer[time.Time]
		start := time.Now()
		clock.Store(&start)
		d.Now = func() time.Time { return *clock.Load() }
		err = withPlace(ctx, d, func(at *place) error { return b.watchAt(ctx, name, at, cookies, &clock) })
	}
	return errors.Join(err, d.drop())
}

func (b *bench) watchAt(ctx context.Context, name string, at *place, cookies []string, clock *atomic.Pointer[time.Time]) error {
	all, closeAll, err := at.clients(ctx, 16)
	if err != nil {
		return err
	}
	defer closeAll()
	var turn atomic.Int64
	start := *clock.Load()
	acts := make([]act, len(all))
	for i, c := range all {
		acts[i] = func(context.Context) error {
			n := turn.Add(1) - 1
			round := n / int64(len(cookies))
			if n%int64(len(cookies)) == 0 {
				now := start.Add(time.Duration(round) * beat)
				clock.Store(&now)
			}
			c.cookie = cookies[n%int64(len(cookies))]
			return c.report("/lesson/67/progress", float64(round+1)*beat.Seconds())
		}
	}
	if err := b.warm(ctx, acts); err != nil {
		return err
	}
	before, err := busy()
	if err != nil {
		return err
	}
	reported := turn.Load()
	p, err := load(ctx, acts, b.each)
	if err != nil {
		return err
	}
	after, err := busy()
	if err != nil {
		return err
	}
	p.Cores = (after - before).Seconds() / float64(turn.Load()-reported) * watching / beat.Seconds()
	b.add(name, p)
	return nil
}

// warm brings every student once, so that nobody is new.
func (b *bench) warm(ctx context.Context, acts []act) error {
	for range watching/len(acts) + 1 {
		if _, err := once(ctx, acts); err != nil {
			return err
		}
	}
	return nil
}

// report tells what a player has played, from the beginning.
func (c *client) report(path string, seconds float64) error {
	body := fmt.Sprintf(`{"ranges":[[0,%[1]g]],"duration":86000,"position":%[1]g}`, seconds)
	_, err := c.send("POST "+path, "Accept: application/json\r\n", []byte(body), http.StatusOK)
	return err
}

// busy is how long all cores have worked since the machine started.
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var total int64
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, waiting for the disk, guests
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return time.Duration(total) * (time.Second / 100), nil // of USER_HZ, which is 100 on Linux
}

func (r *report) study() {
	var rows [][]string
	for _, engine := range engines {
		for _, v := range studyViews {
			few := r.sheet.median(fmt.Sprintf("study/%s/%d/%s", engine, fewStudents, v.name))
			many := r.sheet.median(fmt.Sprintf("study/%s/%d/%s", engine, r.students, v.name))
			if few.P50 == 0 || many.P50 == 0 {
				continue
			}
			ratio := float64(many.P50) / float64(few.P50)
			rows = append(rows, []string{
				engineNames[engine], v.what, inMS(few.P50), inMS(few.P99), inMS(many.P50), inMS(many.P99),
				fmt.Sprintf("%.2f ×, %.2f ×", ratio, float64(many.P99)/float64(few.P99)), yes(ratio < 1.3),
			})
		}
	}
	r.table("Studying as the school grows", fmt.Sprintf("engine | page | %[1]d students, %[2]s rows of progress: p50, ms | p99, ms | %[3]s students, %[4]s rows: p50, ms | p99, ms | growth of p50, p99 | p50 below 1.3 ×",
		fewStudents, thousands(fewStudents*lessonsWatched), thousands(r.students), thousands(r.students*lessonsWatched)), rows)
	rows = nil
	for _, engine := range engines {
		if p := r.sheet.median("watch/" + engine); p.Rate > 0 {
			rows = append(rows, []string{engineNames[engine], perSecond(p.Rate), inMS(p.P50), inMS(p.P99), fmt.Sprintf("%.2f", p.Cores), yes(p.Cores < 1)})
		}
	}
	r.table("Reports of players, each written", fmt.Sprintf("engine | a second | p50, ms | p99, ms | cores that %s students watching at once take | less than one", thousands(watching)), rows)
}
