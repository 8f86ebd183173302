package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
)

const (
	// feedKey is the query parameter that opens a feed.
	feedKey = "key"

	defaultFeedDays  = 14
	feedLikes        = 3 // that a picture of a feed is compared to
	feedWidth        = 640
	feedRoute        = "/v1/profiles/:profile/feed.atom"
	feedPictureRoute = "/v1/profiles/:profile/feed-pictures/:image"
)

// GetFeed answers with what crawls and subscriptions brought lately, as Atom.
func (s *Server) GetFeed(ctx context.Context, request GetFeedRequestObject) (GetFeedResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	p := request.Params
	since := time.Now().AddDate(0, 0, -valueOr(p.Days, defaultFeedDays))
	list, err := s.newFor(ctx, profile, since, p.MinProbability)
	if err != nil {
		return nil, err
	}
	entries := list.entries[:min(len(list.entries), valueOr(p.Limit, defaultLimit))]
	ids := make([]palate.ImageID, len(entries))
	for i, e := range entries {
		ids[i] = e.image
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	likes, err := s.nearestLikes(ctx, profile, ids, feedLikes)
	if err != nil {
		return nil, err
	}
	identity, err := s.services.Catalog.Identity(ctx)
	if err != nil {
		return nil, err
	}
	f := feedAt(requestOf(ctx), profile, identity.Catalog)
	for _, e := range entries {
		if image, there := images[e.image]; there {
			f.add(e, image, likes[e.image])
		}
	}
	if len(f.Entries) == 0 {
		newest, err := s.services.Catalog.ListImages(ctx, catalog.ImageQuery{Limit: 1})
		if err != nil {
			return nil, err
		}
		for _, image := range newest.Images {
			f.Updated = image.AddedAt.UTC()
		}
	}
	return f, nil
}

// newFor is what came since a moment by crawls and nobody of the profile has
// judged, the best chance first; before the first judgement the newest first.
// With a least chance, where none can be told, it is empty: a reader takes an
// error for a feed that is gone.
func (s *Server) newFor(ctx context.Context, profile palate.Profile, since time.Time, least *float64) (*snapshot, error) {
	crawled, judged := true, SnapshotJudgedNotJudged
	in := SnapshotInput{Order: SnapshotOrderBestFirst, AddedAfter: &since, Crawled: &crawled, Judged: &judged, MinProbability: least}
	list, err := s.makeList(ctx, profile, in)
	switch {
	case errors.Is(err, taste.ErrNoChance):
		return &snapshot{}, nil
	case !errors.Is(err, palate.ErrConflict):
		return list, err
	case least != nil:
		return &snapshot{}, nil
	}
	in.Order = SnapshotOrderNewestFirst
	return s.makeList(ctx, profile, in)
}

// GetFeedPicture sends a picture of a feed, in small.
func (s *Server) GetFeedPicture(ctx context.Context, request GetFeedPictureRequestObject) (GetFeedPictureResponseObject, error) {
	if _, err := resolve(ctx, request.Profile); err != nil {
		return nil, err
	}
	id, err := palate.ParseImageID(request.Image)
	if err != nil {
		return nil, err
	}
	sent, err := s.thumbnail(ctx, id, feedWidth)
	return feedPicture{sent}, err
}

// feedPicture is shown on a page of whoever reads the feed.
type feedPicture struct{ sentFile }

// VisitGetFeedPictureResponse sends the picture.
func (p feedPicture) VisitGetFeedPictureResponse(w http.ResponseWriter) error {
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return p.send(w)
}

// CreateFeedAddress makes an address that a feed reader asks without signing in.
func (s *Server) CreateFeedAddress(ctx context.Context, request CreateFeedAddressRequestObject) (CreateFeedAddressResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	address := baseOf(requestOf(ctx)) + feedPath(profile)
	if s.config.Accounts != nil {
		secret, err := s.config.Accounts.CreateFeed(ctx, profile)
		if err != nil {
			return nil, err
		}
		address += "?" + url.Values{feedKey: {secret}}.Encode()
	}
	return CreateFeedAddress201JSONResponse{Body: FeedAddress{URL: address}, Headers: CreateFeedAddress201ResponseHeaders{Location: &address}}, nil
}

// RevokeFeedAddresses lets no address of the feed open it any more.
func (s *Server) RevokeFeedAddresses(ctx context.Context, request RevokeFeedAddressesRequestObject) (RevokeFeedAddressesResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	revoked := 0
	if s.config.Accounts != nil {
		if revoked, err = s.config.Accounts.RevokeFeeds(ctx, profile); err != nil {
			return nil, err
		}
	}
	return RevokeFeedAddresses200JSONResponse{Revoked: revoked}, nil
}

func feedPath(profile palate.Profile) string {
	return "/v1/profiles/" + string(profile) + "/feed.atom"
}

// baseOf is how the caller has named this server: feed readers take no
// addresses but whole ones.
func baseOf(r *http.Request) string {
	scheme := "http"
	if cameByTLS(r) {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// stableID is an Atom id that stays, wherever the collection is served.
func stableID(parts ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "palate feed %q", parts))
	return "urn:uuid:" + palate.NewImageID(sum).String()
}
