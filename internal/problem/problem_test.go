package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tripwire/internal/problem"
	"tripwire/internal/school"
)

// TestEveryKindHasItsStatus: clients go by the status, so a kind keeps it.
func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	for kind, status := range map[school.Kind]int{
		school.Internal: 500, school.Invalid: 422, school.Unauthenticated: 401, school.Forbidden: 403,
		school.NotFound: 404, school.Conflict: 409, school.Limited: 429, school.Unavailable: 503,
	} {
		err := &school.Error{Kind: kind, Code: "x"}
		if got := problem.Status(fmt.Errorf("wrapped: %w", err)); got != status {
			t.Errorf("kind %d: %d, want %d", kind, got, status)
		}
	}
	for err, status := range map[error]int{
		school.ErrTooLarge:                                         413,
		errors.New("disk sda3 is on fire"):                         500,
		&school.Error{Kind: 99, Code: "new"}:                       500,
		errors.Join(school.ErrUnavailable, errors.New("deadlock")): 503,
	} {
		if got := problem.Status(err); got != status {
			t.Errorf("%v: %d, want %d", err, got, status)
		}
	}
}

// TestOnlyOurOwnErrorsAreShown: whatever else went wrong tells nothing.
func TestOnlyOurOwnErrorsAreShown(t *testing.T) {
	t.Parallel()
	inside := fmt.Errorf("dial 10.0.0.7 as tripwire:hunter2: %w", errors.New("refused"))
	if got := problem.Shown(inside); got != school.ErrInternal {
		t.Errorf("shown: %v", got)
	}
	b, err := json.Marshal(problem.BodyOf(inside, "Something broke", "REQ"))
	if err != nil || strings.Contains(string(b), "hunter2") || strings.Contains(string(b), "refused") {
		t.Errorf("body: %s, %v", b, err)
	}
	joined := errors.Join(school.ErrUnavailable, inside)
	if got := problem.Shown(joined); got != school.ErrUnavailable {
		t.Errorf("shown: %v", got)
	}
	if b, _ := json.Marshal(problem.BodyOf(joined, "Busy", "REQ")); strings.Contains(string(b), "hunter2") {
		t.Errorf("body: %s", b)
	}
}

// TestTheBody is what RFC 9457 and our documentation promise.
func TestTheBody(t *testing.T) {
	t.Parallel()
	err := school.ErrStudentExists.With("student_id", "0193")
	b, failed := json.Marshal(problem.BodyOf(err, "There is one already", "REQ"))
	if failed != nil {
		t.Fatal(failed)
	}
	want := `{"type":"about:blank","title":"There is one already","status":409,"code":"student_exists",` +
		`"fields":{"email":"student_exists"},"params":{"student_id":"0193"},"request_id":"REQ"}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
}
