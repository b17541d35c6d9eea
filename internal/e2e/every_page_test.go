package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEveryPageIsAccessibleAndFits leads through every page in three languages:
// axe finds nothing in either scheme, nothing is wider than the window, and no
// name is executed.
func TestEveryPageIsAccessibleAndFits(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	shared := newSchoolYear(t)
	t.Run("tours", func(t *testing.T) {
		for _, language := range []string{"ru", "kk", "en"} {
			t.Run(language, func(t *testing.T) {
				t.Parallel()
				lead(t, shared, language, "Менеджер "+strings.Repeat("Щ", 80), func(stop string, b *tab) {
					t.Helper()
					b.fits(stop)
					if language != "ru" { // colours know no language
						b.isAccessible(stop, string(axe), auditBut)
						return
					}
					b.hasContrast(stop, string(axe), "dark")
					b.isAccessible(stop, string(axe), audit)
				})
			})
		}
	})
}

// audit runs every rule of axe, and the size of targets, which it leaves out by
// itself; auditColours those that look at colours, which take the most time, and
// auditBut all others.
const (
	audit        = `axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}}})` + findings
	auditBut     = `axe.run(document, {resultTypes: ["violations"], rules: {"target-size": {enabled: true}, "color-contrast": {enabled: false}, "link-in-text-block": {enabled: false}}})` + findings
	auditColours = `axe.run(document, {resultTypes: ["violations"], runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}})` + findings
	findings     = `.then(found =>
	found.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map(n => "    " + n.target + " " + n.html.slice(0, 160)
		+ "\n        " + [...n.any, ...n.all, ...n.none].map(c => c.message).join("; ").slice(0, 240)).join("\n")))`
)

// references lists what axe only doubts: ids that are there twice, and
// attributes that name an id that is not there.
const references = `(() => {
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id), out = ids.filter((id, i) => ids.indexOf(id) !== i).map(id => "the id " + id + " is there twice");
	for (const name of ["for", "form", "list", "popovertarget", "aria-describedby", "aria-labelledby", "aria-controls"])
		for (const e of document.querySelectorAll("[" + name + "]"))
			for (const id of e.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) out.push(name + "=" + id + " of " + e.outerHTML.slice(0, 80) + " names nothing");
	return out;
})()`

// isAccessible looks by the rules, and at what they only doubt, in the light scheme.
func (b *tab) isAccessible(stop, axe, rules string) {
	b.t.Helper()
	b.bring(axe)
	for _, fault := range read[[]string](b, references) {
		b.t.Errorf("%s: %s", stop, fault)
	}
	b.audit(stop, rules, "light")
}

// hasContrast looks at the colours of a scheme.
func (b *tab) hasContrast(stop, axe, scheme string) {
	b.t.Helper()
	b.bring(axe)
	b.audit(stop, auditColours, scheme)
}

func (b *tab) bring(axe string) {
	b.t.Helper()
	if !read[bool](b, "!!globalThis.axe") {
		_, err := evaluate[any](b, axe+";0")
		b.do("bring axe", err)
	}
}

// audit looks from the top of the page, where the bar that stays in view covers
// nothing: what it covers elsewhere depends on how far the page is scrolled.
func (b *tab) audit(stop, rules, scheme string) {
	b.t.Helper()
	b.look(1280, scheme)
	read[int](b, `scrollTo({top: 0, behavior: "instant"}); 0`)
	found, err := evaluate[[]string](b, rules, chromedp.EvalAwaitPromise)
	b.do("audit "+stop, err)
	for _, violation := range found {
		b.t.Errorf("%s, %s: %s", stop, scheme, violation)
	}
}

// overflow lists what reaches out of the window. What a box of its own cuts off
// or scrolls does not.
const overflow = `(() => {
	const width = document.documentElement.clientWidth, out = [];
	if (document.documentElement.scrollWidth > width) out.push("the page is " + document.documentElement.scrollWidth + " wide");
	const cut = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) if (getComputedStyle(p).overflowX !== "visible") return true; };
	for (const e of document.body.querySelectorAll("*")) {
		const r = e.getBoundingClientRect();
		if (r.width <= 1 || r.height <= 1 || r.right <= width + 1 && r.left >= -1 || !e.checkVisibility({visibilityProperty: true}) || cut(e)) continue;
		out.push("<" + e.tagName.toLowerCase() + " class=" + e.className + "> from " + Math.round(r.left) + " to " + Math.round(r.right) + ": " + e.textContent.trim().slice(0, 40));
	}
	return out.slice(0, 5);
})()`

func (b *tab) fits(stop string) {
	b.t.Helper()
	for _, width := range []int64{320, 390, 1280} {
		b.look(width, "light")
		b.until(fmt.Sprintf("%s to fit %d pixels", stop, width), func() error { // a chart is drawn anew a moment later
			found, err := evaluate[[]string](b, overflow)
			if err == nil && len(found) > 0 {
				err = errors.New(strings.Join(found, "\n    "))
			}
			return err
		})
	}
}

// TestScreenshots saves a picture of every page for people to look at, into the
// folder that TRIPWIRE_TEST_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("TRIPWIRE_TEST_SCREENSHOTS")
	if dir == "" {
		return // nobody asked; it checks nothing
	}
	t.Parallel()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	lead(t, newSchoolYear(t), "ru", vera.name, func(stop string, b *tab) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 390} {
				b.look(width, scheme)
				picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				b.do("take a picture of "+stop, err)
				file := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", stop, width, scheme))
				b.do("keep a picture", os.WriteFile(file, picture, 0o600))
			}
		}
	})
}
