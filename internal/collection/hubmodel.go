package collection

import (
	"context"
	"errors"
	"fmt"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/models"
	"github.com/palate-art/palate/internal/ort"
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

// PullNamed brings the weights of a model that is known, offered, or was added
// from the hub, unless they are here, and tells of it.
func (l *Loader) PullNamed(ctx context.Context, name string) (KnownOfModel, error) {
	r, err := l.Store().Local(name)
	if o, offered := models.OfferNamed(name); offered {
		if r, err = l.PullOffer(ctx, o); err != nil {
			return KnownOfModel{}, err
		}
		return AboutLocal(r), nil
	}
	switch {
	case err == nil && r.Hub == nil:
		return KnownOfModel{}, askedf("%s was added from a file: there is nothing to pull", name)
	case err == nil:
		return AboutLocal(r), l.PullAgain(ctx, r)
	case !errors.Is(err, palate.ErrNotFound):
		return KnownOfModel{}, err
	}
	k, err := models.KnownModel(name)
	if err != nil {
		return KnownOfModel{}, err
	}
	if _, err := l.Pull(ctx, k); err != nil {
		return KnownOfModel{}, err
	}
	return l.AboutModel(name)
}

// AboutModel tells of one model, by its name.
func (l *Loader) AboutModel(name string) (KnownOfModel, error) {
	if name == models.Baseline {
		return AboutBaseline(), nil
	}
	r, err := l.Store().Local(name)
	if err == nil {
		return AboutLocal(r), nil
	}
	if !errors.Is(err, palate.ErrNotFound) {
		return KnownOfModel{}, err
	}
	client, err := l.Hub()
	if err != nil {
		return KnownOfModel{}, err
	}
	if o, offered := models.OfferNamed(name); offered {
		return AboutOffer(client, o), nil
	}
	k, err := models.KnownModel(name)
	if err != nil {
		return KnownOfModel{}, err
	}
	return AboutKnown(l.Store(), client, k), nil
}

// UsedText says how pictures come to a model on a CPU where nothing is asked
// for.
func (l *Loader) UsedText(name string) (string, error) {
	client, err := l.Hub()
	if err != nil {
		return "", err
	}
	weights, err := l.Store().Find(name, client)
	if err != nil {
		return "", err
	}
	d, err := weights.Used(ort.DeviceCPU)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d×%d, %s", d.Input.Width, d.Input.Height, d.Resample)
	switch {
	case d.Fit == embedder.FitCrop:
		text += fmt.Sprintf(", cut out of the middle of the picture with its shorter side at %d", d.Reading().Short)
	case d.ShortSide != 0:
		text += fmt.Sprintf(", cut out of the middle of the picture stretched to %d×%d", d.ShortSide, d.ShortSide)
	case d.Fit == embedder.FitStretch:
		text += ", the whole picture stretched to that"
	default:
		text += ", fit " + string(d.Fit)
	}
	return text, nil
}
