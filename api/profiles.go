package api

import (
	"context"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// ListProfiles answers with all profiles.
func (s *Server) ListProfiles(ctx context.Context, _ ListProfilesRequestObject) (ListProfilesResponseObject, error) {
	summaries, err := s.services.Catalog.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	caller := palate.CallerOf(ctx)
	profiles := []Profile{}
	for _, p := range summaries {
		if caller.May(p.Profile) {
			profiles = append(profiles, profileOf(p))
		}
	}
	return ListProfiles200JSONResponse{Profiles: profiles}, nil
}

// CreateProfile adds a profile.
func (s *Server) CreateProfile(ctx context.Context, request CreateProfileRequestObject) (CreateProfileResponseObject, error) {
	profile, err := resolve(ctx, request.Body.Profile)
	if err != nil {
		return nil, err
	}
	if err := s.services.Catalog.CreateProfile(ctx, profile); err != nil {
		return nil, err
	}
	return CreateProfile201JSONResponse(profileOf(catalog.ProfileSummary{Profile: profile})), nil
}

// RenameProfile gives a profile another name.
func (s *Server) RenameProfile(ctx context.Context, request RenameProfileRequestObject) (RenameProfileResponseObject, error) {
	from, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	to, err := resolve(ctx, request.Body.Profile)
	if err != nil {
		return nil, err
	}
	if err := s.services.Tastes.RenameProfile(ctx, from, to); err != nil {
		return nil, err
	}
	s.follow(ctx)
	summaries, err := s.services.Catalog.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range summaries {
		if p.Profile == to {
			return RenameProfile200JSONResponse(profileOf(p)), nil
		}
	}
	return nil, fmt.Errorf("profile %q was changed at the same time: %w", to, palate.ErrConflict)
}

// DeleteProfile removes a profile.
func (s *Server) DeleteProfile(ctx context.Context, request DeleteProfileRequestObject) (DeleteProfileResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	if err := s.services.Tastes.DeleteProfile(ctx, profile); err != nil {
		return nil, err
	}
	s.follow(ctx)
	return DeleteProfile204Response{}, nil
}

// CompareProfiles answers with how like two tastes are.
func (s *Server) CompareProfiles(ctx context.Context, request CompareProfilesRequestObject) (CompareProfilesResponseObject, error) {
	first, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	second, err := resolve(ctx, request.Params.With)
	if err != nil {
		return nil, err
	}
	l, err := s.services.Tastes.Compare(ctx, first, second)
	return CompareProfiles200JSONResponse{Both: l.Both, Same: l.Same, Kappa: l.Kappa, Images: l.Images,
		Correlation: l.Correlation, FirstOnSecond: l.FirstOnSecond, SecondOnFirst: l.SecondOnFirst, Words: l.Words(first, second)}, err
}

func profileOf(p catalog.ProfileSummary) Profile {
	out := Profile{Profile: string(p.Profile), Likes: p.Likes, Dislikes: p.Dislikes, Skips: p.Skips}
	if !p.LastRatedAt.IsZero() {
		at := p.LastRatedAt.UTC()
		out.LastRatedAt = &at
	}
	return out
}
