package picturetest

import (
	"image"
	"math"
	"math/rand/v2"
)

// Photograph draws what has the statistics of a photograph: detail of every
// size, the larger the stronger, colours that go together, and a few hard edges.
// One seed and size is one picture.
func Photograph(width, height int, seed uint64) *image.RGBA {
	random := rand.New(rand.NewPCG(seed, 2))
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	levels := make([]float64, 3*width*height)
	for cell := max(width, height); cell >= 2; cell = cell * 5 / 9 {
		strength := 70 * math.Pow(float64(cell)/float64(max(width, height)), .45)
		addNoise(levels, width, height, cell, strength, random)
	}
	for range 6 { // things with an outline
		x, y, r := random.IntN(width), random.IntN(height), 1+random.IntN(1+min(width, height)/4)
		shade := [3]float64{random.NormFloat64() * 40, random.NormFloat64() * 40, random.NormFloat64() * 40}
		for py := max(0, y-r); py < min(height, y+r); py++ {
			for px := max(0, x-r); px < min(width, x+r); px++ {
				if (px-x)*(px-x)+(py-y)*(py-y) < r*r {
					for c := range shade {
						levels[3*(py*width+px)+c] += shade[c]
					}
				}
			}
		}
	}
	for i := range width * height {
		for c := range 3 {
			m.Pix[4*i+c] = byte(min(max(math.Round(120+levels[3*i+c]), 0), 255))
		}
		m.Pix[4*i+3] = 255
	}
	return m
}

// addNoise adds random values on a lattice of cells, linear between.
func addNoise(levels []float64, width, height, cell int, strength float64, random *rand.Rand) {
	across := width/cell + 2
	lattice := make([][3]float64, across*(height/cell+2))
	for i := range lattice {
		grey := random.NormFloat64()
		for c := range 3 {
			lattice[i][c] = strength * (grey + .4*random.NormFloat64()) / 1.2
		}
	}
	for y := range height {
		fy := float64(y%cell) / float64(cell)
		for x := range width {
			fx := float64(x%cell) / float64(cell)
			at := y/cell*across + x/cell
			for c := range 3 {
				top := lattice[at][c]*(1-fx) + lattice[at+1][c]*fx
				bottom := lattice[at+across][c]*(1-fx) + lattice[at+across+1][c]*fx
				levels[3*(y*width+x)+c] += top*(1-fy) + bottom*fy
			}
		}
	}
}
