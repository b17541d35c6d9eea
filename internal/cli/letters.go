package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tripwire/internal/desk"
	"tripwire/internal/locale"
	"tripwire/internal/school"
)

type lettersCommand struct {
	Database databaseFlags `embed:""`
	Mail     mailFlags     `embed:""`

	List   lettersList   `cmd:"" help:"List letters, the newest first, with what became of them."`
	Retry  lettersRetry  `cmd:"" help:"Have letters tried again at once."`
	Test   lettersTest   `cmd:"" help:"Send a letter now and say what the mail server answers."`
	Bounce lettersBounce `cmd:"" help:"Note a bounce: a mail on standard input, as a mail server hands it to a program."`
}

type lettersList struct {
	State string `placeholder:"STATE" help:"Only these: queued, sending, deferred, accepted, refused, given_up, bounced, cancelled."`
	Limit int    `default:"50" help:"How many at most (${default})."`
}

// Run lists the letters.
func (c *lettersList) Run(ctx context.Context, stdio IO, parent *commands) error {
	state := school.ParseLetterState(c.State)
	if c.State != "" && state == "" {
		return fmt.Errorf("--state: %q is not a state of letters", c.State)
	}
	return parent.Letters.Database.atDesk(ctx, stdio, parent.Letters.Mail, func(d *desk.Desk) error {
		out := tabwriter.NewWriter(stdio.Out, 0, 0, 2, ' ', 0)
		err := eachLetter(ctx, d, school.LetterFilter{State: state}, c.Limit, func(l school.Letter) error {
			_, err := fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.QueuedAt.Format(time.RFC3339), l.Kind, l.Email, l.State, whyLetter(l))
			return err
		})
		return errors.Join(err, out.Flush())
	})
}

// whyLetter says why a letter is not there yet.
func whyLetter(l school.Letter) string {
	switch {
	case l.Reply != "":
		return l.Reply
	case l.State == school.LetterDeferred:
		return "again at " + l.DueAt.Format(time.RFC3339)
	default:
		return l.Cause
	}
}

// eachLetter goes through the pages of the outbox.
func eachLetter(ctx context.Context, d *desk.Desk, f school.LetterFilter, limit int, do func(school.Letter) error) error {
	for limit > 0 {
		page, err := d.Letters(ctx, school.Terminal(), f)
		if err != nil {
			return err
		}
		for _, l := range page.Letters[:min(limit, len(page.Letters))] {
			if err := do(l); err != nil {
				return err
			}
			f.Before = l.ID
		}
		if limit -= len(page.Letters); !page.More {
			return nil
		}
	}
	return nil
}

type lettersRetry struct {
	IDs    []int64 `arg:"" optional:"" name:"id" help:"Numbers of letters, as list shows them."`
	Failed bool    `help:"All that were refused or given up in the last week."`
}

// maxRetried bounds how many letters one command brings back.
const maxRetried = 10_000

// Run queues the letters again.
func (c *lettersRetry) Run(ctx context.Context, stdio IO, parent *commands) error {
	if len(c.IDs) == 0 && !c.Failed {
		return errors.New("say which letters: numbers, or --failed")
	}
	return parent.Letters.Database.atDesk(ctx, stdio, parent.Letters.Mail, func(d *desk.Desk) error {
		ids := c.IDs
		if c.Failed {
			since := time.Now().AddDate(0, 0, -7)
			for _, state := range []school.LetterState{school.LetterRefused, school.LetterGivenUp} {
				err := eachLetter(ctx, d, school.LetterFilter{State: state}, maxRetried, func(l school.Letter) error {
					if l.QueuedAt.After(since) {
						ids = append(ids, l.ID)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		}
		var failed error
		for _, id := range ids {
			if err := d.RetryLetter(ctx, school.Terminal(), id); err != nil {
				_, _ = fmt.Fprintf(stdio.Err, "tripwire: letter %d: %v\n", id, err)
				failed = errSilent
				continue
			}
			if _, err := fmt.Fprintf(stdio.Out, "letter %d will be tried now\n", id); err != nil {
				return err
			}
		}
		return failed
	})
}

type lettersTest struct {
	To      string `required:"" placeholder:"ADDRESS" help:"To whom."`
	BaseURL string `name:"base-url" env:"TRIPWIRE_BASE_URL" default:"http://localhost:8080" placeholder:"URL" help:"Address of the desk, which the letter mentions."`
}

// Run sends a letter and waits for the answer.
func (c *lettersTest) Run(ctx context.Context, stdio IO, parent *commands) error {
	return parent.Letters.Database.atDesk(ctx, stdio, parent.Letters.Mail, func(d *desk.Desk) error {
		trial, err := d.HandOver(ctx, school.Terminal(), c.To, c.BaseURL)
		if err != nil {
			return err
		}
		if trial.Cause != "" {
			p := locale.Printer{Lang: school.English}
			return fmt.Errorf("%s (%s): %s", p.T("mail_cause."+trial.Cause), trial.Cause, trial.Words)
		}
		_, err = fmt.Fprintf(stdio.Out, "the mail server has taken the letter to %s\n", c.To)
		return err
	})
}

type lettersBounce struct{}

// maxBounce is the longest mail that is read; reports of bounces are short.
const maxBounce = 1 << 20

// Run notes what came back.
func (lettersBounce) Run(ctx context.Context, stdio IO, parent *commands) error {
	mail, err := io.ReadAll(io.LimitReader(stdio.In, maxBounce))
	if err != nil {
		return err
	}
	return parent.Letters.Database.atDesk(ctx, stdio, parent.Letters.Mail, func(d *desk.Desk) error {
		n, err := d.TakeBounce(ctx, school.Terminal(), mail)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdio.Out, "noted %d\n", n)
		return err
	})
}
