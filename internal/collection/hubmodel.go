package collection

import (
	"context"
	"fmt"

	"github.com/palate-art/palate/internal/models"
)

// AddFromHub brings a model from the hub and adds it: as a says, which need
// name no file. Its licence is shown before its weights come.
func (l *Loader) AddFromHub(ctx context.Context, ref models.Reference, a models.Addition) (models.Record, error) {
	if err := models.CheckNameFor(a.Name, ref); err != nil {
		return models.Record{}, err
	}
	client, err := l.Hub()
	if err != nil {
		return models.Record{}, err
	}
	came, err := models.FetchFromHub(ctx, ref, client, func(told models.Told) { l.tell.Note(licenceNote(told), true) })
	l.tell.EndProgress()
	if err != nil {
		return models.Record{}, err
	}
	a.File, a.Hub = came.File, &came.Origin
	if a.Licence == "" {
		a.Licence, a.LicenceURL = came.Licence.Name, came.Licence.URL
	}
	return l.Store().Add(ctx, a)
}

func licenceNote(t models.Told) string {
	if t.Licence.Name == "" {
		return fmt.Sprintf("Nobody says the licence of %s: see %s.", t.Reference, t.Page)
	}
	return fmt.Sprintf("The weights of %s are under the licence %s; see %s.", t.Reference, t.Licence.Text(), t.Page)
}

// PullOffer brings the model of an offer under its own name; one that is here
// is held against what came the first time, and comes again where it is gone.
func (l *Loader) PullOffer(ctx context.Context, o models.Offer) (models.Record, error) {
	if r, err := l.Store().Local(o.Name); err == nil {
		return r, l.PullAgain(ctx, r)
	}
	return l.AddFromHub(ctx, models.Reference{Repository: o.Repository, Revision: "main"}, models.Addition{Name: o.Name})
}

// PullAgain brings the files of a model that was added from the hub, where
// they are gone or damaged, as they were then.
func (l *Loader) PullAgain(ctx context.Context, r models.Record) error {
	client, err := l.Hub()
	if err != nil {
		return err
	}
	err = r.Hub.Again(ctx, client)
	l.tell.EndProgress()
	return err
}
