package worker

import (
	"slices"
	"testing"
	"time"
)

// TestSlowDomainsLeaveASenderToTheOthers, and a quick one gets two.
func TestSlowDomainsLeaveASenderToTheOthers(t *testing.T) {
	t.Parallel()
	p, now, letter := newPaces(), time.Now(), int64(0)
	begin := func(domain string) int64 {
		letter++
		p.begin(letter, domain, now)
		return letter
	}
	want := func(what string, domains ...string) {
		t.Helper()
		got := p.enough(now)
		slices.Sort(got)
		if !slices.Equal(got, domains) {
			t.Errorf("%s: enough have %q, want %q", what, got, domains)
		}
	}
	first := begin("quick")
	want("nothing is known of it", "quick")
	p.end(first, now)
	third := begin("quick")
	want("it was quick")
	second := begin("quick")
	want("it has two", "quick")
	p.end(second, now)
	p.end(third, now)

	var slow []int64
	for _, domain := range []string{"slow1", "slow2", "slow3"} {
		slow = append(slow, begin(domain))
	}
	p.end(begin("slow4"), now.Add(slowAnswer))
	now = now.Add(slowAnswer - 1)
	want("three are not slow yet", "slow1", "slow2", "slow3")
	now = now.Add(1)
	want("three are slow, and one was before", "slow1", "slow2", "slow3", "slow4")
	p.end(slow[0], now)
	want("there is room for a slow one", "slow2", "slow3")
	now = now.Add(paceFor)
	p.end(slow[1], now)
	p.end(slow[2], now)
	now = now.Add(paceFor + 1)
	begin("slow1")
	want("forgotten", "slow1")
}
