package locale

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"tripwire/internal/school"
)

// Error answers the sentence for an error's code. A code without one, which
// the tests do not let through, reads as an error of ours.
func (p Printer) Error(code string, params map[string]string) string {
	key := "error." + code
	if !p.Has(key) {
		key = "error.internal"
	}
	args := make([]string, 0, 2*len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		args = append(args, name, params[name])
	}
	return placeholder.ReplaceAllString(p.T(key, args...), "…")
}

// Part is a piece of a sentence; names are strong.
type Part struct {
	Text   string
	Strong bool
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// Activity is one entry of the history as one sentence.
func (p Printer) Activity(a school.Activity) string {
	var b strings.Builder
	for _, part := range p.Sentence(a) {
		b.WriteString(part.Text)
	}
	return b.String()
}

// Sentence is Activity in pieces, so that a screen can set the names apart.
func (p Printer) Sentence(a school.Activity) []Part {
	key := "activity." + string(a.Action)
	if !p.Has(key) {
		key = "activity.other"
	}
	if of := key + "." + a.Details["what"]; a.Details["what"] != "" && p.Has(of) {
		key = of
	}
	if unknown := key + ".nobody"; a.Subject == "" && p.Has(unknown) {
		key = unknown
	}
	text := p.T(key)
	values := map[string]string{"actor": p.Actor(a), "subject": a.Subject, "action": string(a.Action)}
	maps.Copy(values, a.Details)
	if values["subject"] == "" {
		values["subject"] = a.ActorName
	}
	var parts []Part
	rest := 0
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		if rest < at[0] {
			parts = append(parts, Part{Text: text[rest:at[0]]})
		}
		value := values[text[at[0]+1:at[1]-1]]
		if value == "" {
			value = "—"
		}
		parts = append(parts, Part{Text: value, Strong: true})
		rest = at[1]
	}
	if rest < len(text) {
		parts = append(parts, Part{Text: text[rest:]})
	}
	return parts
}

// Actor names who did it.
func (p Printer) Actor(a school.Activity) string {
	switch {
	case a.ActorName != "":
		return a.ActorName
	case a.Door == school.DoorTerminal:
		return p.T("door.terminal.actor")
	default:
		return p.T("door.system.actor")
	}
}

// Door names the way by which something was done: «через панель». A door
// without a word of its own is named as it is.
func (p Printer) Door(door string) string {
	if key := "door." + door; p.Has(key) {
		return p.T(key)
	}
	return door
}
