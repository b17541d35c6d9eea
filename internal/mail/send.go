package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net/textproto"
	"time"

	"tripwire/internal/school"
)

// Options are what a Sender may be given; the zero value is right for a mail
// server that is well kept.
type Options struct {
	// Timeout bounds the hand-over of one letter, connecting included, however
	// busily the server pretends to go on. 0: a minute.
	Timeout time.Duration
	// HelloName is how we introduce ourselves, a host's name. Empty: localhost.
	HelloName string
	// TLS replaces the usual configuration; without a ServerName the server's host
	// is it. Nil: the roots of the system, TLS 1.2 and later.
	TLS *tls.Config
}

// Sender hands letters to a server. Between letters it keeps its connection. It
// is made by NewSender and used by one goroutine at a time.
type Sender struct {
	server  Server
	options Options
	kept    *session
}

// NewSender answers a sender that has not connected yet.
func NewSender(s Server, o Options) *Sender {
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.HelloName == "" {
		o.HelloName = "localhost"
	}
	return &Sender{server: s, options: o}
}

// Send hands over one letter. Nil means that the server has taken it upon itself;
// what becomes of it after that, a Bounce may tell. Every error is a *Fault; when
// the context ends, errors.Is finds the context's error in it.
func (s *Sender) Send(ctx context.Context, m Message) error {
	e, err := m.seal()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if c := s.take(ctx); c != nil {
		fault := s.deliver(ctx, c, e)
		switch {
		case fault == nil:
			return nil
		case !stale(ctx, fault):
			return fault
		}
	}
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	if fault := s.deliver(ctx, c, e); fault != nil {
		return fault
	}
	return nil
}

// Try does everything that comes before a letter: it connects, encrypts, logs in
// and asks whether from may send, to itself. Nothing is sent. Every error is a *Fault.
func (s *Sender) Try(ctx context.Context, from string) error {
	sender, err := school.NewPlainEmail(from)
	if err != nil {
		return unsendable(StageSender, "the sender is not an address")
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer c.close(ctx)
	defer c.wire.guard(ctx)()
	if err := accepted(c.client.Mail(path(string(sender)))); err != nil {
		return s.fault(ctx, StageSender, err)
	}
	// Many servers say of a sender only then what they think. A sender that gets no
	// mail may send all the same.
	if err := accepted(c.client.Rcpt(path(string(sender)))); err != nil {
		if fault := s.fault(ctx, StageRecipient, err); fault.Code == 0 || fault.OfSetUp() {
			return fault
		}
	}
	if err := accepted(c.client.Reset()); err != nil {
		return s.fault(ctx, StageSender, err)
	}
	return nil
}

// farewell is how long a server may take to let go of us.
const farewell = 2 * time.Second

// Close ends the connection, if one is kept. The sender can be used again.
func (s *Sender) Close() {
	if s.kept == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.kept.close(ctx)
	s.kept = nil
}

// maxProbe bounds the question whether a kept connection still lives, so that one
// that a router has forgotten does not cost the letter its time.
const maxProbe = 10 * time.Second

// take answers the kept connection if the server still answers on it, else nil.
func (s *Sender) take(ctx context.Context) *session {
	c := s.kept
	if c == nil {
		return nil
	}
	s.kept = nil
	c.wire.left = maxChatter
	ctx, cancel := context.WithTimeout(ctx, min(s.options.Timeout/4, maxProbe))
	defer cancel()
	defer c.wire.guard(ctx)()
	if accepted(c.client.Reset()) != nil {
		_ = c.wire.Close()
		return nil
	}
	return c
}

// stale: the kept connection was closed between the probe and the answer to the
// letter's first command. Nothing of the letter was sent, so a new connection can
// make no second copy.
func stale(ctx context.Context, f *Fault) bool {
	return ctx.Err() == nil && f.Stage == StageSender && (f.Code == 0 || f.Code == 421)
}

// deliver hands over one letter and keeps the connection if it is still good.
func (s *Sender) deliver(ctx context.Context, c *session, e envelope) *Fault {
	fault := s.talk(ctx, c, e)
	if fault == nil || errors.Is(fault, errScript) || fault.Code/100 == 5 || fault.Code/100 == 4 && fault.Code != 421 {
		s.kept = c
	} else {
		_ = c.wire.Close()
	}
	return fault
}

// talk is the conversation about one letter.
func (s *Sender) talk(ctx context.Context, c *session, e envelope) *Fault {
	defer c.wire.guard(ctx)()
	if offered, _ := c.client.Extension("SMTPUTF8"); e.utf8 && !offered {
		return s.fault(ctx, StageRecipient, errScript)
	}
	c.client.SkipSMTPUTF8(!e.utf8) // asking for it without need would exclude servers behind this one
	if err := accepted(c.client.Mail(path(e.from))); err != nil {
		return s.fault(ctx, StageSender, err)
	}
	if err := accepted(c.client.Rcpt(path(e.to))); err != nil {
		return s.fault(ctx, StageRecipient, err)
	}
	w, err := c.client.Data()
	if err != nil {
		return s.fault(ctx, StageContent, err)
	}
	if _, err := w.Write(e.content); err != nil {
		// The end of the letter was not sent: the server has to throw it away.
		return s.fault(ctx, StageContent, err)
	}
	if err := accepted(w.Close()); err != nil {
		fault := s.fault(ctx, StageContent, err)
		fault.Lost = !is[*textproto.Error](err)
		return fault
	}
	return nil
}

func path(address string) string { return "<" + address + ">" }
