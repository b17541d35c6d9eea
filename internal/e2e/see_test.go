package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// until asks again and again until a condition holds.
func (b *tab) until(what string, holds func() error) {
	b.t.Helper()
	again, deadline := time.NewTicker(15*time.Millisecond), time.NewTimer(patience)
	defer again.Stop()
	defer deadline.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			text, _ := evaluate[string](b, "location.pathname + location.search + '\\n' + document.body?.innerText")
			b.t.Fatalf("%s waited for %s: %v\nThe page: %s", b.name, what, err, text)
		}
	}
}

// evaluate asks the page; a page on its way out cannot answer.
func evaluate[T any](b *tab, js string, options ...chromedp.EvaluateOption) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js, options...))
}

// read asks the page and insists on an answer.
func read[T any](b *tab, js string) (answer T) {
	b.t.Helper()
	b.until(js, func() (err error) {
		answer, err = evaluate[T](b, js)
		return err
	})
	return answer
}

// holds waits for a condition in the page.
func (b *tab) holds(js string) {
	b.t.Helper()
	b.until(js, func() error {
		ok, err := evaluate[bool](b, js)
		if err == nil && !ok {
			err = errors.New("it does not hold")
		}
		return err
	})
}

// text is what stands on the screen within the first element that fits, in one
// line, letters as they were written.
func (b *tab) text(css string) string {
	b.t.Helper()
	return read[string](b, fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? "").replace(/\s+/g, " ")`, css))
}

// sees waits for words on the screen; the case of letters is a matter of style.
func (b *tab) sees(words ...string) {
	b.t.Helper()
	for _, w := range words {
		b.holds(fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.replace(/\s+/g, " ").toLowerCase().includes(%q)`, strings.ToLower(w)))
	}
}

// seesNot checks that words are not on the screen now.
func (b *tab) seesNot(words ...string) {
	b.t.Helper()
	all := strings.ToLower(b.text("body"))
	for _, w := range words {
		if strings.Contains(all, strings.ToLower(w)) {
			b.t.Errorf("%s sees %q at %s", b.name, w, b.place())
		}
	}
}

// place is the path and query of the page.
func (b *tab) place() string {
	b.t.Helper()
	return read[string](b, "location.pathname + location.search")
}

// at waits until the address is path; a query may follow it.
func (b *tab) at(path string) {
	b.t.Helper()
	b.holds(fmt.Sprintf(`document.readyState === "complete" && location.pathname === %q`, path))
}
