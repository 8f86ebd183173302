package catalog

import (
	"context"
	"time"

	"github.com/palate-art/palate"
)

// Upgrade is the passing of a collection's images from one model to another:
// to the same weights by other preprocessing, or by settings that were put
// right. Until it is finished the former model serves, and its successor's
// embeddings are not chosen; from then on it is the other way round.
type Upgrade struct {
	From, To   palate.ModelID
	StartedAt  time.Time
	FinishedAt time.Time // zero while it goes on
}

// Upgrades remembers which models take the place of which.
type Upgrades interface {
	// BeginUpgrade notes that a model is to take another's place; the same
	// again changes nothing, another successor takes the place of one that
	// was not finished. An upgrade the other way, and one that the former
	// model's was finished by, end with it. Both models must have been put,
	// else ErrNotFound; one and the same is ErrInvalid.
	BeginUpgrade(ctx context.Context, from, to palate.ModelID) error

	// FinishUpgrade lets the successor serve. ErrNotFound if there is no such
	// upgrade; one that is finished stays as it is.
	FinishUpgrade(ctx context.Context, from, to palate.ModelID) error

	// CancelUpgrade forgets an upgrade that is not finished, so that nobody goes
	// on with it; what the successor has embedded stays. ErrNotFound if there
	// is no such upgrade, ErrConflict if it is finished.
	CancelUpgrade(ctx context.Context, from, to palate.ModelID) error

	// Upgrades lists the upgrades, oldest first.
	Upgrades(ctx context.Context) ([]Upgrade, error)

	// ForgetModel removes a model's embeddings, failures and probes, and the
	// upgrades that it has part in. The model itself stays known, as one that
	// has embedded nothing. It returns how many embeddings went. ErrNotFound
	// if it was not put.
	ForgetModel(ctx context.Context, m palate.ModelID) (int, error)
}
