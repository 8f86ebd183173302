package api

import (
	"context"

	"github.com/palate-art/palate/internal/catalog"
)

// defaultFacetValues is how many values a facet has when nothing is said.
const defaultFacetValues = 20

// ListFacetValues answers with what images have of one kind.
func (s *Server) ListFacetValues(ctx context.Context, request ListFacetValuesRequestObject) (ListFacetValuesResponseObject, error) {
	limit := valueOr(request.Params.Limit, defaultFacetValues)
	values, err := s.services.Catalog.FacetValues(ctx, catalog.FacetQuery{
		Facet: catalog.Facet(request.Facet), Search: valueOr(request.Params.Q, ""), Limit: limit + 1,
	})
	if err != nil {
		return nil, err
	}
	answer := ListFacetValues200JSONResponse{Values: []FacetValue{}, More: len(values) > limit}
	for _, v := range values[:min(limit, len(values))] {
		answer.Values = append(answer.Values, FacetValue{Value: v.Value, Name: optional(v.Name), Images: v.Images})
	}
	return answer, nil
}
