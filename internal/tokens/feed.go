package tokens

import (
	"context"
	"slices"

	"github.com/palate-art/palate"
)

// CreateFeed makes a secret for the address of a profile's feed: it opens the
// feed and the pictures in it, and nothing else. It is told here and nowhere
// else. ErrInvalid if there can be no such profile.
func (s *Store) CreateFeed(ctx context.Context, p palate.Profile) (secret string, err error) {
	_, secret, err = s.add(ctx, Feed, Wish{Name: "feed of " + string(p), Scope: Read, Profiles: []string{string(p)}}, "")
	return secret, err
}

// RevokeFeeds takes back every address of a profile's feed, and says how many
// there were.
func (s *Store) RevokeFeeds(ctx context.Context, p palate.Profile) (revoked int, err error) {
	err = s.change(ctx, func(all *file) error {
		before := len(all.Tokens)
		all.Tokens = slices.DeleteFunc(all.Tokens, func(t kept) bool { return t.isFeedOf(p) })
		revoked = before - len(all.Tokens)
		return nil
	})
	return revoked, err
}

func (t Token) isFeedOf(p palate.Profile) bool {
	return t.Kind == Feed && slices.Contains(t.Profiles, p)
}

// forgetFeeds leaves the newest addresses of a profile's feed.
func forgetFeeds(all []kept, p palate.Profile) []kept {
	feeds := 0
	for _, t := range all {
		if t.isFeedOf(p) {
			feeds++
		}
	}
	return slices.DeleteFunc(all, func(t kept) bool {
		gone := t.isFeedOf(p) && feeds > maxFeeds
		if gone {
			feeds--
		}
		return gone
	})
}
