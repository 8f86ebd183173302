package icc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Space is what the numbers of a pixel are.
type Space int

// The spaces that are read.
const (
	Grey Space = iota + 1
	RGB
	CMYK
)

// channels is how many numbers a pixel has.
func (s Space) channels() int { return map[Space]int{Grey: 1, RGB: 3, CMYK: 4}[s] }

// Profile is what a file says of its colours.
type Profile struct {
	space   Space
	lab     bool // the connection space is Lab, else XYZ
	version byte
	output  bool // it describes a printer
	tags    map[string][]byte
}

const headerBytes, maxTags = 128, 200

var errCut = errors.New("icc: the profile is cut short")

// Parse reads the header and the list of tags. The data are kept.
func Parse(data []byte) (*Profile, error) {
	if len(data) < headerBytes+4 {
		return nil, errCut
	}
	if string(data[36:40]) != "acsp" {
		return nil, errors.New("icc: this is no colour profile")
	}
	p := &Profile{version: data[8], tags: make(map[string][]byte)}
	switch space := string(data[16:20]); space {
	case "GRAY":
		p.space = Grey
	case "RGB ":
		p.space = RGB
	case "CMYK":
		p.space = CMYK
	default:
		return nil, fmt.Errorf("icc: a profile for %q can't be used", space)
	}
	switch class := string(data[12:16]); class {
	case "prtr":
		p.output = true
	case "mntr", "scnr", "spac":
	default:
		return nil, fmt.Errorf("icc: a profile of the class %q can't be used", class)
	}
	switch pcs := string(data[20:24]); pcs {
	case "XYZ ":
	case "Lab ":
		p.lab = true
	default:
		return nil, fmt.Errorf("icc: the connection space is %q", pcs)
	}
	n := binary.BigEndian.Uint32(data[128:])
	if n > maxTags {
		return nil, fmt.Errorf("icc: %d tags, at most %d are read", n, maxTags)
	}
	for i := range int(n) {
		at := headerBytes + 4 + 12*i
		if at+12 > len(data) {
			return nil, errCut
		}
		offset, size := uint64(binary.BigEndian.Uint32(data[at+4:])), uint64(binary.BigEndian.Uint32(data[at+8:]))
		if offset+size <= uint64(len(data)) && size >= 8 {
			p.tags[string(data[at:at+4])] = data[offset : offset+size]
		}
	}
	return p, nil
}

// Space is what the profile describes.
func (p *Profile) Space() Space { return p.space }

// stage is one step from a device's numbers to the connection space. It may
// write into its argument and return that.
type stage func(v []float64) []float64

// toXYZ are the steps from the device, 0 … 1, to XYZ of a white of D50.
func (p *Profile) toXYZ() ([]stage, error) {
	if tag := p.tags["A2B0"]; tag != nil {
		stages, err := p.table(tag)
		if err != nil {
			return nil, err
		}
		return stages, nil
	}
	switch p.space {
	case Grey:
		return p.greyStages()
	case RGB:
		return p.matrixStages()
	}
	return nil, errors.New("icc: a profile for ink without a table")
}

// whiteD50 is the white of the connection space (ISO 15076-1, 6.3.4.3).
var whiteD50 = [3]float64{0.9642, 1, 0.8249}

func (p *Profile) greyStages() ([]stage, error) {
	c, err := p.curve("kTRC")
	if err != nil {
		return nil, err
	}
	if p.lab {
		return []stage{func(v []float64) []float64 { return []float64{100 * c(v[0]), 0, 0} }, labToXYZ}, nil
	}
	return []stage{func(v []float64) []float64 {
		y := c(v[0])
		return []float64{whiteD50[0] * y, whiteD50[1] * y, whiteD50[2] * y}
	}}, nil
}

func (p *Profile) matrixStages() ([]stage, error) {
	var curves [3]curve
	var m [3][3]float64
	for i, name := range []string{"r", "g", "b"} {
		c, err := p.curve(name + "TRC")
		if err != nil {
			return nil, err
		}
		curves[i] = c
		tag := p.tags[name+"XYZ"]
		if len(tag) < 20 || string(tag[:4]) != "XYZ " {
			return nil, fmt.Errorf("icc: the profile has no %sXYZ", name)
		}
		for row := range 3 {
			m[row][i] = fixed(tag[8+4*row:])
		}
	}
	if p.lab {
		return nil, errors.New("icc: a matrix into Lab")
	}
	return []stage{func(v []float64) []float64 {
		for i, c := range curves {
			v[i] = c(v[i])
		}
		return multiply(&m, v)
	}}, nil
}

func multiply(m *[3][3]float64, v []float64) []float64 {
	v[0], v[1], v[2] = m[0][0]*v[0]+m[0][1]*v[1]+m[0][2]*v[2],
		m[1][0]*v[0]+m[1][1]*v[1]+m[1][2]*v[2],
		m[2][0]*v[0]+m[2][1]*v[1]+m[2][2]*v[2]
	return v
}

// fixed is a number of 16 integer and 16 fractional bits.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }
