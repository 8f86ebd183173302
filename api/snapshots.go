package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
)

// snapshot is a whole list as it was when it was made. Nothing of it changes.
type snapshot struct {
	id      string
	summary Snapshot
	entries []snapshotEntry
	ranked  bool                   // the entries have scores
	copies  map[palate.ImageID]int // how many are left out for an image
}

// snapshotEntry is one image of a list.
type snapshotEntry struct {
	image       palate.ImageID
	shape       uint16  // width over height in thousandths
	chance      uint8   // in percent, or noChance
	score       float32 // of a ranked list
	probability float32 // NaN where none is told
}

const (
	noChance       = 255
	snapshotMagic  = "PLS1"
	bytesOfOutline = 16 + 2 + 1
)

// CreateSnapshot makes a list and keeps it for a while.
func (s *Server) CreateSnapshot(ctx context.Context, request CreateSnapshotRequestObject) (CreateSnapshotResponseObject, error) {
	profile, err := resolve(ctx, request.Profile)
	if err != nil {
		return nil, err
	}
	list, err := s.makeList(ctx, profile, *request.Body)
	if err != nil {
		return nil, err
	}
	s.snapshots.keep(list)
	location := "/v1/profiles/" + string(profile) + "/snapshots/" + list.id
	return CreateSnapshot201JSONResponse{Body: list.summary, Headers: CreateSnapshot201ResponseHeaders{Location: &location}}, nil
}

// makeList makes a list as it is now.
func (s *Server) makeList(ctx context.Context, profile palate.Profile, in SnapshotInput) (*snapshot, error) {
	query, err := listOf(in, profile)
	if err != nil {
		return nil, err
	}
	outlines, err := s.services.Catalog.Outlines(ctx, query)
	if err != nil {
		return nil, err
	}
	list := &snapshot{
		summary: Snapshot{Profile: string(profile), Order: in.Order, ModelID: string(s.services.Embedder.Model())},
		ranked:  in.Order == SnapshotOrderBestFirst || in.MinProbability != nil || in.MaxProbability != nil,
	}
	if list.ranked {
		if err := s.rankSnapshot(ctx, profile, in, list, outlines); err != nil {
			return nil, err
		}
	} else {
		for _, o := range outlines {
			list.entries = append(list.entries, snapshotEntry{image: o.ID, shape: shapeOf(o), chance: noChance})
		}
	}
	if valueOr(in.Collapse, false) {
		if err := s.collapse(ctx, profile, list, outlines); err != nil {
			return nil, err
		}
	}
	list.summary.Total = len(list.entries)
	return list, nil
}

// listOf is what a list asks of the catalog.
func listOf(in SnapshotInput, profile palate.Profile) (catalog.ImageQuery, error) {
	if in.MinProbability != nil && in.MaxProbability != nil && *in.MinProbability > *in.MaxProbability {
		return catalog.ImageQuery{}, invalidParameter("min_probability", "%v is more than max_probability, %v", *in.MinProbability, *in.MaxProbability)
	}
	query := catalog.ImageQuery{Search: valueOr(in.Q, ""), Damaged: valueOr(in.Damaged, false), AddedAfter: valueOr(in.AddedAfter, time.Time{}),
		Crawled: valueOr(in.Crawled, false), Models: modelIDs(in.Model), Order: catalog.Newest}
	if in.Order == SnapshotOrderOldestFirst {
		query.Order = catalog.Oldest
	}
	var judged *JudgedFilter
	switch valueOr(in.Judged, "") {
	case "":
	case SnapshotJudgedSkippedAlone:
		query.SkippedBy = profile
	default:
		same := JudgedFilter(*in.Judged)
		judged = &same
	}
	var err error
	query.Filter, err = filterOf(filterParams{in.Artist, in.Licence, in.Site, in.Category, in.YearFrom, in.YearTo, judged}, profile)
	return query, err
}

// rankSnapshot scores a list, leaves out what has no chance within the bounds,
// and orders it by score if that is asked for.
func (s *Server) rankSnapshot(ctx context.Context, profile palate.Profile, in SnapshotInput, list *snapshot, outlines []catalog.Outline) error {
	ids, of := make([]palate.ImageID, len(outlines)), make(map[palate.ImageID]int, len(outlines))
	for i, o := range outlines {
		ids[i], of[o.ID] = o.ID, i
	}
	ranking, err := s.services.Tastes.RankAmong(ctx, profile, ids, taste.Pin{Version: valueOr(in.ProbeVersion, 0)})
	if err != nil {
		return withoutJudgements(profile, err)
	}
	list.summary.ProbeVersion, list.summary.NewerVersion = ranking.Version.Version, optional(ranking.Newer)
	least, most := valueOr(in.MinProbability, 0), valueOr(in.MaxProbability, 1)
	if order := ranking.Provisional; order != nil {
		if in.MinProbability != nil || in.MaxProbability != nil {
			return fmt.Errorf("%w: %s: %w", taste.ErrNoChance, order.Note(), palate.ErrConflict)
		}
		list.summary.Provisional = &ProvisionalOrder{Likes: order.Likes, Dislikes: order.Dislikes, Note: order.Note()}
	}
	for _, score := range ranking.Scores {
		e := snapshotEntry{image: score.Image, chance: noChance, score: float32(score.Logit), probability: float32(math.NaN())}
		e.shape = shapeOf(outlines[of[score.Image]])
		if chance := score.Chance(); chance != nil {
			if *chance < least || *chance > most {
				continue
			}
			e.chance, e.probability = uint8(math.Round(100**chance)), float32(*chance)
		}
		list.entries = append(list.entries, e)
	}
	if in.Order != SnapshotOrderBestFirst {
		slices.SortFunc(list.entries, func(a, b snapshotEntry) int { return cmp.Compare(of[a.image], of[b.image]) })
	}
	return nil
}

// shapeOf is the width over the height in thousandths, as the contract has it.
func shapeOf(o catalog.Outline) uint16 {
	if o.Width <= 0 || o.Height <= 0 {
		return 1000
	}
	return uint16(min(max(math.Round(1000*float64(o.Width)/float64(o.Height)), 1), math.MaxUint16))
}

// GetSnapshot answers with what a list goes by.
func (s *Server) GetSnapshot(ctx context.Context, request GetSnapshotRequestObject) (GetSnapshotResponseObject, error) {
	profile, list, err := s.snapshotOf(ctx, request.Profile, request.Snapshot)
	if err != nil {
		return nil, err
	}
	summary := list.summary
	if list.ranked {
		current, err := s.services.Tastes.Current(ctx, profile)
		if errors.Is(err, palate.ErrNotFound) { // a provisional order still
			current.Version, err = summary.ProbeVersion, nil
		}
		if err != nil {
			return nil, err
		}
		summary.NewerVersion = nil
		if current.Version != summary.ProbeVersion {
			summary.NewerVersion = &current.Version
		}
	}
	return GetSnapshot200JSONResponse(summary), nil
}

func (s *Server) snapshotOf(ctx context.Context, name, id string) (palate.Profile, *snapshot, error) {
	profile, err := resolve(ctx, name)
	if err != nil {
		return "", nil, err
	}
	list := s.snapshots.find(id)
	if list == nil || list.summary.Profile != string(profile) {
		return "", nil, fmt.Errorf("the list %s of %s is kept no more: make it anew with POST /v1/profiles/%s/snapshots: %w", id, profile, profile, palate.ErrNotFound)
	}
	return profile, list, nil
}

// GetSnapshotEntries sends the whole list in few bytes.
func (s *Server) GetSnapshotEntries(ctx context.Context, request GetSnapshotEntriesRequestObject) (GetSnapshotEntriesResponseObject, error) {
	_, list, err := s.snapshotOf(ctx, request.Profile, request.Snapshot)
	if err != nil {
		return nil, err
	}
	content := byteFile{bytes.NewReader(packEntries(list.entries))}
	return sentFile{request: requestOf(ctx), content: content, mediaType: "application/octet-stream", etag: list.id}, nil
}

// byteFile is a file in memory.
type byteFile struct{ *bytes.Reader }

func (byteFile) Close() error { return nil }

// VisitGetSnapshotEntriesResponse sends the list.
func (f sentFile) VisitGetSnapshotEntriesResponse(w http.ResponseWriter) error { return f.send(w) }

// packEntries writes a list column by column, as the contract says.
func packEntries(entries []snapshotEntry) []byte {
	out := make([]byte, 0, len(snapshotMagic)+4+bytesOfOutline*len(entries))
	out = append(out, snapshotMagic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(entries)))
	for _, e := range entries {
		out = append(out, e.image[:]...)
	}
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, e.shape)
	}
	for _, e := range entries {
		out = append(out, e.chance)
	}
	return out
}

// ListSnapshotImages answers with what is known of a part of a list.
func (s *Server) ListSnapshotImages(ctx context.Context, request ListSnapshotImagesRequestObject) (ListSnapshotImagesResponseObject, error) {
	profile, list, err := s.snapshotOf(ctx, request.Profile, request.Snapshot)
	if err != nil {
		return nil, err
	}
	from := min(valueOr(request.Params.Offset, 0), len(list.entries))
	part := list.entries[from:min(from+valueOr(request.Params.Limit, defaultLimit), len(list.entries))]
	ids := make([]palate.ImageID, len(part))
	for i, e := range part {
		ids[i] = e.image
	}
	images, err := s.imagesOf(ctx, profile, ids)
	if err != nil {
		return nil, err
	}
	likes, err := s.nearestLikes(ctx, profile, ids, valueOr(request.Params.NearestLikes, 0))
	if err != nil {
		return nil, err
	}
	items := SnapshotItemList{Items: []SnapshotItem{}}
	for i, e := range part {
		image, there := images[e.image]
		if !there {
			continue
		}
		item := SnapshotItem{Place: from + i, Image: image}
		if list.ranked {
			score := float64(e.score)
			item.Score = &score
		}
		if chance := float64(e.probability); e.chance != noChance {
			item.Probability = &chance
		}
		item.Copies = optional(list.copies[e.image])
		if near, asked := likes[e.image]; asked {
			item.NearestLikes = &near
		}
		items.Items = append(items.Items, item)
	}
	return ListSnapshotImages200JSONResponse(items), nil
}
