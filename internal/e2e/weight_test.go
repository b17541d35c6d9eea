package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// maxWeight bounds a page with its fonts, for somebody with an empty cache.
const maxWeight = 150_000

func TestFirstPageIsLight(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	for _, p := range hostile {
		manager.admit(p.name, p.email)
	}
	manager.weighs("the panel's first page", func() {
		manager.open(panel)
		manager.rows(len(hostile))
	})
}

// TestLessonIsLight, without a video: what only a player fetches is the film.
func TestLessonIsLight(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	s.exec("UPDATE lessons SET body = 'Текст **урока**', homework = 'Опишите задачу' WHERE id = 67")
	manager := s.at(vera)
	manager.create(testStudent)
	manager.finish()
	b := s.visitor("student")
	b.open("/login")
	b.firstLogIn(testStudent)
	b.weighs("the lesson page", func() {
		b.open("/lesson/67")
		b.sees("Домашнее задание")
		b.holds(`performance.getEntriesByType("resource").some(e => e.name.includes("/study."))`)
	})
}

// weighs bounds what a page brings over the network into an empty cache.
func (b *tab) weighs(what string, show func()) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, network.ClearBrowserCache, cdp.Empty{})
	b.do("clear the cache", err)
	b.settles()
	b.mu.Lock()
	b.received = 0
	b.mu.Unlock()
	show()
	b.holds("document.fonts.status === 'loaded'")
	b.settles()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Logf("%s weighs %.0f bytes", what, b.received)
	if b.received < 10_000 || b.received > maxWeight {
		b.t.Errorf("%s weighs %.0f bytes, want less than %d", what, b.received, maxWeight)
	}
}
