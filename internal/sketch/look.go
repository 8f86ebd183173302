package sketch

import "math"

// LookValues is the length of a look.
const LookValues = 2 * looking * (looking - 1)

// Alike is the inner product from which two looks may be of one picture. Of
// pairs of different photographs one in some thousands is so alike.
const Alike = .72

// Looks are those of the whole picture and of what is within its frame, if it
// has one; none where there is nothing to see. Each is of norm 1.
func (s *Sketch) Looks() (looks [][]float32) {
	p := s.brightness()
	areas := []area{everything}
	if inner := s.inner(); inner != everything {
		areas = append(areas, inner)
	}
	for _, a := range areas {
		if look := p.gradients(a, looking, false, nil); look != nil {
			looks = append(looks, look)
		}
	}
	return looks
}

// Mirrored is the look of the mirrored picture.
func Mirrored(look []float32) []float32 {
	out := make([]float32, len(look))
	const right = looking * (looking - 1) // the differences to the right come first
	for y := range looking {
		for x := range looking - 1 {
			out[y*(looking-1)+x] = -look[y*(looking-1)+looking-2-x]
		}
	}
	for y := range looking - 1 {
		for x := range looking {
			out[right+y*looking+x] = look[right+y*looking+looking-1-x]
		}
	}
	return out
}

// leastContrast is the least mean square of the differences, in steps of 255:
// below it is what compression leaves.
const leastContrast = 4

// gradients appends the differences of neighbouring cells of an area, those to
// the right and then those down, at norm 1; nil where there are none.
func (p *plane) gradients(a area, n int, mirrored bool, out []float32) []float32 {
	var kept [maxCells * maxCells]float32
	cells := p.cells(a, n, n, kept[:0])
	if mirrored {
		mirror(cells, n)
	}
	from := len(out)
	for y := range n {
		row := cells[y*n : (y+1)*n]
		for x := range n - 1 {
			out = append(out, row[x+1]-row[x])
		}
	}
	for y := range n - 1 {
		row, below := cells[y*n:(y+1)*n], cells[(y+1)*n:(y+2)*n]
		for x := range row {
			out = append(out, below[x]-row[x])
		}
	}
	added := out[from:]
	square := product(added, added)
	if square < leastContrast*float32(len(added)) {
		return nil
	}
	scale := 1 / float32(math.Sqrt(float64(square)))
	for i := range added {
		added[i] *= scale
	}
	return out
}
