package page

import (
	"testing"

	"tripwire/internal/school"
)

func TestEveryActionHasAnIconOfItsOwn(t *testing.T) {
	t.Parallel()
	taken := map[string]school.Action{}
	for _, a := range school.Actions() {
		name := activityIcons[a]
		if icons[name] == "" {
			t.Errorf("the action %q has no icon: %q", a, name)
		}
		if other, twice := taken[name]; twice {
			t.Errorf("the actions %q and %q have the same icon", a, other)
		}
		taken[name] = a
	}
	for a := range activityIcons {
		if taken[activityIcons[a]] != a {
			t.Errorf("%q has an icon and is no action", a)
		}
	}
}
