package school

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind says what the caller can do about an error. It is the only thing a door
// needs to choose a status.
type Kind int

// The kinds, with the HTTP status that package problem gives each.
const (
	Internal        Kind = iota // 500: ours to mend; never shown in detail
	Invalid                     // 422: correct the fields and send again
	Unauthenticated             // 401: log in first
	Forbidden                   // 403: not with this role
	NotFound                    // 404: absent, or not the actor's to know about
	Conflict                    // 409: the rows already there say no
	Limited                     // 429: wait, then send again
	Unavailable                 // 503: not now; the same call may pass later
)

// Error is the one error type that users see. Everything that is not an *Error
// is Internal.
type Error struct {
	Kind Kind
	// Code is stable and documented; scripts may rely on it. Every code has a
	// sentence in each language of the screen.
	Code string
	// Text is one English sentence, for logs and the terminal.
	Text string
	// Fields gives the code of what is wrong with each field of a form.
	Fields map[string]string
	// Params are what the sentence mentions: a name, an id, a number.
	Params map[string]string
}

func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Code + ": " + e.Text
	}
	parts := make([]string, 0, len(e.Fields))
	for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
		parts = append(parts, field+"="+e.Fields[field])
	}
	return fmt.Sprintf("%s: %s (%s)", e.Code, e.Text, strings.Join(parts, ", "))
}

// Is lets errors.Is compare by code, so that callers can name an error without
// its parameters.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code
}

// AtField returns an Invalid error that puts the code of e at a field.
func (e *Error) AtField(field string) *Error {
	at := *ErrInvalidInput
	at.Fields = map[string]string{field: e.Code}
	return &at
}

// With returns a copy of e that carries one more parameter.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Params = maps.Clone(e.Params)
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params[name] = value
	return &c
}

// KindOf answers the kind of any error; Internal for what is not an *Error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Faults collects what is wrong with the fields of one input.
type Faults map[string]string

// Add notes the code for a field, if err is not nil and the field has none yet.
func (f Faults) Add(field string, err error) {
	if err == nil {
		return
	}
	if _, taken := f[field]; taken {
		return
	}
	if e, ok := errors.AsType[*Error](err); ok {
		f[field] = e.Code
		return
	}
	f[field] = ErrInvalidInput.Code
}

// Err answers nil, or one Invalid error that names every field.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	e := *ErrInvalidInput
	e.Fields = f
	return &e
}
