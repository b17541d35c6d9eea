package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The panel's first page, with fonts, for somebody with an empty cache.
const maxWeight = 150_000

func TestFirstPageIsLight(t *testing.T) {
	t.Parallel()
	s := staffed(t, emptySQLite(t))
	manager := s.at(vera)
	for _, p := range hostile {
		manager.admit(p.name, p.email)
	}
	_, err := chromedp.Call(manager.ctx, network.ClearBrowserCache, cdp.Empty{})
	manager.do("clear the cache", err)
	manager.settles()
	manager.mu.Lock()
	manager.received = 0
	manager.mu.Unlock()
	manager.open(panel)
	manager.rows(len(hostile))
	manager.holds("document.fonts.status === 'loaded'")
	manager.settles()
	manager.mu.Lock()
	defer manager.mu.Unlock()
	t.Logf("the panel's first page weighs %.0f bytes", manager.received)
	if manager.received < 10_000 || manager.received > maxWeight {
		t.Errorf("the panel's first page weighs %.0f bytes, want less than %d", manager.received, maxWeight)
	}
}
