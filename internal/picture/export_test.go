package picture

import (
	"context"
	"strings"
	"time"
)

// DecodeByStandardLibrary decodes a JPEG as if it were of no usual kind.
func DecodeByStandardLibrary(data []byte) (*RGB, error) {
	f, err := openJPEG(data)
	if err != nil {
		return nil, err
	}
	return f.(*jpegFile).decodeOther(context.Background())
}

// DecodeUsual decodes a JPEG at 1/scale if it is of the usual kind.
func DecodeUsual(data []byte, scale int) (*RGB, bool) {
	f, err := openJPEG(data)
	if err != nil {
		return nil, false
	}
	j := f.(*jpegFile)
	c := &collected{width: ceilDiv(j.width, scale), height: ceilDiv(j.height, scale)}
	ok := j.decodeUsual(context.Background(), scale, Former, c)
	return c.m, ok
}

// DecodeAny decodes a JPEG as if it were of no usual kind.
func DecodeAny(data []byte) (*RGB, string, error) {
	f, err := openJPEG(data)
	if err != nil {
		return nil, "", err
	}
	j := f.(*jpegFile)
	c := &collected{width: j.width, height: j.height}
	damage, err := j.decodeAny(context.Background(), "", c)
	return c.m, damage, err
}

// Scale is what the sides of a picture are divided by when it is decoded.
func (r Reading) Scale(info Info) int { return r.scale(info) }

// DecodePNG decodes a PNG at 1/scale.
func DecodePNG(data []byte, scale int) (*RGB, error) {
	f, err := openPNG(data)
	if err != nil {
		return nil, err
	}
	p := f.(*pngFile)
	c := &collected{width: ceilDiv(p.width, scale), height: ceilDiv(p.height, scale)}
	_, err = p.decode(context.Background(), scale, "", c)
	return c.m, err
}

// SmallBudget is a budget below the least that NewBudget gives.
func SmallBudget(bytes int64) *Budget { return newBudget(bytes) }

// SetDecoderTime, SetDecoderBytes and WithoutOwnDecoder change how HEIC and
// AVIF are decoded until the function that they return is called.
func SetDecoderTime(least time.Duration) (restore func()) {
	was := leastDecoderTime
	leastDecoderTime = least
	return func() { leastDecoderTime = was }
}

func SetDecoderBytes(own int64) (restore func()) {
	was := decoderOwnBytes
	decoderOwnBytes = own
	return func() { decoderOwnBytes = was }
}

func WithoutOwnDecoder() (restore func()) {
	ownDecoder.Store(false)
	return func() { ownDecoder.Store(true) }
}

// UnreadBeginnings are the kinds that are known by how their files begin and
// not read, each with such a beginning.
func UnreadBeginnings() (kinds, beginnings []string) {
	for _, s := range signatures {
		if s.format == "" {
			kinds, beginnings = append(kinds, s.kind), append(beginnings, strings.ReplaceAll(s.magic, "?", "\x00"))
		}
	}
	return kinds, beginnings
}

// ClaimedBytes is the most that decoding a file is said to take beside it.
func ClaimedBytes(data []byte, limits Limits) int64 {
	f, info, err := openBytes(data, limits, "")
	if err != nil {
		return 0
	}
	most := int64(0)
	for _, w := range f.ways(Current(), 1) {
		most = max(most, target{}.bytes(w, info))
	}
	return most
}

// Upright turns a picture as its orientation says.
func Upright(m *RGB, orientation int) *RGB {
	return upright(&RGB{Pix: append([]byte(nil), m.Pix...), Width: m.Width, Height: m.Height}, orientation)
}

// Reduced gives the rows of a picture as it is stored to a reduction.
func Reduced(m *RGB, orientation int, w Window) *RGB {
	r := newReduction(m.Width, m.Height, orientation, w)
	for y := range m.Height {
		copy(r.row(y), m.Row(y))
		r.done(y)
	}
	return r.finish()
}

// IsReduced reports whether a picture was reduced while it was decoded.
func IsReduced(m *RGB) bool { return m.reducedTo != nil }

// ClaimedFor is what the first way of reading a file so is counted with.
func ClaimedFor(data []byte, reading Reading) int64 {
	f, info, err := openBytes(data, DefaultLimits(), reading.Rules)
	if err != nil {
		return 0
	}
	w := f.ways(reading.Rules, reading.scale(info))[0]
	return reading.target(w, info).bytes(w, info)
}
