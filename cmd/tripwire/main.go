// Command tripwire is an enrolment desk and a short-course platform in one
// program. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tripwire/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Environ()})
	stop()
	os.Exit(code)
}
