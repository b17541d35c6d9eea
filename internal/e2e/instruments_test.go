package e2e_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestInstrumentsSeeFaults makes a page wrong on purpose: what watches every
// other test must tell.
func TestInstrumentsSeeFaults(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	b := s.visitor("stranger")
	b.open("/login")
	for fault, js := range map[string]string{
		`console: "on purpose"`:              `console.error("on purpose")`,
		"uncaught: Uncaught Error: thrown":   `setTimeout(() => { throw new Error("thrown") })`,
		"style-src":                          `document.body.insertAdjacentHTML("beforeend", "<p style='color: red'>red</p>")`,
		"script-src":                         `document.body.append(Object.assign(document.createElement("script"), {text: "1"}))`,
		`a dialog of scripts opened: "7"`:    `setTimeout(() => alert(7))`,
		"GET /nothing was answered with 404": `fetch("/nothing")`,
		"leaves the site":                    `location.href = "http://127.0.0.1:9/"`,
	} {
		_, err := evaluate[any](b, "void ("+js+")")
		b.do(js, err)
		b.until("the fault "+fault, func() error {
			noted := b.noted()
			if !strings.Contains(strings.Join(noted, "\n"), fault) {
				return fmt.Errorf("noted only %q", noted)
			}
			return nil
		})
		b.open("/login")
	}
	b.mu.Lock()
	b.faults = nil
	b.mu.Unlock()

	_, err := evaluate[any](b, `void document.querySelector("h1").setAttribute("role", "img"), document.querySelector("[name=email]").removeAttribute("id"),
		document.querySelector("h1").replaceChildren("x".repeat(2000))`)
	b.do("spoil the page", err)
	if found := read[[]string](b, overflow); len(found) == 0 {
		t.Error("a heading of 2000 letters seems to fit")
	}
	axe, err := os.ReadFile("testdata/axe.min.js")
	b.do("read axe", err)
	_, err = evaluate[any](b, string(axe)+";0")
	b.do("bring axe", err)
	found, err := evaluate[[]string](b, audit, chromedp.EvalAwaitPromise)
	b.do("audit", err)
	if all := strings.Join(found, "\n"); !strings.Contains(all, "label: ") {
		t.Errorf("a field without a label passes the audit: %s", all)
	}
}

// noted are the faults so far.
func (b *tab) noted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.faults)
}
