package qdrant

import (
	"bytes"
	"context"
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
	keyLiked      = "liked"
)

// likedBy is the path of a profile's verdict.
func likedBy(p palate.Profile) string { return keyLiked + "." + string(p) }

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
	liked := make(map[string]any)
	for p, verdict := range a.Verdicts {
		if verdict != palate.Like && verdict != palate.Dislike {
			continue
		}
		if _, err := palate.ParseProfile(string(p)); err != nil {
			return nil, err
		}
		liked[string(p)] = verdict == palate.Like
	}
	if len(liked) > 0 {
		plain[keyLiked] = liked
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
	for p, v := range payload[keyLiked].GetStructValue().GetFields() {
		if a.Verdicts == nil {
			a.Verdicts = make(map[palate.Profile]palate.Verdict)
		}
		a.Verdicts[palate.Profile(p)] = palate.Dislike
		if v.GetBoolValue() {
			a.Verdicts[palate.Profile(p)] = palate.Like
		}
	}
	return a
}

func texts(value *qdrant.Value) (list []string) {
	for _, v := range value.GetListValue().GetValues() {
		list = append(list, v.GetStringValue())
	}
	return list
}

// indexVerdicts makes the payload indexes of profiles that are new, before
// their first verdict is written.
func (x *Index) indexVerdicts(ctx context.Context, profiles map[palate.Profile]struct{}) error {
	for _, p := range slices.Sorted(maps.Keys(profiles)) {
		x.mu.Lock()
		_, known := x.profiles[p]
		x.mu.Unlock()
		if known {
			continue
		}
		if err := x.createFieldIndex(ctx, likedBy(p), qdrant.FieldType_FieldTypeBool); err != nil {
			return err
		}
		x.mu.Lock()
		if x.profiles == nil {
			x.profiles = make(map[palate.Profile]struct{})
		}
		x.profiles[p] = struct{}{}
		x.mu.Unlock()
	}
	return nil
}

// addProfiles adds who has a verdict among the attributes.
func addProfiles(profiles map[palate.Profile]struct{}, a index.Attributes) {
	for p := range a.Verdicts {
		profiles[p] = struct{}{}
	}
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
