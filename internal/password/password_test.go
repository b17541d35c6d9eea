package password_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"tripwire/internal/password"
)

func TestOnlyThePasswordItselfIsRight(t *testing.T) {
	t.Parallel()
	h, ctx := password.NewHasher(password.DefaultMemoryMiB), context.Background()
	hash, err := h.Hash(ctx, "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "horse") {
		t.Fatalf("%s, %v", hash, err)
	}
	again, err := h.Hash(ctx, "correct horse")
	if err != nil || again == hash {
		t.Errorf("two people with one password have one hash: %v", err)
	}
	for typed, want := range map[string]bool{"correct horse": true, "Correct horse": false, "correct horse ": false, "": false} {
		if got, err := h.Verify(ctx, hash, typed); err != nil || got != want {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
}

// TestNobodysHashIsNeverRight: an account without a password lets nobody in, and
// costs what a hash costs.
func TestNobodysHashIsNeverRight(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(password.DefaultMemoryMiB)
	for _, typed := range []string{"", "x", strings.Repeat("\x00", 32)} {
		if got, err := h.Verify(context.Background(), "", typed); err != nil || got {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
	if h.PeakMiB() == 0 {
		t.Error("nothing was hashed")
	}
}

func TestWhatIsNoHashOfOursIsAnError(t *testing.T) {
	t.Parallel()
	h, ctx := password.NewHasher(password.DefaultMemoryMiB), context.Background()
	hash, err := h.Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"correct horse", "$2a$10$abcdefghijklmnopqrstuv", strings.Replace(hash, "t=2", "t=3", 1), strings.Replace(hash, "t=2", "t=0", 1),
		strings.Replace(hash, "m=19456", "m=19457", 1), strings.Replace(hash, "m=19456", "m=0", 1), strings.Replace(hash, "p=1", "p=2", 1), strings.Replace(hash, "p=1", "p=1x", 1), strings.Replace(hash, "argon2id", "argon2i", 1),
		hash[:len(hash)-1], hash + "A", strings.TrimRight(hash, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), hash[:len(hash)-2] + "**",
	} {
		if got, err := h.Verify(ctx, bad, "correct horse"); err == nil || got {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

// TestMemoryStaysWithinItsBounds however many hash at once, and one always can.
func TestMemoryStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, password.MinMemoryMiB, 45} {
		h := password.NewHasher(limit)
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				if _, err := h.Hash(context.Background(), "x"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if peak := h.PeakMiB(); peak == 0 || peak > max(limit, password.MinMemoryMiB) {
			t.Errorf("limit %d MiB, peak %d MiB", limit, peak)
		}
	}
}

func TestWhoLeavesTheQueueIsNotHashed(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(password.MinMemoryMiB)
	ctx, leave := context.WithCancel(context.Background())
	leave()
	gone := 0
	for range 50 { // a free place may be taken all the same
		if _, err := h.Verify(ctx, "", "x"); errors.Is(err, context.Canceled) {
			gone++
		}
	}
	if gone == 0 {
		t.Error("nobody left")
	}
	if _, err := h.Hash(context.Background(), "x"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestAHashIsReadAtItsOwnCost: so that raising the cost locks nobody out.
func TestAHashIsReadAtItsOwnCost(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	hash, err := password.NewWeakHasher().Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{"correct horse": true, "wrong horse": false} {
		if got, err := password.NewHasher(0).Verify(ctx, hash, typed); err != nil || got != want {
			t.Errorf("%s: %v, %v", typed, got, err)
		}
	}
}
