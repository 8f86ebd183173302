package heif

import "encoding/binary"

// Profile is a colour profile for colours that are said by number, nil for
// those of sRGB and for what it can't say: brightness beyond that of paper
// (PQ, HLG) is shown as its numbers are, as viewers without a bright screen do
// it.
func (c Colour) Profile() []byte {
	const pq, hlg = 16, 18
	if c.Transfer == pq || c.Transfer == hlg {
		return nil
	}
	// Red, green and blue by X, Y and Z of D50, from the primaries of H.273,
	// table 2, adapted by the Bradford transform.
	var xyz [3][3]float64
	switch c.Primaries {
	case 9:
		xyz = [3][3]float64{{.67348, .27904, -.00194}, {.16566, .67534, .02998}, {.12505, .04561, .79686}}
	case 12:
		xyz = [3][3]float64{{.51512, .24120, -.00105}, {.29198, .69225, .04189}, {.15710, .06657, .78407}}
	default:
		return nil
	}
	put := binary.BigEndian.AppendUint32
	curve := put([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), 157286) // 2.4, and what follows: sRGB's (IEC 61966-2-1)
	for _, v := range []uint32{62119, 3416, 5072, 2651} {
		curve = put(curve, v)
	}
	tags := []struct {
		name string
		body []byte
	}{{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve}}
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		body := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range xyz[i] {
			body = put(body, uint32(int32(v*65536+.5*sign(v))))
		}
		tags = append(tags, struct {
			name string
			body []byte
		}{name, body})
	}
	out := make([]byte, 128)
	copy(out[8:], "\x04\x00\x00\x00mntrRGB XYZ ")
	copy(out[36:], "acsp")
	out = put(out, uint32(len(tags)))
	at := len(out) + 12*len(tags)
	for _, t := range tags {
		out = put(put(append(out, t.name...), uint32(at)), uint32(len(t.body)))
		at += len(t.body)
	}
	for _, t := range tags {
		out = append(out, t.body...)
	}
	return out
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}
