package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"tripwire/internal/school"
	"tripwire/internal/store"
)

const panelPath = "/integrator/sales-manager"

// block is a part of the sales desk, as somebody asks for it.
type block struct {
	name, what string
	run        func(ctx context.Context, at *place) error
}

// blocks are in the order of the report. What is measured at the desk has neither
// page nor network about it.
func blocks() []block {
	all := []block{
		{"page/admin", "panel page, the administrator", opened(true)},
		{"page/manager", "panel page, a manager with a quarter of them", opened(false)},
		{"server/admin", "the same page of the administrator, without the network", handled(true)},
		{"server/manager", "the same page of the manager, without the network", handled(false)},
		{"figures", "the four cards and the chart, all time", func(ctx context.Context, at *place) error {
			_, err := at.desk.Figures(ctx, at.boss, school.Counted{}, "")
			return err
		}},
		{"ranking", "the ranking", func(ctx context.Context, at *place) error {
			_, err := at.desk.Ranking(ctx, at.boss, school.Counted{})
			return err
		}},
		listed("list", "list, newest first", school.StudentFilter{}),
		{"list/deep", "list, a page in the middle, by its cursor", func(ctx context.Context, at *place) error {
			_, err := at.desk.Students(ctx, at.boss, school.StudentFilter{After: at.middle})
			return err
		}},
	}
	for _, s := range []school.Status{school.StatusActive, school.StatusCompleted, school.StatusBlocked, school.StatusTest, school.StatusUndelivered, school.StatusNewcomer, school.StatusStuck} {
		all = append(all, listed("list/status/"+string(s), "list, only "+string(s), school.StudentFilter{Status: s}))
	}
	for _, c := range school.SortColumns() {
		all = append(all, listed("list/sort/"+string(c), "list, sorted by "+string(c), school.StudentFilter{Sort: school.Sort{By: c}}))
	}
	for _, n := range []struct {
		name, what string
		f          school.StudentFilter
	}{
		{"test-by-name", "list, test accounts by name", school.StudentFilter{Status: school.StatusTest, Sort: school.Sort{By: school.SortName}}},
		{"stuck-by-name", "list, stuck by name", school.StudentFilter{Status: school.StatusStuck, Sort: school.Sort{By: school.SortName}}},
		{"undelivered-by-modules", "list, without a letter by modules", school.StudentFilter{Status: school.StatusUndelivered, Sort: school.Sort{By: school.SortModules}}},
		{"completed-by-modules", "list, completed by modules, the fewest first", school.StudentFilter{Status: school.StatusCompleted, Sort: school.Sort{By: school.SortModules}}},
	} {
		all = append(all, listed("list/both/"+n.name, n.what, n.f))
	}
	for _, s := range searches {
		all = append(all, listed("search/"+s.name, "search, "+s.what, school.StudentFilter{Query: s.words}))
	}
	return all
}

// searches are for what the generator's names have in these shares.
var searches = []struct{ name, what, words string }{
	{"rare", "three letters that 0.01 % have", "гыз"},
	{"medium", "three letters that 1 % have", "лин"},
	{"common", "three letters that 33 % have", "ова"},
	{"absent", "three letters that nobody has", "щщщ"},
	{"two", "two letters that many have", "ки"},
	{"two-rare", "two letters that 0.01 % have", "цз"},
}

// opened opens the panel through the network.
func opened(admin bool) func(context.Context, *place) error {
	return func(_ context.Context, at *place) error { return at.client.as(at.session(admin)).get(panelPath) }
}

// handled is what the server does for the page, without the network and without a
// browser that shares the cores.
func handled(admin bool) func(context.Context, *place) error {
	return func(ctx context.Context, at *place) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.addr+panelPath, nil)
		if err != nil {
			return err
		}
		r.RequestURI, r.RemoteAddr = panelPath, "127.0.0.1:1"
		r.Header.Set("Cookie", at.session(admin))
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := &discarded{header: http.Header{}}
		at.handler.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			return fmt.Errorf("answered %d", w.status)
		}
		return nil
	}
}

// discarded is an answer that nobody reads.
type discarded struct {
	header http.Header
	status int
}

// Header is http.ResponseWriter's.
func (d *discarded) Header() http.Header { return d.header }

// WriteHeader is http.ResponseWriter's.
func (d *discarded) WriteHeader(status int) { d.status = status }

// Write is http.ResponseWriter's.
func (d *discarded) Write(b []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return len(b), nil
}

func listed(name, what string, f school.StudentFilter) block {
	return block{name, what, func(ctx context.Context, at *place) error {
		_, err := at.desk.Students(ctx, at.boss, f)
		return err
	}}
}

// deskTasks measure the sales desk in schools of every size. Each school is filled
// once and used for all points.
func (b *bench) deskTasks() (tasks []task) {
	for _, engine := range engines {
		for _, students := range b.schoolSizes {
			tasks = append(tasks, task{deskName(engine, students), func(ctx context.Context, name string) error {
				return b.deskAt(ctx, name, engine, students)
			}})
		}
	}
	return tasks
}

func deskName(engine string, students int) string { return fmt.Sprintf("desk/%s/%d", engine, students) }

func (b *bench) deskAt(ctx context.Context, name, engine string, students int) error {
	start := time.Now()
	d, filled, err := b.keptSchool(ctx, engine, students)
	if err != nil {
		return err
	}
	if filled {
		b.add(name+"/fill", point{Rate: float64(students) / time.Since(start).Seconds()})
	}
	err = withPlace(ctx, d, func(at *place) error {
		if at.middle, err = middleOf(ctx, d); err != nil {
			return err
		}
		for _, part := range blocks() {
			p, err := load(ctx, []act{func(ctx context.Context) error { return part.run(ctx, at) }}, b.each)
			if err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			b.add(name+"/"+part.name, p)
		}
		if err := b.deskCreate(ctx, name, at); err != nil {
			return err
		}
		return b.wholes(ctx, name, at)
	})
	return errors.Join(err, d.drop())
}

func (b *bench) deskCreate(ctx context.Context, name string, at *place) error {
	all, closeAll, err := at.clients(ctx, 1)
	if err != nil {
		return err
	}
	defer closeAll()
	p, err := load(ctx, creating(all, school.AccessLink, true), b.each)
	if err == nil {
		b.add(name+"/create", p)
	}
	return err
}

// middleOf is the place of a student whom half of the school came before.
func middleOf(ctx context.Context, d database) (c school.Cursor, err error) {
	db, err := d.raw()
	if err != nil {
		return c, err
	}
	moment := "added_at"
	if d.engine == postgres {
		moment = "to_char(added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')"
	}
	c.Keys = make([]string, 1)
	err = db.QueryRowContext(ctx, "SELECT "+moment+" || '', id FROM roster WHERE id >= (SELECT max(id) / 2 FROM roster) ORDER BY id LIMIT 1").Scan(&c.Keys[0], &c.ID)
	return c, errors.Join(err, db.Close())
}

// wholes are what reads every student, and is done seldom: once is enough.
func (b *bench) wholes(ctx context.Context, name string, at *place) error {
	for _, w := range []struct {
		name string
		run  func() (rows int, err error)
	}{
		{"export", func() (rows int, err error) {
			all, err := at.desk.EachStudent(ctx, at.boss, school.StudentFilter{})
			if err != nil {
				return 0, err
			}
			for _, err := range all {
				if rows++; err != nil {
					return rows, err
				}
			}
			return rows, nil
		}},
		{"check", func() (int, error) {
			return 1, at.store.Read(ctx, func(tx *store.Tx) error {
				settings, err := tx.FindSettings()
				if err != nil {
					return err
				}
				wrong, err := tx.CheckRollUps(settings.Location())
				if len(wrong) > 0 {
					err = errors.Join(err, fmt.Errorf("%q", wrong))
				}
				return err
			})
		}},
		{"recount", func() (int, error) {
			return 1, at.store.Write(ctx, func(tx *store.Tx) error {
				if err := tx.BeginRecount(); err != nil {
					return err
				}
				return tx.Recount()
			})
		}},
	} {
		if err := forgetPeak(); err != nil {
			return err
		}
		start := time.Now()
		rows, err := w.run()
		took := time.Since(start)
		if err != nil { // a limit that is met is a finding, not the end of the run
			b.tell("  %s/%s: after %s: %v", name, w.name, took.Round(time.Millisecond), err)
			continue
		}
		peak, err := statusLine("self", "VmHWM")
		if err != nil {
			return err
		}
		b.add(name+"/"+w.name, point{Rate: float64(rows) / took.Seconds(), P50: took, Bytes: peak})
	}
	return nil
}

// forgetPeak has the kernel measure the most memory of this process anew.
func forgetPeak() error {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600)
}

func (r *report) deskwork() {
	sizes := r.schoolSizes
	head := []string{"engine | what"}
	for _, n := range sizes {
		head = append(head, thousands(n)+" students: p50, ms | p99, ms")
	}
	var rows [][]string
	for _, engine := range engines {
		for _, part := range append(blocks(), block{name: "create", what: "creating one more, one-time link"}) {
			rows = r.grown(rows, engine, part.name, part.what)
		}
	}
	r.table("The sales desk as the school grows", strings.Join(append(head, "growth of p50"), " | "), rows)
	rows = nil
	for _, engine := range engines {
		for _, n := range sizes {
			name := deskName(engine, n)
			export, check, recount := r.sheet.median(name+"/export"), r.sheet.median(name+"/check"), r.sheet.median(name+"/recount")
			if export.Rate == 0 {
				continue
			}
			rows = append(rows, []string{
				engineNames[engine], thousands(n), perSecond(r.sheet.median(name + "/fill").Rate), perSecond(export.Rate), inMB(export.Bytes), inS(check.P50), inMB(check.Bytes), inS(recount.P50),
			})
		}
	}
	r.table("What reads every student", "engine | students | filled, students a second | export, rows a second | most memory, MB | doctor's check of the roll-ups, s | most memory, MB | counting them anew, s", rows)
	r.table("Aims of the sales desk", "aim | measured | met", r.deskAims())
}

func inS(d time.Duration) string {
	if d == 0 {
		return "not within its time"
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}

// grown is a row for a block in schools of every size; none where one was not
// measured.
func (r *report) grown(rows [][]string, engine, name, what string) [][]string {
	cells := []string{engineNames[engine], what}
	for _, n := range r.schoolSizes {
		p := r.sheet.median(deskName(engine, n) + "/" + name)
		if p.P50 == 0 {
			return rows
		}
		cells = append(cells, inMS(p.P50), inMS(p.P99))
	}
	return append(rows, append(cells, fmt.Sprintf("%.1f ×", r.growth(engine, name))))
}

func (r *report) growth(engine, name string) float64 {
	first, last := r.schoolSizes[0], r.schoolSizes[len(r.schoolSizes)-1]
	few, many := r.sheet.median(deskName(engine, first)+"/"+name), r.sheet.median(deskName(engine, last)+"/"+name)
	if few.P50 == 0 {
		return 0
	}
	return float64(many.P50) / float64(few.P50)
}

func (r *report) deskAims() (rows [][]string) {
	first, last := r.schoolSizes[0], r.schoolSizes[len(r.schoolSizes)-1]
	for _, engine := range engines {
		at := func(n int, name string) point { return r.sheet.median(deskName(engine, n) + "/" + name) }
		if at(last, "server/admin").P50 == 0 || at(first, "server/admin").P50 == 0 {
			continue
		}
		add := func(aim, measured string, met bool) {
			rows = append(rows, []string{engineNames[engine] + ": " + aim, measured, yes(met)})
		}
		within := func(aim, name string, most float64) {
			n := r.growth(engine, name)
			add(aim, fmt.Sprintf("%.2f ×", n), n < most)
		}
		within(fmt.Sprintf("the panel page of %s students below 1.5 × that of %s", thousands(last), thousands(first)), "server/admin", 1.5)
		if engine == sqlite {
			p := at(last, "server/admin").P50
			add(fmt.Sprintf("the panel page of %s students below 20 ms on the server", thousands(last)), inMS(p)+" ms", p < 20*time.Millisecond)
		}
		for _, s := range searches {
			if len([]rune(s.words)) == 3 {
				p := at(last, "search/"+s.name).P50
				add(s.what+": below 50 ms", inMS(p)+" ms", p < 50*time.Millisecond)
			}
		}
		few, many := at(first, "export").Bytes, at(last, "export").Bytes
		add("the export of every student takes at most 16 MB more memory than that of the smallest school", inMB(many-few)+" MB", many-few < 16e6)
		within("creating one more student below 1.3 × the smallest school", "create", 1.3)
	}
	return rows
}
