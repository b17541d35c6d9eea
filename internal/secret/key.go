// Package secret keeps the key of an installation. What is derived from it or
// sealed with it opens nothing to whoever has the database alone.
package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// Key is 256 random bits. It has no String: it must not come into a log.
type Key struct{ bits [32]byte }

// FileName is where a data folder has its key.
const FileName = "secret.key"

// ErrUnreadable: the file is there and is no key.
var ErrUnreadable = errors.New("the key file is damaged; put back the copy that belongs to this database")

// New answers a fresh key.
func New() (k Key) {
	_, _ = rand.Read(k.bits[:]) // never fails: it ends the process instead
	return k
}

// Load reads the key of a data folder, which gets one when it has none. Processes
// that start together get the same one. Errors: ErrUnreadable, and those of files.
func Load(folder string) (Key, error) {
	file := filepath.Join(folder, FileName)
	k, err := Read(folder)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return k, err
	}
	if err := create(file); err != nil && !errors.Is(err, fs.ErrExist) {
		return k, fmt.Errorf("make the key of the data folder: %w", err)
	}
	return Read(folder)
}

// Read answers the key of a data folder that has one. Errors: ErrUnreadable,
// fs.ErrNotExist, and those of files.
func Read(folder string) (k Key, err error) {
	file := filepath.Join(folder, FileName)
	text, err := os.ReadFile(file) //nolint:gosec // the data folder is the administrator's
	if err != nil {
		return k, err
	}
	bits, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(bits) != len(k.bits) {
		return k, fmt.Errorf("%s: %w", file, ErrUnreadable)
	}
	copy(k.bits[:], bits)
	return k, nil
}

// create puts a whole file in place, or finds that another process has: half a key
// is never seen.
func create(file string) error {
	k := New()
	draft, err := os.CreateTemp(filepath.Dir(file), FileName+".*") // private: 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }() // the link to it stays
	_, err = draft.WriteString(base64.StdEncoding.EncodeToString(k.bits[:]) + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Link(draft.Name(), file)
}

// Derive answers 256 bits in URL-safe text that only the holder of the key can
// know, different for each purpose and name.
func (k Key) Derive(purpose, name string) string {
	mac := hmac.New(sha256.New, k.bits[:])
	_, _ = fmt.Fprintf(mac, "%d:%s%s", len(purpose), purpose, name) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Fingerprint is by what the key is known again. It tells nothing of the key.
func (k Key) Fingerprint() string { return k.Derive("fingerprint", "") }

// Seal answers text that only the holder of the key can read, and only for the same
// purpose.
func (k Key) Seal(purpose, text string) (string, error) {
	aead, err := chacha20poly1305.NewX(k.bits[:])
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(text), []byte(purpose))), nil
}

// ErrSealed: the text was sealed with another key, for another purpose, or changed.
var ErrSealed = errors.New("what was sealed cannot be opened with this key")

// Open reads what Seal has sealed. Errors: ErrSealed.
func (k Key) Open(purpose, sealed string) (string, error) {
	box, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrSealed
	}
	aead, err := chacha20poly1305.NewX(k.bits[:])
	if err != nil {
		return "", err
	}
	if len(box) < aead.NonceSize() {
		return "", ErrSealed
	}
	text, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], []byte(purpose))
	if err != nil {
		return "", ErrSealed
	}
	return string(text), nil
}
