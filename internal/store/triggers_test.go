package store_test

import (
	"context"
	"testing"

	"tripwire/internal/store"
	"tripwire/internal/store/storetest"
)

// TestAFunctionWithOtherRightsIsEdited: the same body run as the caller fails
// every creation on PostgreSQL.
func TestAFunctionWithOtherRightsIsEdited(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"SECURITY INVOKER", "RESET search_path"} {
		target := storetest.Postgres(t)
		if _, err := target.Raw(t).Exec("ALTER FUNCTION auto_unlock_first_module() " + change); err != nil {
			t.Fatal(err)
		}
		wantFault(t, target, store.TriggerFault{Name: "auto_unlock_first_module()", Fault: "edited"})
	}
}

// TestAForeignTriggerIsSeen: a second writer of the first unlock is how the old
// failure began. It is told and left alone.
func TestAForeignTriggerIsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, target storetest.Target) {
		statement := "CREATE TRIGGER helpful AFTER INSERT ON tripwire_users FOR EACH ROW BEGIN SELECT 1; END"
		if target.Engine == "postgres" {
			statement = "CREATE TRIGGER helpful AFTER INSERT ON tripwire_users FOR EACH ROW EXECUTE FUNCTION auto_unlock_first_module()"
		}
		if _, err := target.Raw(t).Exec(statement); err != nil {
			t.Fatal(err)
		}
		wantFault(t, target, store.TriggerFault{Name: "helpful", Fault: "foreign"})
		target.Open(t)
	})
}

func wantFault(t *testing.T, target storetest.Target, want store.TriggerFault) {
	t.Helper()
	s, err := store.Connect(context.Background(), target.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if faults, err := s.TriggerFaults(context.Background()); err != nil || len(faults) != 1 || faults[0] != want {
		t.Errorf("faults %v, %v; want %v", faults, err, want)
	}
}
