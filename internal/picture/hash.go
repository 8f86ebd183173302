package picture

import "math/bits"

const (
	// A hash compares the means of 9 × 8 cells with their right neighbours.
	hashColumns, hashRows = 9, 8
	// hashSide is the side of the square that a picture is brought to first:
	// the smallest window then still has several pixels in a cell.
	hashSide = 96
	// leastBits is how many bits of a hash are set, and unset, at least: a
	// picture with fewer is nearly flat or one gradient and looks like any
	// other such picture.
	leastBits = 6
)

// hashWindows are the sides of the windows in shares of the picture's. Each
// but the whole lies at nine places.
var hashWindows = []float64{1, .9, .8, .7, .6, .5}

// Hashes are perceptual hashes of a picture: 64 bits that say where brightness
// falls from left to right on a coarse grid, and so change little when a
// picture is scaled, compressed or tinted. The first is of the whole picture,
// the others are of smaller and smaller windows of it, so that a crop is known
// by its own first hash. Hashes of the same view differ in few bits, those of
// different pictures in about 32. A nearly flat picture has none. The error is
// that of Resize.
func Hashes(img *RGB) ([]uint64, error) {
	small, err := Resize(img, hashSide, hashSide)
	if err != nil {
		return nil, err
	}
	sums := brightness(small)
	var hashes []uint64
	for _, share := range hashWindows {
		places := []float64{0, .5, 1}
		if share == 1 {
			places = places[:1]
		}
		for _, y := range places {
			for _, x := range places {
				free := (1 - share) * hashSide
				h := hashOf(sums, free*x, free*y, share*hashSide)
				if n := bits.OnesCount64(h); n >= leastBits && n <= 64-leastBits {
					hashes = append(hashes, h)
				} else if share == 1 {
					return nil, nil
				}
			}
		}
	}
	return hashes, nil
}

// brightness gives, for every corner between pixels, the sum of the luma
// (ITU-R BT.601) above and to the left of it.
func brightness(img *RGB) (sums [hashSide + 1][hashSide + 1]int) {
	for y := range hashSide {
		row, sum := img.Row(y), 0
		for x := range hashSide {
			sum += 299*int(row[3*x]) + 587*int(row[3*x+1]) + 114*int(row[3*x+2])
			sums[y+1][x+1] = sums[y][x+1] + sum
		}
	}
	return sums
}

func hashOf(sums [hashSide + 1][hashSide + 1]int, left, top, side float64) (hash uint64) {
	edge := func(from float64, i, n int) int { return int(from + side*float64(i)/float64(n) + .5) }
	for row := range hashRows {
		y0, y1 := edge(top, row, hashRows), edge(top, row+1, hashRows)
		var before float64
		for column := range hashColumns {
			x0, x1 := edge(left, column, hashColumns), edge(left, column+1, hashColumns)
			mean := float64(sums[y1][x1]-sums[y0][x1]-sums[y1][x0]+sums[y0][x0]) / float64((x1-x0)*(y1-y0))
			if column > 0 {
				hash <<= 1
				if before > mean {
					hash |= 1
				}
			}
			before = mean
		}
	}
	return hash
}
