package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"tripwire/internal/school"
)

// report writes the tables as Markdown.
type report struct {
	*bench
	strings.Builder
}

func writeReport(w io.Writer, m machine, b *bench) error {
	r := &report{bench: b}
	r.machine(m)
	r.floor()
	r.creations()
	r.aims()
	r.process()
	r.deskwork()
	r.study()
	r.letters()
	_, err := io.WriteString(w, r.String())
	return err
}

func (r *report) line(format string, args ...any) { _, _ = fmt.Fprintf(r, format+"\n", args...) }

// table writes the rows that have been measured; nothing where none was.
func (r *report) table(title, head string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	r.line("\n## %s\n\n| %s |", title, head)
	r.line("|%s", strings.Repeat("---|", strings.Count(head, "|")+1))
	for _, row := range rows {
		r.line("| %s |", strings.Join(row, " | "))
	}
}

func (r *report) machine(m machine) {
	r.line("Measured on %s: %d cores, %.0f GiB of memory, %s on %s, %s, SQLite %s (WAL, synchronous=FULL), PostgreSQL %s (fsync on), %s of %s for each point.",
		m.Date, m.Cores, m.MemoryGiB, m.Filesystem, m.OS, m.Go, m.SQLite, m.PostgreSQL, plural(r.rounds, "round"), r.each)
}

// speed is a row for a point with a rate; none when it was not measured.
func (r *report) speed(rows [][]string, name string, cells ...string) [][]string {
	p := r.sheet.median(name)
	if p.Rate == 0 {
		return rows
	}
	return append(rows, append(cells, perSecond(p.Rate), inMS(p.P50), inMS(p.P99)))
}

func perSecond(rate float64) string {
	if rate < 100 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

func inMS(d time.Duration) string { return fmt.Sprintf("%.2f", ms(d)) }

func inMB(bytes float64) string { return fmt.Sprintf("%.1f", bytes/1e6) }

const speedHead = " | a second | p50, ms | p99, ms"

func (r *report) floor() {
	var rows [][]string
	for _, c := range commits() {
		what := engineNames[c.engine] + ", the driver alone: " + c.rows()
		how := plural(c.group, "student") + " in a commit"
		if c.engine == postgres {
			how = plural(c.conns, "connection")
		}
		rows = r.speed(rows, c.name(), what, how)
	}
	for _, n := range []int{1, cores()} {
		rows = r.speed(rows, "floor/hash/"+strconv.Itoa(n), "the password hash", strconv.Itoa(n)+" at once")
	}
	for _, n := range crowds {
		rows = r.speed(rows, "floor/http/"+strconv.Itoa(n), "a plain HTTP answer", plural(n, "client"))
	}
	r.table("The floor", "what | how"+speedHead, rows)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

var engineNames = map[string]string{sqlite: "SQLite", postgres: "PostgreSQL"}

var accessNames = map[school.Access]string{school.AccessLink: "one-time link", school.AccessPassword: "password, hashed"}

func (r *report) creations() {
	var rows [][]string
	for _, c := range creations() {
		access := accessNames[c.access]
		switch {
		case c.page:
			access += ", whole page"
		case c.single:
			access += ", group commit off"
		}
		rows = r.speed(rows, c.name(), engineNames[c.engine], access, strconv.Itoa(c.clients))
	}
	r.table("Creating a student through HTTP", "engine | access | clients"+speedHead, rows)
}

func (r *report) process() {
	var rows [][]string
	if p := r.sheet.median("binary"); p.Bytes > 0 {
		rows = append(rows, []string{"stripped binary", inMB(p.Bytes) + " MB"})
	}
	crowd := plural(r.crowd, "creation") + " with a password at once"
	if p := r.sheet.median("crowd/hashing"); p.Rate > 0 {
		rows = append(rows, []string{crowd + ": all answered within", fmt.Sprintf("%.1f s", float64(r.crowd)/p.Rate)},
			[]string{crowd + ": most memory held for hashing", fmt.Sprintf("%.0f MiB", p.Bytes/(1<<20))})
	}
	if p := r.sheet.median("crowd/process"); p.Bytes > 0 {
		rows = append(rows, []string{crowd + ": most memory of the process", inMB(p.Bytes) + " MB"})
	}
	for _, s := range r.schools() {
		if p := r.sheet.median(s.name + "/login"); p.P50 > 0 {
			rows = append(rows, []string{"start to the first answer (/livez), " + s.what, inMS(r.sheet.median(s.name+"/livez").P50) + " ms"},
				[]string{"start to the first page (/login), " + s.what, inMS(p.P50) + " ms"})
		}
		if p := r.sheet.median(s.name + "/rest"); p.Bytes > 0 {
			rows = append(rows, []string{fmt.Sprintf("memory %s after the start, %s", r.idle, s.what), inMB(p.Bytes) + " MB"})
		}
	}
	r.table("The process (SQLite)", "what | measured", rows)
}

// started is a database on which the binary is started.
type started struct{ name, what string }

func (r *report) schools() []started {
	return []started{
		{"start/new", "no database yet"},
		{"start/empty", "no students"},
		{"start/large", thousands(r.students) + " students"},
	}
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
