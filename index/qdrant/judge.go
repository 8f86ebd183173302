package qdrant

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// Judge implements index.Index. A point holds who likes and who dislikes it as
// two lists, which are written whole: where a judgement does not tell what all
// profiles say, that is read first.
func (x *Index) Judge(ctx context.Context, judgements []index.Judgement) error {
	for _, j := range judgements {
		if _, err := palate.ParseProfile(string(j.Profile)); err != nil {
			return fmt.Errorf("qdrant: judge: %w", err)
		}
	}
	standing, err := x.standing(ctx, judgements)
	if err != nil {
		return err
	}
	if len(standing) == 0 {
		return nil
	}
	in, err := x.serving(ctx)
	if err != nil {
		return err
	}
	// Images of which the same is said are one operation.
	type lists struct{ liked, disliked string }
	alike := make(map[lists][]palate.ImageID)
	for _, id := range slices.SortedFunc(maps.Keys(standing), compareIDs) {
		liked, disliked, err := judges(standing[id])
		if err != nil {
			return fmt.Errorf("qdrant: judge: %w", err)
		}
		// Names of profiles hold no spaces.
		at := lists{strings.Join(liked, " "), strings.Join(disliked, " ")}
		alike[at] = append(alike[at], id)
	}
	var operations []*qdrant.PointsUpdateOperation
	for said, ids := range alike {
		for batch := range slices.Chunk(ids, atMost(batchIDs, in.limits.values)) {
			operations = append(operations, qdrant.NewPointsUpdateSetPayload(&qdrant.PointsUpdateOperation_SetPayload{
				Payload: map[string]*qdrant.Value{keyLikedBy: keywords(said.liked), keyDislikedBy: keywords(said.disliked)}, PointsSelector: stored(batch...)}))
		}
	}
	return x.update(ctx, "judge", operations)
}

// keywords makes a list of words.
func keywords(words string) *qdrant.Value {
	list := new(qdrant.ListValue)
	for word := range strings.FieldsSeq(words) {
		list.Values = append(list.Values, qdrant.NewValueString(word))
	}
	return qdrant.NewValueList(list)
}

// standing is what all profiles say of each image after the judgements.
func (x *Index) standing(ctx context.Context, judgements []index.Judgement) (map[palate.ImageID]map[palate.Profile]palate.Verdict, error) {
	standing := make(map[palate.ImageID]map[palate.Profile]palate.Verdict)
	told := make(map[palate.ImageID]bool)
	for _, j := range judgements {
		told[j.ID] = j.Standing != nil
	}
	var asked []palate.ImageID
	for id, knows := range told {
		if !knows {
			asked = append(asked, id)
		}
	}
	if err := x.readVerdicts(ctx, asked, standing); err != nil {
		return nil, err
	}
	for _, j := range judgements {
		said, there := standing[j.ID]
		switch {
		case j.Standing != nil:
			standing[j.ID] = maps.Clone(j.Standing)
		case there:
			said[j.Profile] = j.Verdict
		}
	}
	return standing, nil
}

// readVerdicts reads what the stored ones of these images are judged.
func (x *Index) readVerdicts(ctx context.Context, ids []palate.ImageID, into map[palate.ImageID]map[palate.Profile]palate.Verdict) error {
	for batch := range slices.Chunk(ids, batchIDs) {
		var found []*qdrant.RetrievedPoint
		err := x.read(ctx, "judge", func(in served) (err error) {
			found, err = x.client.Get(ctx, &qdrant.GetPoints{CollectionName: in.name, Ids: pointIDs(batch),
				WithPayload: qdrant.NewWithPayloadInclude(keyLikedBy, keyDislikedBy), WithVectors: qdrant.NewWithVectors(false), Timeout: x.serverTimeout(in.limits)})
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range found {
			if id, ok := imageID(p.GetId()); ok {
				said := verdictsOf(p.GetPayload())
				if said == nil {
					said = make(map[palate.Profile]palate.Verdict)
				}
				into[id] = said
			}
		}
	}
	return nil
}
