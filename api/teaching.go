package api

import (
	"context"

	"github.com/palate-art/palate"
)

// defaultQueue is how many pictures a queue has when nothing is said.
const defaultQueue = 10

// GetQueue answers with what to judge next.
func (s *Server) GetQueue(ctx context.Context, request GetQueueRequestObject) (GetQueueResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	queue, err := s.services.Tastes.Queue(ctx, profile, valueOr(request.Params.Limit, defaultQueue))
	if err != nil {
		return nil, err
	}
	ids := make([]palate.ImageID, len(queue.Choices))
	for i, c := range queue.Choices {
		ids[i] = c.ID
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	answer := Queue{Items: []QueueItem{}, ProbeVersion: optional(queue.Version), ModelID: string(s.services.Embedder.Model())}
	for _, c := range queue.Choices {
		image, there := images[c.ID]
		if !there {
			continue // deleted meanwhile
		}
		item := QueueItem{Image: image, Shown: Shown(c.Shown)}
		if queue.Version != 0 {
			item.Score, item.Probability = &c.Score, &c.Probability
		}
		answer.Items = append(answer.Items, item)
	}
	return GetQueue200JSONResponse(answer), nil
}

// GetLearning answers with how far it is to the next training.
func (s *Server) GetLearning(ctx context.Context, request GetLearningRequestObject) (GetLearningResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	l, err := s.services.Tastes.Learning(ctx, profile)
	return GetLearning200JSONResponse{Said: l.Said, Wanted: l.Wanted, LikesMissing: l.LikesMissing, DislikesMissing: l.DislikesMissing}, err
}

// ListMislabels answers with ratings to look at again.
func (s *Server) ListMislabels(ctx context.Context, request ListMislabelsRequestObject) (ListMislabelsResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	doubted, err := s.services.Tastes.Mislabels(ctx, profile, valueOr(request.Params.Limit, defaultHitLimit))
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	ids := make([]palate.ImageID, len(doubted))
	for i, m := range doubted {
		ids[i] = m.Image
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	list := MislabelList{Mislabels: []Mislabel{}}
	for _, m := range doubted {
		image, there := images[m.Image]
		if !there {
			continue
		}
		said := VerdictDislike
		if m.Liked {
			said = VerdictLike
		}
		list.Mislabels = append(list.Mislabels, Mislabel{Image: image, Said: said, Probability: m.Probability, Doubt: m.Doubt})
	}
	return ListMislabels200JSONResponse(list), nil
}

// ExplainScore answers with the nearest liked and disliked pictures.
func (s *Server) ExplainScore(ctx context.Context, request ExplainScoreRequestObject) (ExplainScoreResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	reasons, err := s.services.Tastes.Why(ctx, profile, id, valueOr(request.Params.Limit, defaultHitLimit))
	if err != nil {
		return nil, err
	}
	answer := Reasons{ProbeVersion: optional(reasons.Version)}
	if reasons.Score != nil {
		answer.Score, answer.Probability = &reasons.Score.Logit, reasons.Score.Chance()
	}
	if answer.Liked, err = s.hitsOf(ctx, profile, reasons.Liked); err != nil {
		return nil, err
	}
	answer.Disliked, err = s.hitsOf(ctx, profile, reasons.Disliked)
	return ExplainScore200JSONResponse(answer), err
}

// GetHeatMap answers with what each patch of a picture adds to its score.
func (s *Server) GetHeatMap(ctx context.Context, request GetHeatMapRequestObject) (GetHeatMapResponseObject, error) {
	profile, id, err := rated(ctx, request.Profile, request.Image)
	if err != nil {
		return nil, err
	}
	if _, err := s.services.Catalog.Image(ctx, id); err != nil {
		return nil, err
	}
	version, err := s.services.Tastes.Current(ctx, profile)
	if err != nil {
		return nil, withoutProbe(profile, err)
	}
	model, err := s.services.Patches(ctx)
	if err != nil {
		return nil, err
	}
	embedding, patches, err := s.services.Collection.Patches(ctx, model, id)
	if err != nil {
		return nil, err
	}
	heat, err := version.Heat(id, embedding, patches)
	if err != nil {
		return nil, err
	}
	return GetHeatMap200JSONResponse{ImageID: id.String(), Columns: heat.Columns, Rows: heat.Rows, Patches: heat.Patches, Rest: heat.Rest,
		Exact: heat.Exact, Shown: Area{heat.Shown.MaxX, heat.Shown.MaxY, heat.Shown.MinX, heat.Shown.MinY},
		Score: heat.Score.Logit, Probability: heat.Score.Probability, ProbeVersion: version.Version}, nil
}
