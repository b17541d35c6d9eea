package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"tripwire/internal/desk"
	"tripwire/internal/server"
	"tripwire/internal/store"
	"tripwire/internal/web"
	"tripwire/internal/worker"
)

type serveCommand struct {
	Database databaseFlags `embed:""`
	Server   serverFlags   `embed:""`
	Mail     mailFlags     `embed:""`
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(ctx context.Context, stdio IO) error {
	log := logger(stdio.Err, c.Server.LogFormat)
	var wrong faults
	options := c.Database.options(&wrong, log)
	around := c.Server.check(&wrong)
	post := c.Mail.check(&wrong)
	wrong.checkEnvironment(stdio.Env)
	if err := wrong.err(); err != nil {
		return err
	}
	s, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	d, err := c.Database.desk(ctx, s, around.hashMemory, post)
	if err == nil {
		err = serve(ctx, stdio, log, d, around)
	}
	return errors.Join(err, s.Close())
}

// serve runs the doors and the back room over a desk, and waits for both.
func serve(ctx context.Context, stdio IO, log *slog.Logger, d *desk.Desk, around surroundings) error {
	if err := d.PrepareSchool(ctx); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", around.addr)
	if err != nil {
		return err
	}
	around.baseURL = withPort(around.baseURL, l)
	handler, err := web.New(d, web.Options{BaseURL: around.baseURL, Log: log, Proxies: around.proxies, Stopping: ctx.Done()})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := announce(ctx, stdio, d, around.baseURL); err != nil {
		return errors.Join(err, l.Close())
	}
	// The back room works until the last request is answered.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var back sync.WaitGroup
	back.Go(func() { worker.Run(working, d, worker.Options{Log: log, BaseURL: around.baseURL}) })
	back.Go(func() { examine(ctx, d, log) })
	err = server.Serve(ctx, l, handler, log)
	stop()
	back.Wait()
	return err
}

// announce says where the desk is, and how its first administrator gets in.
func announce(ctx context.Context, stdio IO, d *desk.Desk, baseURL string) error {
	path, err := d.OfferSetup(ctx)
	if err != nil {
		return err
	}
	if path == "" {
		_, err = fmt.Fprintf(stdio.Out, "Tripwire is at %s\n", baseURL)
		return err
	}
	_, err = fmt.Fprintf(stdio.Out, "Tripwire is at %s\n\nNobody can log in yet. Open this link once, within a day, to become its first administrator:\n  %s\n", baseURL, baseURL+path)
	return err
}

// withPort puts the port that the system chose into an address that asked for
// any.
func withPort(baseURL string, l net.Listener) string {
	host, ok := strings.CutSuffix(baseURL, ":0")
	tcp, isTCP := l.Addr().(*net.TCPAddr)
	if !ok || !isTCP {
		return baseURL
	}
	return fmt.Sprintf("%s:%d", host, tcp.Port)
}

// examine looks for what a start need not wait for: rows that are not as the
// automation should have left them. It only tells; doctor mends.
func examine(ctx context.Context, d *desk.Desk, log *slog.Logger) {
	findings, err := d.Examine(ctx)
	if err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "examine the database", "error", err.Error())
	}
	// Counts only: the findings name people.
	count := map[string]int{}
	for _, f := range findings {
		count[f.Check]++
	}
	for check, n := range count {
		log.ErrorContext(ctx, "the database is not as it should be; run: tripwire doctor", "check", check, "findings", n)
	}
}
