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
	for _, engine := range engines {
		rows = r.ratio(rows, "without the hash, 1 client, "+engineNames[engine]+": at most 2 × the time of the bare durable transaction",
			r.rate("floor/"+engine+"/1"), r.rate(creation{engine: engine, access: school.AccessLink, clients: 1}.name()), 2, false)
	}
	sixteen := r.rate(creation{engine: sqlite, access: school.AccessLink, clients: 16}.name())
	rows = r.ratio(rows, "without the hash, 16 clients, SQLite: at least 2.5 × one commit for each student",
		sixteen, r.rate(creation{engine: sqlite, access: school.AccessLink, clients: 16, single: true}.name()), 2.5, true)
	for _, group := range crowds[1:] {
		rows = r.ratio(rows, fmt.Sprintf("without the hash, 16 clients, SQLite: at least 0.5 × the bare commit of %d at once", group),
			sixteen, r.rate("floor/sqlite/"+strconv.Itoa(group)), 0.5, true)
	}
	for _, engine := range engines {
		for _, clients := range crowds[1:] {
			rows = r.ratio(rows, fmt.Sprintf("with the hash, %d clients, %s: at least 0.9 × the hash alone on %d cores", clients, engineNames[engine], cores()),
				r.rate(creation{engine: engine, access: school.AccessPassword, clients: clients}.name()), r.rate("floor/hash/"+strconv.Itoa(cores())), 0.9, true)
		}
	}
	r.table("Aims", "aim | measured | met", r.limits(rows))
}

func (r *report) rate(name string) float64 { return r.sheet.median(name).Rate }

// ratio adds a row for two rates of which both were measured.
func (r *report) ratio(rows [][]string, aim string, rate, to, bound float64, atLeast bool) [][]string {
	if rate == 0 || to == 0 {
		return rows
	}
	n := rate / to
	met := n <= bound
	if atLeast {
		met = n >= bound
	}
	return append(rows, []string{aim, fmt.Sprintf("%.2f ×", n), yes(met)})
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
