package qdrant

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/qdrant/go-client/qdrant"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

// How many queries one message holds at most, and bytes of them, and how many
// messages are under way at once: each has the time of a search.
const (
	messageQueries    = 32
	messageQueryBytes = 4 << 20
	messagesAtOnce    = 2
)

// SearchBatch implements index.Index. Queries that collapse are asked one by
// one, the others in as few messages as hold them.
func (x *Index) SearchBatch(ctx context.Context, queries []index.Query) ([][]index.Hit, error) {
	if err := index.ValidateAll(queries, x.dim); err != nil {
		return nil, fmt.Errorf("qdrant: %w", err)
	}
	answers := make([][]index.Hit, len(queries))
	var places []int
	var filters []index.Filter
	var requests []*qdrant.QueryPoints
	for i, q := range queries {
		if q.Collapse != 0 {
			var err error
			if answers[i], err = x.collapsed(ctx, q); err != nil {
				return nil, err
			}
			continue
		}
		places, filters, requests = append(places, i), append(filters, q.Filter), append(requests, requestOf(q))
	}
	if len(requests) == 0 {
		return answers, x.usable(ctx)
	}
	found, err := x.queries(ctx, filters, requests)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		answers[i] = make([]index.Hit, len(found[n]))
		for j, p := range found[n] {
			answers[i][j] = p.hit
		}
	}
	return answers, nil
}

// queries asks for what passes the filter of each request, and puts equal scores
// in the order of IDs. Points that no image has the ID of are asked to be left
// out, and what found them is repeated: the page is full and the next one begins
// where it ends.
func (x *Index) queries(ctx context.Context, filters []index.Filter, requests []*qdrant.QueryPoints) ([][]scored, error) {
	for {
		var answers [][]*qdrant.ScoredPoint
		var known served
		err := x.read(ctx, "search", func(in served) error {
			known = in
			if err := x.complete(ctx, in, filters, requests); err != nil {
				return err
			}
			var err error
			answers, err = x.answers(ctx, in, requests)
			return err
		})
		if err != nil {
			return nil, err
		}
		var strangers []*qdrant.PointId
		all := make([][]scored, len(answers))
		for i, found := range answers {
			hits := make([]scored, 0, len(found))
			for _, p := range found {
				if id, ok := imageID(p.GetId()); ok {
					hits = append(hits, scored{index.Hit{ID: id, Score: p.GetScore()}, p.GetVectors().GetVector().GetDense().GetData()})
				} else {
					strangers = append(strangers, p.GetId())
				}
			}
			slices.SortStableFunc(hits, func(a, b scored) int {
				return cmp.Or(cmp.Compare(b.hit.Score, a.hit.Score), compareIDs(a.hit.ID, b.hit.ID))
			})
			all[i] = hits
		}
		if len(strangers) == 0 {
			return all, nil
		}
		if err := x.leaveOut(known, strangers); err != nil {
			return nil, err
		}
	}
}

// complete puts into the requests what the collection that serves decides. A
// filter that several in a row have is written once.
func (x *Index) complete(ctx context.Context, in served, filters []index.Filter, requests []*qdrant.QueryPoints) error {
	for i, request := range requests {
		request.CollectionName, request.Params, request.Timeout = in.name, x.searchParams(filters[i], in.limits), x.serverTimeout(in.limits)
		if i > 0 && reflect.DeepEqual(filters[i], filters[i-1]) {
			request.Filter = requests[i-1].GetFilter()
			continue
		}
		filter, err := x.filterOf(ctx, in, filters[i])
		if err != nil {
			return err
		}
		filter.MustNot = append(filter.MustNot, in.limits.named(in.strangers)...)
		request.Filter = filter
	}
	return nil
}

// answers asks complete requests, in their order: several in one message, unless
// the server gives the answer to one in pages.
func (x *Index) answers(ctx context.Context, in served, requests []*qdrant.QueryPoints) ([][]*qdrant.ScoredPoint, error) {
	found := make([][]*qdrant.ScoredPoint, len(requests))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(messagesAtOnce)
	for from, to := 0, 0; from < len(requests); from = to {
		to = from + messageOf(requests[from:], in.limits.results)
		some, into := requests[from:to], found[from:to]
		group.Go(func() (err error) {
			if len(some) == 1 {
				into[0], err = x.pages(asking, some[0], in.limits.results)
				return err
			}
			answered, err := x.client.QueryBatch(asking, &qdrant.QueryBatchPoints{CollectionName: in.name, QueryPoints: some, Timeout: some[0].Timeout})
			if err != nil {
				return err
			}
			if len(answered) != len(some) {
				return fmt.Errorf("%s gave %d answers to %d searches that it was asked together: %w", x.config.server(), len(answered), len(some), palate.ErrUnavailable)
			}
			for i, answer := range answered {
				into[i] = answer.GetResult()
			}
			return nil
		})
	}
	return found, group.Wait()
}

// messageOf is how many of the requests, the first ones, go into one message. One
// of which an answer of at most so many results, 0 being no bound, is but a page,
// goes alone.
func messageOf(requests []*qdrant.QueryPoints, results int) int {
	size := 0
	for n, request := range requests {
		size += proto.Size(request)
		alone := results > 0 && request.GetLimit() > uint64(results)
		if n > 0 && (alone || n == messageQueries || size > messageQueryBytes) {
			return n
		}
		if alone {
			return 1
		}
	}
	return len(requests)
}
