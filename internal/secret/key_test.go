package secret_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tripwire/internal/secret"
)

func TestProcessesThatStartTogetherGetOneKey(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	prints := make([]string, 16)
	var all sync.WaitGroup
	for i := range prints {
		all.Go(func() {
			k, err := secret.Load(folder)
			if err != nil {
				t.Error(err)
			}
			prints[i] = k.Fingerprint()
		})
	}
	all.Wait()
	for _, p := range prints {
		if p != prints[0] || p == secret.New().Fingerprint() {
			t.Fatalf("keys differ: %q", prints)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Fatalf("the folder has %v, %v", files, err)
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the key: %v, %v", info.Mode(), err)
	}
}

func TestADamagedKeyIsToldAndLeftAlone(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "short": "AAAA\n", "text": "not a key at all, by no means"} {
		folder := t.TempDir()
		file := filepath.Join(folder, secret.FileName)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Load(folder); !errors.Is(err, secret.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
		if now, err := os.ReadFile(file); err != nil || string(now) != content {
			t.Errorf("%s: the file has become %q, %v", name, now, err)
		}
	}
}

func TestWhatIsSealedOpensToItsKeyAndPurposeAlone(t *testing.T) {
	t.Parallel()
	k, text := secret.New(), "пароль 🔑"
	sealed, err := k.Seal("mail", text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Seal("mail", text)
	if err != nil || again == sealed || strings.Contains(sealed, text) {
		t.Errorf("sealed twice: %q, %q, %v", sealed, again, err)
	}
	if got, err := k.Open("mail", sealed); got != text || err != nil {
		t.Errorf("opened: %q, %v", got, err)
	}
	changed := "A" + sealed[1:]
	if sealed[0] == 'A' {
		changed = "B" + sealed[1:]
	}
	for name, open := range map[string]func() (string, error){
		"another key":     func() (string, error) { return secret.New().Open("mail", sealed) },
		"another purpose": func() (string, error) { return k.Open("post", sealed) },
		"changed":         func() (string, error) { return k.Open("mail", changed) },
		"cut":             func() (string, error) { return k.Open("mail", sealed[:8]) },
		"nothing":         func() (string, error) { return k.Open("mail", "") },
		"no base64":       func() (string, error) { return k.Open("mail", "!") },
	} {
		if got, err := open(); got != "" || !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatIsDerivedDiffers(t *testing.T) {
	t.Parallel()
	k := secret.New()
	seen := map[string]bool{}
	for _, d := range []string{k.Derive("link", "a"), k.Derive("link", "b"), k.Derive("lin", "ka"), k.Derive("link1", "a"), k.Derive("", "linka"), secret.New().Derive("link", "a"), k.Fingerprint()} {
		if seen[d] || len(d) != 43 {
			t.Errorf("%q is there twice, or short", d)
		}
		seen[d] = true
	}
	if k.Derive("link", "a") != k.Derive("link", "a") {
		t.Error("derived twice it differs")
	}
}
