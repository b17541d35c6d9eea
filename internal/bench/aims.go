package main

import (
	"fmt"
	"strconv"

	"tripwire/internal/password"
	"tripwire/internal/school"
)

// aims compares what was measured with what is wanted.
func (r *report) aims() {
	var rows [][]string
	link := func(engine string, clients int) string {
		return creation{engine: engine, access: school.AccessLink, clients: clients}.name()
	}
	for _, engine := range engines {
		bare := commit{engine: engine, conns: 1, group: 1, whole: true}
		rows = r.atMost(rows, "without the hash, 1 client, "+engineNames[engine]+": at most 2 × the time of the bare transaction, "+bare.rows(),
			bare.name(), link(engine, 1), 2)
		bare.whole = false
		rows = r.beside(rows, bare, bare.name(), link(engine, 1))
	}
	sixteen := link(sqlite, 16)
	rows = r.atLeast(rows, "without the hash, 16 clients, SQLite: at least 2.5 × one commit for each student",
		sixteen, creation{engine: sqlite, access: school.AccessLink, clients: 16, single: true}.name(), 2.5)
	bare := commit{engine: sqlite, conns: 1, group: 16, whole: true}
	rows = r.atLeast(rows, "without the hash, 16 clients, SQLite: at least 0.5 × the bare commits of 16 students, "+bare.rows(), sixteen, bare.name(), 0.5)
	bare.whole = false
	rows = r.beside(rows, bare, sixteen, bare.name())
	for _, engine := range engines {
		for _, clients := range crowds[1:] {
			rows = r.atLeast(rows, fmt.Sprintf("with the hash, %d clients, %s: at least 0.9 × the hash alone on %d cores", clients, engineNames[engine], cores()),
				creation{engine: engine, access: school.AccessPassword, clients: clients}.name(), "floor/hash/"+strconv.Itoa(cores()), 0.9)
		}
	}
	r.table("Aims", "aim | measured | met", r.limits(rows))
}

func (r *report) atLeast(rows [][]string, aim, name, to string, bound float64) [][]string {
	n := r.sheet.ratio(name, to)
	return ratioRow(rows, aim, n, yes(n >= bound))
}

func (r *report) atMost(rows [][]string, aim, name, to string, bound float64) [][]string {
	n := r.sheet.ratio(name, to)
	return ratioRow(rows, aim, n, yes(n <= bound))
}

// beside tells the same ratio to a floor for which there is no aim.
func (r *report) beside(rows [][]string, bare commit, name, to string) [][]string {
	return ratioRow(rows, "(the same, beside "+bare.rows()+")", r.sheet.ratio(name, to), "")
}

func ratioRow(rows [][]string, aim string, n float64, met string) [][]string {
	if n == 0 {
		return rows
	}
	return append(rows, []string{aim, fmt.Sprintf("%.2f ×", n), met})
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "**no**"
}

// limits adds what is bounded by itself.
func (r *report) limits(rows [][]string) [][]string {
	below := func(aim string, value, limit float64, shown string) {
		if value > 0 {
			rows = append(rows, []string{aim, shown, yes(value < limit)})
		}
	}
	hashing := r.sheet.median("crowd/hashing").Bytes / (1 << 20)
	below(fmt.Sprintf("%d creations with a password at once hold at most %d MiB for hashing", r.crowd, password.DefaultMemoryMiB),
		hashing, password.DefaultMemoryMiB+1, fmt.Sprintf("%.0f MiB", hashing))
	for _, s := range r.schools() {
		login := ms(r.sheet.median(s.name + "/login").P50)
		below("start to the first page, "+s.what+": below 150 ms", login, 150, fmt.Sprintf("%.1f ms", login))
		rest := r.sheet.median(s.name + "/rest").Bytes
		below("memory at rest, "+s.what+": below 40 MB", rest, 40e6, inMB(rest)+" MB")
	}
	binary := r.sheet.median("binary").Bytes
	below("stripped binary: below 40 MB", binary, 40e6, inMB(binary)+" MB")
	return rows
}
