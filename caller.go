package palate

import (
	"context"
	"slices"
)

// Caller is who asks for something, and what that caller may do. It travels in
// the context. The zero Caller may look at the collection and nothing else.
type Caller struct {
	Name string // for logs; empty is nobody in particular

	// Manages allows what changes the collection: pictures, profiles, jobs.
	Manages bool

	// LooksOnly leaves the profiles as they are: what they said may be read, and
	// nothing said in their name.
	LooksOnly bool

	// AnyProfile allows every profile's ratings, probe and scores; Profiles
	// are those that are allowed otherwise.
	AnyProfile bool
	Profiles   []Profile
}

// Anyone is a caller that may do everything: the owner on the command line, and
// whoever reaches a server without accounts.
var Anyone = Caller{Manages: true, AnyProfile: true}

// May reports whether the caller may read and change what a profile says.
func (c Caller) May(p Profile) bool { return c.AnyProfile || slices.Contains(c.Profiles, p) }

// Profile is whom the caller means where none is named: DefaultProfile, else the
// first that is allowed. False if there is none.
func (c Caller) Profile() (Profile, bool) {
	switch {
	case c.May(DefaultProfile):
		return DefaultProfile, true
	case len(c.Profiles) > 0:
		return c.Profiles[0], true
	}
	return "", false
}

type callerKey struct{}

// WithCaller gives a context in which this caller asks.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf gives who asks; without a word it is the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
