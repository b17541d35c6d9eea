package worker

import (
	"maps"
	"time"
)

// paces are how quick the domains are to whom letters go: some servers ask a slow
// one before they answer us.
type paces struct {
	underWay map[int64]underWay
	known    map[string]pace
}

type underWay struct {
	domain string
	began  time.Time
}

type pace struct {
	slow  bool
	until time.Time // it is forgotten then
}

// maxPaces bounds how many domains are remembered.
const maxPaces = 10_000

func newPaces() paces { return paces{underWay: map[int64]underWay{}, known: map[string]pace{}} }

func (p *paces) begin(letter int64, domain string, now time.Time) {
	p.underWay[letter] = underWay{domain, now}
}

func (p *paces) end(letter int64, now time.Time) {
	w := p.underWay[letter]
	delete(p.underWay, letter)
	p.learn(w.domain, now.Sub(w.began) >= slowAnswer, now)
}

func (p *paces) learn(domain string, slow bool, now time.Time) {
	if len(p.known) >= maxPaces {
		maps.DeleteFunc(p.known, func(_ string, k pace) bool { return !k.until.After(now) })
	}
	if len(p.known) < maxPaces {
		p.known[domain] = pace{slow, now.Add(paceFor)}
	}
}

// enough answers the domains that get no further sender: who has not been quick has
// one at most, and all that are slow leave one sender free.
func (p *paces) enough(now time.Time) (domains []string) {
	count, slow := map[string]int{}, 0
	for _, w := range p.underWay {
		if now.Sub(w.began) >= slowAnswer {
			p.learn(w.domain, true, now)
		}
		count[w.domain]++
	}
	for domain, n := range count {
		k, ok := p.known[domain]
		quick := ok && !k.slow && k.until.After(now)
		if ok && k.slow && k.until.After(now) {
			slow += n
		}
		if n >= perDomain || !quick {
			domains = append(domains, domain)
		}
	}
	if slow < senders-1 {
		return domains
	}
	for domain, k := range p.known {
		if k.slow && k.until.After(now) && count[domain] == 0 {
			domains = append(domains, domain)
		}
	}
	return domains
}
