package flat

import "github.com/palate-art/palate"

// What tests see of the inside.
var SelectFirst = selectFirst[int]

// Tail is read and written as the side file's.
func Tail(b []byte, rows int) (again []byte, err error) {
	t, err := decodeTail(b, rows)
	if err != nil {
		return nil, err
	}
	return t.encode(), nil
}

// EncodeTail writes a small tail.
func EncodeTail(ids []palate.ImageID, texts []string, years []int) []byte {
	t := tail{ids: ids, sums: make([]uint32, (len(ids)+maxSegment-1)/maxSegment)}
	for i, text := range texts {
		t.names = append(t.names, term{kind: kind(i%4) + artist, text: text})
	}
	for _, y := range years {
		t.names = append(t.names, term{kind: year, year: y})
	}
	for i := range ids {
		var row []uint32
		for code := range t.names {
			if (i+code)%2 == 0 {
				row = append(row, uint32(code))
			}
		}
		t.terms = append(t.terms, row)
	}
	return t.encode()
}

const (
	LeastLoose = leastLoose
	LeastDead  = leastDead
	MaxSegment = maxSegment
	AloneBytes = aloneBytes
)
