package store_test

import (
	"context"
	"testing"

	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestTheFirstStartLaysTheOwnersRightsDownToo: the connection that looked for
// migrations was opened before the application's role existed, and must not go
// on as the owner.
func TestTheFirstStartLaysTheOwnersRightsDownToo(t *testing.T) {
	t.Parallel()
	s, err := store.Open(context.Background(), store.Options{URL: storetest.EmptyPostgres(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Statements(context.Background(), "DROP TRIGGER auto_unlock_first_module_on_user_creation ON tripwire_users"); err == nil {
		t.Fatal("the trigger could be dropped")
	}
}
