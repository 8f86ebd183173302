package atlas

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
)

const (
	magic       = "palatmap"
	version     = 1
	headBytes   = len(magic) + 8
	perPicture  = 16 + 4
	mostMade    = 1 << 16
	mostPlaces  = 1 << 28
	fullMeasure = math.MaxUint16 - 1 // 65535 says that there is no place
)

// Made says how a map came to be.
type Made struct {
	Model    palate.ModelID `json:"model"`
	At       time.Time      `json:"made_at"`
	Pictures int            `json:"pictures"`
	// Neighbours and Seed are those of Config.
	Neighbours int    `json:"neighbours"`
	Seed       uint64 `json:"seed"`
	// Trustworthiness is the map's at TrustK, and Principal that of the first two
	// principal components, on the same pictures.
	TrustK          int     `json:"trust_k"`
	Trustworthiness float64 `json:"trustworthiness"`
	Principal       float64 `json:"principal"`
	Seconds         float64 `json:"seconds"`
}

// Map is where the pictures of a collection are. It is not changed once it is
// made, and safe for concurrent use.
type Map struct {
	Made
	ids    []palate.ImageID // ascending
	places []Spot
}

// Spot is a place as a map keeps it, 0 to 65534 each way.
type Spot struct{ X, Y uint16 }

// Nowhere is no place.
var Nowhere = Spot{math.MaxUint16, math.MaxUint16}

// New makes a map of places; ids are ascending. The shape stays: the wider side
// is the full measure.
func New(made Made, ids []palate.ImageID, places []Place) *Map {
	m := &Map{Made: made, ids: ids, places: make([]Spot, len(places))}
	m.Pictures = len(ids)
	if len(places) == 0 {
		return m
	}
	low, high := places[0], places[0]
	for _, p := range places {
		low.X, low.Y, high.X, high.Y = min(low.X, p.X), min(low.Y, p.Y), max(high.X, p.X), max(high.Y, p.Y)
	}
	wide := float64(max(high.X-low.X, high.Y-low.Y))
	if wide == 0 {
		wide = 1
	}
	for i, p := range places {
		place := func(v, low, high float32) uint16 {
			middle := (float64(v) - (float64(low)+float64(high))/2) / wide
			return uint16(math.Round((middle + .5) * fullMeasure))
		}
		m.places[i] = Spot{place(p.X, low.X, high.X), place(p.Y, low.Y, high.Y)}
	}
	return m
}

// Len is how many pictures are on the map.
func (m *Map) Len() int { return len(m.ids) }

// Of is where a picture is, or Nowhere.
func (m *Map) Of(id palate.ImageID) Spot {
	at, there := slices.BinarySearchFunc(m.ids, id, func(a, b palate.ImageID) int { return bytes.Compare(a[:], b[:]) })
	if !there {
		return Nowhere
	}
	return m.places[at]
}

// Neighbour is a picture near a new one, by the inner product of their embeddings.
type Neighbour struct {
	Image   palate.ImageID
	Product float64
}

// nearTogether is by how much less similar a neighbour may be to count e times
// less for where a new picture is put.
const nearTogether = .02

// Put says where a picture that is not on the map belongs: among its neighbours
// that are, the nearest of which count the most. Nowhere without any.
func (m *Map) Put(near []Neighbour) Spot {
	var x, y, all float64
	best := math.Inf(-1)
	for _, n := range near {
		if m.Of(n.Image) != Nowhere {
			best = max(best, n.Product)
		}
	}
	for _, n := range near {
		if at := m.Of(n.Image); at != Nowhere {
			w := math.Exp((n.Product - best) / nearTogether)
			x, y, all = x+w*float64(at.X), y+w*float64(at.Y), all+w
		}
	}
	if all == 0 {
		return Nowhere
	}
	return Spot{uint16(math.Round(x / all)), uint16(math.Round(y / all))}
}

// Write keeps the map in a file.
func (m *Map) Write(path string) error {
	made, err := json.Marshal(m.Made)
	if err != nil {
		return fmt.Errorf("atlas: %w", err)
	}
	b := make([]byte, 0, headBytes+len(made)+perPicture*len(m.ids)+4)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(made)))
	b = append(b, made...)
	for _, id := range m.ids {
		b = append(b, id[:]...)
	}
	for _, p := range m.places {
		b = binary.LittleEndian.AppendUint16(b, p.X)
	}
	for _, p := range m.places {
		b = binary.LittleEndian.AppendUint16(b, p.Y)
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the map: %w", err)
	}
	if err := atomicfile.WriteBytes(path, 0o600, b); err != nil {
		return fmt.Errorf("keep the map: %w", err)
	}
	return nil
}

// Read reads a map that was kept. palate.ErrNotFound if there is none,
// palate.ErrInvalid if it can't be read: then a new one is made.
func Read(path string) (*Map, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no map was made yet: %w", palate.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read the map: %w", err)
	}
	return Parse(b)
}

// Parse reads the bytes of a file.
func Parse(b []byte) (*Map, error) {
	bad := func(what string) (*Map, error) {
		return nil, fmt.Errorf("the map that was kept can't be read: %s: make a new one with palate map: %w", what, palate.ErrInvalid)
	}
	if len(b) < headBytes+4 || string(b[:len(magic)]) != magic {
		return bad("it is no map")
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != version {
		return bad(fmt.Sprintf("it has format %d, and this program reads %d", v, version))
	}
	end := len(b) - 4
	if crc32.ChecksumIEEE(b[:end]) != binary.LittleEndian.Uint32(b[end:]) {
		return bad("it is damaged")
	}
	long := binary.LittleEndian.Uint32(b[len(magic)+4:])
	if long > mostMade || headBytes+int(long) > end {
		return bad("it ends too early")
	}
	m := new(Map)
	if err := json.Unmarshal(b[headBytes:headBytes+int(long)], &m.Made); err != nil {
		return bad("what is said of it is no JSON")
	}
	rest, n := b[headBytes+int(long):end], m.Pictures
	if n < 0 || n > mostPlaces || len(rest) != n*perPicture {
		return bad("it does not hold what it says")
	}
	m.ids, m.places = make([]palate.ImageID, n), make([]Spot, n)
	for i := range n {
		copy(m.ids[i][:], rest[16*i:])
		m.places[i] = Spot{binary.LittleEndian.Uint16(rest[16*n+2*i:]), binary.LittleEndian.Uint16(rest[18*n+2*i:])}
		if i > 0 && bytes.Compare(m.ids[i-1][:], m.ids[i][:]) >= 0 {
			return bad("its pictures are not in order")
		}
	}
	return m, nil
}
