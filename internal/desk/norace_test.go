//go:build !race

package desk_test

// propertyTries is how many random histories a property is tried on.
const propertyTries = 60
