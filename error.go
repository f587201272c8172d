package muster

import (
	"errors"
	"fmt"
)

// A Code classifies an Error. The set is closed: api maps it to HTTP, cli to
// the exit code, each in one place.
type Code string

const (
	CodeInvalid     Code = "invalid"     // what the user wrote is wrong; exit 1, HTTP 400
	CodeUsage       Code = "usage"       // the command line is wrong; exit 2
	CodeNotFound    Code = "not_found"   // exit 1, HTTP 404
	CodeConflict    Code = "conflict"    // somebody else has it or does it; exit 1, HTTP 409
	CodeForbidden   Code = "forbidden"   // exit 1, HTTP 403
	CodeUnavailable Code = "unavailable" // Muster does not answer; exit 1, HTTP 503
	CodeFailed      Code = "failed"      // it was tried and did not work; exit 1, HTTP 422
	CodeInternal    Code = "internal"    // Muster's own fault; exit 1, HTTP 500
)

// An Error is what a user sees: what failed, where, and what to do next.
type Error struct {
	Code    Code      `json:"code"`
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"` // an imperative, after "try"
	Pos     *Position `json:"position,omitempty"`
	Err     error     `json:"-"`
}

func (e *Error) Error() string {
	s := e.Message
	if e.Pos != nil {
		s = e.Pos.String() + ": " + s
	}
	if e.Hint != "" {
		s += "; try " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with a hint; the hint may be empty.
func Errorf(code Code, hint, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: wrapped.Error(), Hint: hint, Err: errors.Unwrap(wrapped)}
}

// ErrorAt returns a CodeInvalid Error at a place in a user's file.
func ErrorAt(pos Position, hint, format string, args ...any) *Error {
	e := Errorf(CodeInvalid, hint, format, args...)
	e.Pos = &pos
	return e
}

// AsError returns err as an Error, wrapping what is not one as internal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: err.Error(), Err: err}
}
