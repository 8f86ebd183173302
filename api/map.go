package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/atlas"
)

const (
	mapMagic = "PLM1"
	// newcomersAtOnce is how many pictures that came since the map was made one
	// request puts on it.
	newcomersAtOnce = 500
	// newcomersLooked is among how many of its neighbours each is put.
	newcomersLooked = 12
)

// verdictCodes are as the contract has them.
var verdictCodes = map[palate.Verdict]byte{palate.Like: 1, palate.Dislike: 2, palate.Skip: 3}

// theMap is the present map, or palate.ErrNotFound.
func (s *Server) theMap() (*atlas.Map, error) {
	if s.services.Map == nil {
		return nil, fmt.Errorf("this server keeps no map: %w", palate.ErrNotFound)
	}
	return s.services.Map()
}

// GetMap answers with what there is of a map.
func (s *Server) GetMap(context.Context, GetMapRequestObject) (GetMapResponseObject, error) {
	answer := GetMap200JSONResponse{ModelID: string(s.services.Embedder.Model())}
	m, err := s.theMap()
	switch {
	case errors.Is(err, palate.ErrNotFound):
		return answer, nil
	case err != nil:
		return nil, unreadable(err)
	}
	at := m.At.UTC()
	answer.Pictures, answer.MadeAt, answer.Trustworthiness, answer.Principal = m.Len(), &at, &m.Trustworthiness, &m.Principal
	return answer, nil
}

// unreadable is no fault of who asks.
func unreadable(err error) error {
	if errors.Is(err, palate.ErrInvalid) {
		return fmt.Errorf("%s: %w", err.Error(), palate.ErrConflict)
	}
	return err
}

// GetSnapshotMap sends where the images of a list are.
func (s *Server) GetSnapshotMap(ctx context.Context, request GetSnapshotMapRequestObject) (GetSnapshotMapResponseObject, error) {
	profile, list, err := s.snapshotOf(ctx, request.Profile, request.Snapshot)
	if err != nil {
		return nil, err
	}
	m, err := s.theMap()
	if errors.Is(err, palate.ErrNotFound) {
		return nil, fmt.Errorf("no map of the collection was made yet: POST /v1/jobs with the kind map makes one: %w", palate.ErrConflict)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	verdicts, err := s.services.Catalog.StandingVerdicts(ctx, profile, nil)
	if err != nil {
		return nil, err
	}
	spots, err := s.spotsOf(ctx, m, list.entries)
	if err != nil {
		return nil, err
	}
	packed := make([]byte, 0, len(mapMagic)+4+5*len(spots))
	packed = append(packed, mapMagic...)
	packed = binary.LittleEndian.AppendUint32(packed, uint32(len(spots)))
	for _, at := range spots {
		packed = binary.LittleEndian.AppendUint16(packed, at.X)
	}
	for _, at := range spots {
		packed = binary.LittleEndian.AppendUint16(packed, at.Y)
	}
	for _, e := range list.entries {
		packed = append(packed, verdictCodes[verdicts[e.image]])
	}
	return mapPlaces{sentFile{request: requestOf(ctx), content: byteFile{bytes.NewReader(packed)}, mediaType: "application/octet-stream",
		etag: fmt.Sprintf("%x", sha256.Sum256(packed))[:32]}}, nil
}

// mapPlaces are sent as a file that changes.
type mapPlaces struct{ sentFile }

// VisitGetSnapshotMapResponse sends the places.
func (p mapPlaces) VisitGetSnapshotMapResponse(w http.ResponseWriter) error {
	return p.send(changing{w})
}

// changing is a writer of what may be another the next time.
type changing struct{ http.ResponseWriter }

func (w changing) WriteHeader(status int) {
	if w.Header().Get("Cache-Control") != "" {
		w.Header().Set("Cache-Control", "private, no-cache")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w changing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// newcomers are the places of what came since a map was made.
type newcomers struct {
	mu    sync.Mutex
	on    *atlas.Map
	spots map[palate.ImageID]atlas.Spot
}

// spotsOf are the places of a list's images.
func (s *Server) spotsOf(ctx context.Context, m *atlas.Map, entries []snapshotEntry) ([]atlas.Spot, error) {
	spots := make([]atlas.Spot, len(entries))
	var missing []int
	for i, e := range entries {
		if spots[i] = m.Of(e.image); spots[i] == atlas.Nowhere {
			missing = append(missing, i)
		}
	}
	s.newcomers.mu.Lock()
	defer s.newcomers.mu.Unlock()
	if s.newcomers.on != m {
		s.newcomers.on, s.newcomers.spots = m, map[palate.ImageID]atlas.Spot{}
	}
	put := 0
	for _, i := range missing {
		at, known := s.newcomers.spots[entries[i].image]
		if !known && put < newcomersAtOnce {
			var err error
			if at, err = s.put(ctx, m, entries[i].image); err != nil {
				return nil, err
			}
			known = true
			put++
			if at != atlas.Nowhere { // else it may be embedded by the next time
				s.newcomers.spots[entries[i].image] = at
			}
		}
		if known {
			spots[i] = at
		}
	}
	return spots, nil
}

// put says where a picture belongs; what is not in the index is nowhere.
func (s *Server) put(ctx context.Context, m *atlas.Map, id palate.ImageID) (atlas.Spot, error) {
	hits, err := s.services.Index.Search(ctx, index.Query{Near: &id, Limit: newcomersLooked})
	if errors.Is(err, palate.ErrNotFound) {
		return atlas.Nowhere, nil
	}
	near := make([]atlas.Neighbour, len(hits))
	for i, hit := range hits {
		near[i] = atlas.Neighbour{Image: hit.ID, Product: float64(hit.Score)}
	}
	return m.Put(near), err
}
