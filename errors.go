package palate

import "errors"

// The kinds of error. Adapters translate what their technology says into one
// of these at their border, by wrapping; ask with errors.Is. Only api knows
// status codes.
var (
	// ErrNotFound: what was named does not exist.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the caller's input can't be used; the text says where and why.
	ErrInvalid = errors.New("invalid")
	// ErrUnavailable: something that palate depends on can't be reached now;
	// the same call may succeed later.
	ErrUnavailable = errors.New("unavailable")
	// ErrConflict: the call contradicts the present state, such as a lease
	// that another process holds or a model that differs.
	ErrConflict = errors.New("conflict")
	// ErrForbidden: the caller may not do it, whoever else may.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated: nobody knows who the caller is.
	ErrUnauthenticated = errors.New("unauthenticated")
)
