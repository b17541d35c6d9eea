// Package problem turns an error into what a door answers: a status and a body.
package problem

import (
	"errors"
	"net/http"

	"tripwire/internal/school"
)

// Status answers the HTTP status of an error.
func Status(err error) int {
	if errors.Is(err, school.ErrTooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	switch school.KindOf(err) {
	case school.Invalid:
		return http.StatusUnprocessableEntity
	case school.Unauthenticated:
		return http.StatusUnauthorized
	case school.Forbidden:
		return http.StatusForbidden
	case school.NotFound:
		return http.StatusNotFound
	case school.Conflict:
		return http.StatusConflict
	case school.Limited:
		return http.StatusTooManyRequests
	case school.Unavailable:
		return http.StatusServiceUnavailable
	case school.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// Shown answers the part of an error that a user may see. What is not a
// *school.Error is Internal and tells nothing.
func Shown(err error) *school.Error {
	if e, ok := errors.AsType[*school.Error](err); ok {
		return e
	}
	return school.ErrInternal
}

// Body is an error in the form of RFC 9457.
type Body struct {
	Type      string            `json:"type"`
	Title     string            `json:"title"`
	Status    int               `json:"status"`
	Code      string            `json:"code"`
	Fields    map[string]string `json:"fields,omitempty"`
	Params    map[string]string `json:"params,omitempty"`
	RequestID string            `json:"request_id"`
}

// ContentType is that of a Body.
const ContentType = "application/problem+json"

// BodyOf answers the body for an error; title is its sentence in the reader's
// language.
func BodyOf(err error, title, requestID string) Body {
	e := Shown(err)
	return Body{
		Type: "about:blank", Title: title, Status: Status(err), Code: e.Code,
		Fields: e.Fields, Params: e.Params, RequestID: requestID,
	}
}
