// Package page draws the screens: templ components and the models they show. It
// reads nothing and decides nothing.
package page

//go:generate go tool templ generate
