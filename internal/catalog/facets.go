package catalog

import "context"

// Facet is a kind of what is known of images, by which they are filtered.
type Facet string

// All facets.
const (
	ArtistFacet   Facet = "artist"
	YearFacet     Facet = "year"
	LicenceFacet  Facet = "licence"
	SiteFacet     Facet = "site"
	CategoryFacet Facet = "category"
	ModelFacet    Facet = "model" // that has embedded the image
)

// FacetQuery says which values of a facet are wanted.
type FacetQuery struct {
	Facet  Facet
	Search string // part of the value, or of a model's name, letter case aside; "" is any
	Limit  int    // from 1 to 1001
}

// FacetValue is one value of a facet.
type FacetValue struct {
	Value  string // a year in digits, a model's id
	Name   string // of a model; empty of others
	Images int    // that have it
}

// Facets counts the values by which images are filtered.
type Facets interface {
	// FacetValues lists values that images have, those of the most images
	// first, then by value; years in their order. It counts what the filter of that value gives:
	// what was edited in the place of what a source says. An image without a
	// value counts nowhere.
	FacetValues(ctx context.Context, q FacetQuery) ([]FacetValue, error)
}
