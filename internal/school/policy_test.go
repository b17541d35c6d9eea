package school_test

import (
	"errors"
	"testing"

	"tripwire/internal/school"
)

// TestPolicyIsExactlyThis writes the policy down a second time: a change of who
// may do what has to be made in two places.
func TestPolicyIsExactlyThis(t *testing.T) {
	t.Parallel()
	permissions := []school.Permission{
		school.ViewStudents, school.CreateStudents, school.EditStudents, school.GrantModules,
		school.Study, school.ManageStaff, school.ManageSchool,
	}
	const none, own, all = "none", "own", "all"
	want := map[school.Role][]string{
		school.RoleAdmin:   {all, all, all, all, none, all, all},
		school.RoleSales:   {own, own, own, own, none, none, none},
		school.RoleStudent: {none, none, none, none, own, none, none},
		"owner":            {none, none, none, none, none, none, none}, // a role nobody has heard of
		"ADMIN":            {none, none, none, none, none, none, none},
	}
	for role, reaches := range want {
		me := school.Actor{ID: "me", Role: role}
		for i, p := range permissions {
			scope, err := me.Scope(p)
			got := none
			switch {
			case err != nil && !errors.Is(err, school.ErrForbidden):
				t.Errorf("%s, %s: %v", role, p, err)
			case err != nil && scope != (school.Scope{}):
				t.Errorf("%s, %s: refused with %+v", role, p, scope)
			case err == nil && scope.All:
				got = all
			case err == nil && scope.Owner == "me":
				got = own
			}
			if got != reaches[i] {
				t.Errorf("%s has %s at %s, want %s", role, p, got, reaches[i])
			}
			if (me.May(p) == nil) != (got != none) {
				t.Errorf("%s, %s: May and Scope differ", role, p)
			}
		}
	}
}

func TestNobodyIsAskedToLogIn(t *testing.T) {
	t.Parallel()
	if _, err := (school.Actor{ID: "x"}).Scope(school.ViewStudents); !errors.Is(err, school.ErrNotLoggedIn) {
		t.Fatal(err)
	}
	for _, a := range []school.Actor{school.Terminal(), school.System()} {
		if s, err := a.Scope(school.ManageSchool); err != nil || !s.All {
			t.Errorf("%s: %+v, %v", a.Door, s, err)
		}
		if err := a.May(school.Study); !errors.Is(err, school.ErrForbidden) {
			t.Errorf("%s studies: %v", a.Door, err)
		}
	}
}

func TestStaffAreAdminAndSales(t *testing.T) {
	t.Parallel()
	for role, want := range map[school.Role]bool{school.RoleAdmin: true, school.RoleSales: true, school.RoleStudent: false, "": false, "Admin": false} {
		if role.Staff() != want {
			t.Errorf("%q: %v", role, !want)
		}
	}
}
