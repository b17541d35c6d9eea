package worker

import (
	"context"
	"time"

	"tripwire/internal/desk"
)

// ClaimAmidAPause claims a letter as a sender does that is woken in an hour of pause.
func ClaimAmidAPause(ctx context.Context, d *desk.Desk, baseURL string) (desk.Outgoing, error) {
	p := &postOffice{desk: d, baseURL: baseURL, paces: newPaces(), until: time.Now().Add(time.Hour)}
	return p.claim(ctx)
}
