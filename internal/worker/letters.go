package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/mail"
	"tripwire/internal/school"
)

const (
	// senders hand letters over side by side, so that a slow answer holds up only
	// its own letter.
	senders = 4
	// perDomain is how many of them may be busy with one domain that has been quick.
	perDomain = 2
	// slowAnswer is from when on an answer is slow. The letters to domains that were
	// slow leave one sender to the others.
	slowAnswer = 5 * time.Second
	// paceFor is how long is remembered how quick a domain was.
	paceFor = 10 * time.Minute
	// lookEvery is how long the outbox is left alone when nobody says that something
	// was queued: another process may have, or a pause may have ended.
	lookEvery = 5 * time.Second
	// offEvery is lookEvery while there is no mail server.
	offEvery = 30 * time.Second
	// The pause after the server could not be worked with doubles up to maxPause.
	firstPause = 2 * time.Second
	maxPause   = time.Minute
	// A settlement that the database does not take is tried again for so long, within
	// the lease; the pause doubles.
	settlePause = 100 * time.Millisecond
	settleFor   = 45 * time.Second
	// idleConnection is how long a connection to the mail server is kept unused.
	idleConnection = 30 * time.Second
	// remindEvery is how often is looked for who has not been here for long.
	remindEvery = time.Hour
)

// postOffice hands letters over until its context ends.
type postOffice struct {
	desk    *desk.Desk
	log     *slog.Logger
	baseURL string

	claiming sync.Mutex // one claim at a time, so that the limits of domains hold

	mu    sync.Mutex
	paces paces
	pause time.Duration // after the last failure of the server itself
	until time.Time     // nobody claims before
	// unsettled are failures of the server itself that are not kept yet.
	unsettled int
}

// letters runs the senders; each is woken when something was queued.
func letters(ctx context.Context, d *desk.Desk, o Options) {
	p := &postOffice{desk: d, log: o.Log, baseURL: o.BaseURL, paces: newPaces()}
	queued, stop := d.Queued()
	defer stop()
	var all sync.WaitGroup
	bells := make([]chan struct{}, senders)
	for i := range bells {
		bell := make(chan struct{}, 1)
		bells[i] = bell
		all.Go(func() { p.work(ctx, bell) })
	}
	for {
		select {
		case <-queued:
			for _, bell := range bells {
				ring(bell)
			}
		case <-ctx.Done():
			all.Wait()
			return
		}
	}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default: // it will look anyway
	}
}

// work is one sender.
func (p *postOffice) work(ctx context.Context, bell <-chan struct{}) {
	c := &connection{}
	defer c.close()
	for ctx.Err() == nil {
		o, err := p.claim(ctx)
		if err == nil {
			p.handOver(ctx, c, o)
			continue
		}
		if !errors.Is(err, school.ErrNotFound) && !errors.Is(err, school.ErrMailOff) && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "claim a letter", "error", err.Error())
		}
		p.rest(ctx, c, bell, p.nextLook(ctx, err))
	}
}

// claim takes one letter, within the limits of the domains.
func (p *postOffice) claim(ctx context.Context) (o desk.Outgoing, err error) {
	p.claiming.Lock()
	defer p.claiming.Unlock()
	busy, paused := p.state()
	if paused && !p.mended(ctx) {
		return o, school.ErrNotFound
	}
	o, err = p.desk.ClaimLetter(ctx, p.baseURL, busy)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.paces.begin(o.Letter.ID, o.Letter.Email.Domain(), time.Now())
	case errors.Is(err, school.ErrMailSealed):
		p.until = time.Now().Add(maxPause) // it does not mend itself
	}
	return o, err
}

// state answers the domains that have enough, and whether everybody pauses.
func (p *postOffice) state() (busy []string, paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	return p.paces.enough(now), now.Before(p.until)
}

// mended reports whether the pause is over before its time: nothing keeps letters from
// leaving any more, since somebody has changed the settings or tried them.
func (p *postOffice) mended(ctx context.Context) bool {
	s, err := p.desk.Settings(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || s.MailFault != "" || p.unsettled > 0 {
		return false
	}
	p.pause, p.until = 0, time.Time{}
	return true
}

// handOver sends a letter and keeps what came of it. A letter under way is finished
// when the process is told to stop: what the server has taken must not be forgotten.
func (p *postOffice) handOver(ctx context.Context, c *connection, o desk.Outgoing) {
	err := c.to(o).Send(context.WithoutCancel(ctx), o.Message)
	if p.note(o, err) {
		defer p.faultKept()
	}
	p.settle(context.WithoutCancel(ctx), o, err)
}

// faultKept: the panel knows of the fault now.
func (p *postOffice) faultKept() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unsettled--
}

// settle keeps what came of a letter. A database that is busy or away for a moment
// must not make a second copy, so it tries again until the lease is nearly over.
func (p *postOffice) settle(ctx context.Context, o desk.Outgoing, attempt error) {
	pause := settlePause
	for until := time.Now().Add(settleFor); ; pause *= 2 {
		err := p.desk.SettleLetter(ctx, o, attempt)
		if err == nil {
			return
		}
		if school.KindOf(err) != school.Unavailable || time.Now().Add(pause).After(until) {
			p.log.ErrorContext(ctx, "keep what became of a letter", "letter", o.Letter.ID, "error", err.Error())
			return
		}
		wait(pause)
	}
}

func wait(pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	<-t.C
}

// note frees the domain, and makes a pause after the server itself has failed:
// trying all other letters would only use their attempts up. It reports whether it has.
func (p *postOffice) note(o desk.Outgoing, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paces.end(o.Letter.ID, time.Now())
	var fault *mail.Fault
	if !errors.As(err, &fault) || !fault.OfSetUp() {
		p.pause = 0
		return false
	}
	p.unsettled++
	if now := time.Now(); now.After(p.until) { // the first of those who found out together
		p.pause = min(max(2*p.pause, firstPause), maxPause)
		p.until = now.Add(p.pause)
	}
	return true
}

// nextLook answers how long nothing can be claimed, as far as is known.
func (p *postOffice) nextLook(ctx context.Context, err error) time.Duration {
	if errors.Is(err, school.ErrMailOff) {
		return offEvery
	}
	p.mu.Lock()
	held := time.Until(p.until)
	p.mu.Unlock()
	if held > 0 {
		return held
	}
	due, err := p.desk.NextLetter(ctx)
	if err != nil || due.IsZero() {
		return lookEvery
	}
	// What is due and was not claimed waits for a limit of its domain.
	return min(max(time.Until(due), 200*time.Millisecond), lookEvery)
}

// rest waits for the bell or the pause; a connection that is not used meanwhile is
// let go.
func (p *postOffice) rest(ctx context.Context, c *connection, bell <-chan struct{}, pause time.Duration) {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-bell:
	case <-t.C:
		c.closeIfIdle()
	case <-ctx.Done():
	}
}

// connection is a sender's way to the mail server, made anew when the server is
// another one.
type connection struct {
	server mail.Server
	name   string // by which we greet it: the sender's domain
	sender *mail.Sender
	used   time.Time
}

func (c *connection) to(o desk.Outgoing) *mail.Sender {
	if name := school.Email(o.Message.From.Email).Domain(); c.sender == nil || c.server != o.Server || c.name != name {
		c.close()
		c.server, c.name, c.sender = o.Server, name, mail.NewSender(o.Server, mail.Options{HelloName: name})
	}
	c.used = time.Now()
	return c.sender
}

func (c *connection) closeIfIdle() {
	if time.Since(c.used) >= idleConnection {
		c.close()
	}
}

func (c *connection) close() {
	if c.sender != nil {
		c.sender.Close()
		c.sender = nil
	}
}

func remind(ctx context.Context, d *desk.Desk, log *slog.Logger) {
	n, err := d.QueueReminders(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.ErrorContext(ctx, "queue reminders", "error", err.Error())
	case n > 0:
		log.InfoContext(ctx, "queued reminders", "letters", n)
	}
}
