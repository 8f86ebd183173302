package main

import (
	"context"
	"errors"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
)

// pullAdded brings a model that is offered, or that was added from the hub;
// done is false for any other name.
func (s *session) pullAdded(ctx context.Context, name string) (done bool, err error) {
	loader := s.loader()
	var r models.Record
	if o, offered := models.OfferNamed(name); offered {
		r, err = loader.PullOffer(ctx, o)
	} else if r, err = loader.Store().Local(name); errors.Is(err, palate.ErrNotFound) {
		return false, nil
	} else if err == nil {
		if r.Hub == nil {
			return true, usagef("%s was added from a file: there is nothing to pull", name)
		}
		err = loader.PullAgain(ctx, r)
	}
	if err != nil {
		return true, err
	}
	if s.JSON {
		return true, s.print(collection.AboutLocal(r))
	}
	s.say("%s is here: %s, SHA-256 %s, %s", r.Name, byteText(r.Size), r.SHA256, r.File)
	return true, nil
}
