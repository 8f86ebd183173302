package flat

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/palate-art/palate"
)

// tail is what the side file holds beside the embeddings.
type tail struct {
	sums  []uint32 // CRC-32C of each maxSegment rows
	ids   []palate.ImageID
	names []term
	terms [][]uint32 // places in names, by row
}

func (t tail) encode() []byte {
	var b []byte
	for _, sum := range t.sums {
		b = binary.LittleEndian.AppendUint32(b, sum)
	}
	for _, id := range t.ids {
		b = append(b, id[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(t.names)))
	for _, name := range t.names {
		b = append(b, byte(name.kind))
		if name.kind == year {
			b = binary.AppendVarint(b, int64(name.year))
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(name.text)))
		b = append(b, name.text...)
	}
	codes := 0
	for _, row := range t.terms {
		codes += len(row)
	}
	b = binary.AppendUvarint(b, uint64(codes))
	for _, row := range t.terms {
		b = binary.AppendUvarint(b, uint64(len(row)))
		for _, code := range row {
			b = binary.AppendUvarint(b, uint64(code))
		}
	}
	return b
}

var errTail = errors.New("its tail can't be read")

// decodeTail reads what encode writes for that many rows. Whatever the bytes
// are, it takes no more memory than a few times their number.
func decodeTail(b []byte, rows int) (t tail, err error) {
	chunks := (rows + maxSegment - 1) / maxSegment
	if len(b)/16 < rows || len(b)-16*rows < 4*chunks {
		return t, errTail
	}
	for range chunks {
		t.sums = append(t.sums, binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	t.ids = make([]palate.ImageID, rows)
	for i := range t.ids {
		copy(t.ids[i][:], b)
		b = b[16:]
	}
	r := reader{b: b}
	for range r.number(len(r.b)) {
		t.names = append(t.names, r.term())
	}
	codes := r.number(len(r.b))
	if r.bad || len(t.names) > math.MaxInt32 {
		return t, errTail
	}
	arena := make([]uint32, 0, codes)
	t.terms = make([][]uint32, rows)
	for i := range t.terms {
		from := len(arena)
		for range r.number(codes - from) {
			arena = append(arena, uint32(r.number(len(t.names)-1)))
		}
		if t.terms[i] = arena[from:len(arena):len(arena)]; !ascending(t.terms[i]) {
			r.bad = true
		}
		if r.bad {
			return t, errTail
		}
	}
	if len(r.b) != 0 || len(arena) != codes {
		return t, errTail
	}
	return t, nil
}

func ascending(codes []uint32) bool {
	for i := 1; i < len(codes); i++ {
		if codes[i] <= codes[i-1] {
			return false
		}
	}
	return true
}

// parts cuts the rows into what becomes segments.
func (t tail) parts(exact []float32, dim int, file *mapping) (all []part) {
	for from := 0; from < len(t.ids); from += maxSegment {
		to := min(len(t.ids), from+maxSegment)
		all = append(all, part{t.ids[from:to:to], exact[from*dim : to*dim : to*dim], t.terms[from:to:to], file})
	}
	return all
}

// reader takes numbers off bytes. Once something is bad, it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

// number reads one from 0 to most.
func (r *reader) number(most int) int {
	n, size := binary.Uvarint(r.b)
	if r.bad || size <= 0 || most < 0 || n > uint64(most) {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

func (r *reader) term() (t term) {
	if r.bad || len(r.b) == 0 || r.b[0] == 0 || r.b[0] > byte(lastKind) {
		r.bad = true
		return t
	}
	t.kind, r.b = kind(r.b[0]), r.b[1:]
	if t.kind == year {
		n, size := binary.Varint(r.b)
		if size <= 0 {
			r.bad = true
			return t
		}
		t.year, r.b = int(n), r.b[size:]
		return t
	}
	n := r.number(len(r.b))
	if n > len(r.b) {
		r.bad = true
		return t
	}
	t.text, r.b = string(slices.Clone(r.b[:n])), r.b[n:]
	return t
}
