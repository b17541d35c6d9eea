//go:build race

package desk_test

// propertyTries is how many random histories a property is tried on. The race detector
// makes SQLite, which is Go here, more than ten times slower, and looks for
// something else than these properties say; chance is another in each run.
const propertyTries = 8
