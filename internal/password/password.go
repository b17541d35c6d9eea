// Package password hashes passwords within a set amount of memory.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"tripwire/internal/school"
)

const (
	memoryKiB = 19 * 1024 // the most that one hash takes
	lanes     = 1
	keyLen    = 32
	saltLen   = 16
)

// cost of one hash.
type cost struct{ memoryKiB, passes uint32 }

var (
	// standard is OWASP's first choice for argon2id with one lane; about 30 ms of a core.
	standard = cost{memoryKiB, 2}
	weak     = cost{64, 1}
)

// DefaultMemoryMiB is enough for one hash on each core of a small machine.
const DefaultMemoryMiB = 64

// maxWaiting bounds the line before the hasher; whoever comes then is told to try
// again, and does not wait for half a minute.
const maxWaiting = 1000

// MinMemoryMiB is what one hash needs.
const MinMemoryMiB = memoryKiB/1024 + 1

// Hasher makes and verifies hashes, never more at once than its memory allows.
type Hasher struct {
	permits chan struct{}
	waiting atomic.Int64
	working atomic.Int64
	peak    atomic.Int64
	cost    cost
	// nobody is verified against when an account has no hash, so that unknown
	// and known accounts take the same time.
	nobody string
}

// NewHasher answers a hasher that holds at most memoryMiB for hashing. More than
// one hash per core would only make every caller wait longer.
func NewHasher(memoryMiB int) *Hasher { return newHasher(memoryMiB, standard) }

// NewWeakHasher answers a hasher for tests of everything but the hashing: its
// hashes cost next to nothing and protect nobody. The program itself has no call
// of it.
func NewWeakHasher() *Hasher { return newHasher(DefaultMemoryMiB, weak) }

func newHasher(memoryMiB int, c cost) *Hasher {
	n := max(1, min(memoryMiB*1024/memoryKiB, runtime.NumCPU()))
	return &Hasher{permits: make(chan struct{}, n), cost: c, nobody: encode(c, make([]byte, saltLen), make([]byte, keyLen))}
}

// Hash answers the argon2id hash in PHC form. Errors: the context's, when the
// caller leaves before its turn; Unavailable when too many wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	key, err := h.key(ctx, h.cost, password, salt)
	if err != nil {
		return "", err
	}
	return encode(h.cost, salt, key), nil
}

// Verify reports whether the password is the one that was hashed. An empty hash
// is never right and takes as long as a wrong one.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	c, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	key, err := h.key(ctx, c, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, want) == 1 && known, nil
}

// PeakMiB answers the most memory that was ever held for hashing at once.
func (h *Hasher) PeakMiB() int { return int(h.peak.Load()) * memoryKiB / 1024 }

func (h *Hasher) key(ctx context.Context, c cost, password string, salt []byte) ([]byte, error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, school.ErrUnavailable
	}
	defer h.waiting.Add(-1)
	select {
	case h.permits <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n := h.working.Add(1)
	for old := h.peak.Load(); n > old && !h.peak.CompareAndSwap(old, n); old = h.peak.Load() {
	}
	defer func() {
		h.working.Add(-1)
		<-h.permits
	}()
	return argon2.IDKey([]byte(password), salt, c.passes, c.memoryKiB, lanes, keyLen), nil
}

var b64 = base64.RawStdEncoding

func encode(c cost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memoryKiB, c.passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("the stored hash is not one of ours")

// decode reads a hash with the cost that it was made at, which is not more than
// the standard.
func decode(hash string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return c, nil, nil, errHash
	}
	_, errCost := fmt.Sscanf(parts[3], "m=%d,t=%d,", &c.memoryKiB, &c.passes)
	salt, errSalt := b64.DecodeString(parts[4])
	key, errKey := b64.DecodeString(parts[5])
	switch {
	case errors.Join(errCost, errSalt, errKey) != nil, len(key) != keyLen, encode(c, salt, key) != hash,
		c.memoryKiB == 0, c.memoryKiB > standard.memoryKiB, c.passes == 0, c.passes > standard.passes:
		return c, nil, nil, errHash
	}
	return c, salt, key, nil
}
