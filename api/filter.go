package api

import (
	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// The default lengths of lists in openapi.yaml.
const (
	defaultLimit    = 50
	defaultHitLimit = 20
)

// counted counts a list where that is asked for.
func counted(asked *bool, count func() (int, error)) (*int, error) {
	if !valueOr(asked, false) {
		return nil, nil
	}
	total, err := count()
	return &total, err
}

// filterParams are the query parameters that several lists share.
type filterParams struct {
	artist, licence, site, category *[]string
	yearFrom, yearTo                *int
	judged                          *JudgedFilter
}

// modelIDs are the models by which a list is filtered.
func modelIDs(fingerprints *[]string) (ids []palate.ModelID) {
	for _, fingerprint := range valueOr(fingerprints, nil) {
		ids = append(ids, palate.ModelID(fingerprint))
	}
	return ids
}

func filterOf(p filterParams, profile palate.Profile) (index.Filter, error) {
	f := index.Filter{
		Artists: valueOr(p.artist, nil), Licences: valueOr(p.licence, nil),
		Sites: valueOr(p.site, nil), Categories: valueOr(p.category, nil),
		YearFrom: valueOr(p.yearFrom, 0), YearTo: valueOr(p.yearTo, 0),
	}
	if f.YearFrom != 0 && f.YearTo != 0 && f.YearFrom > f.YearTo {
		return f, invalidParameter("year_from", "%d is after year_to, %d", f.YearFrom, f.YearTo)
	}
	switch valueOr(p.judged, "") {
	case JudgedFilterRated:
		f.JudgedBy = profile
	case JudgedFilterUnrated:
		f.NotJudgedBy = profile
	case JudgedFilterLiked:
		f.LikedBy = profile
	case JudgedFilterDisliked:
		f.DislikedBy = profile
	}
	return f, nil
}
