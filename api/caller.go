package api

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
)

// resolve gives the profile of that name, if the caller may use it.
func resolve(ctx context.Context, name string) (palate.Profile, error) {
	p, err := palate.ParseProfile(name)
	if err == nil && !palate.CallerOf(ctx).May(p) {
		return "", fmt.Errorf("profile %s is not this caller's: %w", p, palate.ErrForbidden)
	}
	return p, err
}

// resolveOr is resolve where a request may name none.
func resolveOr(ctx context.Context, name *string) (palate.Profile, error) {
	if name != nil {
		return resolve(ctx, *name)
	}
	p, has := palate.CallerOf(ctx).Profile()
	if !has {
		return "", fmt.Errorf("this caller has no profile: %w", palate.ErrForbidden)
	}
	return p, nil
}
