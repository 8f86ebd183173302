package qdrant

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/qdrant/go-client/qdrant"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// The fields of a payload; see the package's comment.
const (
	keyArtists    = "artists"
	keyLicences   = "licences"
	keySites      = "sites"
	keyCategories = "categories"
	keyYears      = "years"
	keyLikedBy    = "liked_by"
	keyDislikedBy = "disliked_by"

	// keyLiked is of format 1: an object with a boolean for every profile.
	keyLiked = "liked"
)

// fields are what filters ask about, with the kinds of their indexes: as many
// however many profiles there are.
var fields = map[string]qdrant.FieldType{
	keyArtists: qdrant.FieldType_FieldTypeKeyword, keyLicences: qdrant.FieldType_FieldTypeKeyword,
	keySites: qdrant.FieldType_FieldTypeKeyword, keyCategories: qdrant.FieldType_FieldTypeKeyword,
	keyYears:   qdrant.FieldType_FieldTypeInteger,
	keyLikedBy: qdrant.FieldType_FieldTypeKeyword, keyDislikedBy: qdrant.FieldType_FieldTypeKeyword,
}

// payloadOf writes attributes as a payload. Text that is no UTF-8 can't be
// sent: palate.ErrInvalid.
func payloadOf(a index.Attributes) (map[string]*qdrant.Value, error) {
	plain := make(map[string]any)
	for key, texts := range map[string][]string{keyArtists: a.Artists, keyLicences: a.Licences, keySites: a.Sites, keyCategories: a.Categories} {
		if len(texts) > 0 {
			plain[key] = anyList(texts)
		}
	}
	if len(a.Years) > 0 {
		plain[keyYears] = anyList(a.Years)
	}
	liked, disliked, err := judges(a.Verdicts)
	if err != nil {
		return nil, err
	}
	if len(liked) > 0 {
		plain[keyLikedBy] = anyList(liked)
	}
	if len(disliked) > 0 {
		plain[keyDislikedBy] = anyList(disliked)
	}
	payload, err := qdrant.TryValueMap(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", palate.ErrInvalid, err)
	}
	return payload, nil
}

// anyList makes a list of what the client can convert: it knows []any alone.
func anyList[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// attributesOf reads a payload. What it does not know it passes over.
func attributesOf(payload map[string]*qdrant.Value) index.Attributes {
	a := index.Attributes{Artists: texts(payload[keyArtists]), Licences: texts(payload[keyLicences]),
		Sites: texts(payload[keySites]), Categories: texts(payload[keyCategories])}
	for _, v := range payload[keyYears].GetListValue().GetValues() {
		a.Years = append(a.Years, int(v.GetIntegerValue()))
	}
	a.Verdicts = verdictsOf(payload)
	return a
}

// judges lists who likes and who dislikes, in order.
func judges(verdicts map[palate.Profile]palate.Verdict) (liked, disliked []string, err error) {
	for _, p := range slices.Sorted(maps.Keys(verdicts)) {
		if _, err := palate.ParseProfile(string(p)); err != nil {
			return nil, nil, err
		}
		switch verdicts[p] {
		case palate.Like:
			liked = append(liked, string(p))
		case palate.Dislike:
			disliked = append(disliked, string(p))
		}
	}
	return liked, disliked, nil
}

// verdictsOf reads the verdicts of a payload of either format.
func verdictsOf(payload map[string]*qdrant.Value) map[palate.Profile]palate.Verdict {
	var verdicts map[palate.Profile]palate.Verdict
	add := func(p string, v palate.Verdict) {
		if verdicts == nil {
			verdicts = make(map[palate.Profile]palate.Verdict)
		}
		verdicts[palate.Profile(p)] = v
	}
	for _, p := range texts(payload[keyLikedBy]) {
		add(p, palate.Like)
	}
	for _, p := range texts(payload[keyDislikedBy]) {
		add(p, palate.Dislike)
	}
	for p, v := range payload[keyLiked].GetStructValue().GetFields() {
		if v.GetBoolValue() {
			add(p, palate.Like)
		} else {
			add(p, palate.Dislike)
		}
	}
	return verdicts
}

func texts(value *qdrant.Value) (list []string) {
	for _, v := range value.GetListValue().GetValues() {
		list = append(list, v.GetStringValue())
	}
	return list
}

func pointID(id palate.ImageID) *qdrant.PointId { return qdrant.NewIDUUID(id.String()) }

func pointIDs(ids []palate.ImageID) []*qdrant.PointId {
	list := make([]*qdrant.PointId, len(ids))
	for i, id := range ids {
		list[i] = pointID(id)
	}
	return list
}

// imageID reads the id of a point. Others than UUIDs are foreign: ok is false.
func imageID(id *qdrant.PointId) (image palate.ImageID, ok bool) {
	image, err := palate.ParseImageID(id.GetUuid())
	return image, err == nil
}

func compareIDs(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) }
