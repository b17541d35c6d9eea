// Package e2e_test drives the built binary as people do: through a browser and
// a terminal, on both engines, and looks at the rows only from outside.
package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a condition is waited for. What holds is seen within
// milliseconds; this is for a busy machine.
const patience = 20 * time.Second

// What every test drives.
var (
	binary   string
	chromium string
)

func TestMain(m *testing.M) { os.Exit(prepared(m)) }

func prepared(m *testing.M) int {
	var err error
	if chromium, err = exec.LookPath("chromium-headless-shell"); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: there is no chromium-headless-shell; install it with: apt-get install chromium-headless-shell")
		return 1
	}
	dir, err := os.MkdirTemp("", "tripwire-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "tripwire")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "tripwire/cmd/tripwire")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: build:", err)
		return 1
	}
	return m.Run()
}

// keep writes what a failed test leaves behind into artefacts/ at the root of
// the repository.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	dir := filepath.Join("..", "..", "artefacts", strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Log(err)
		return
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Log(err)
		return
	}
	t.Logf("kept %s", file)
}
