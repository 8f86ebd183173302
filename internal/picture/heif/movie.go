package heif

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// track is what one track of a sequence says (ISO/IEC 14496-12, 8.3).
type track struct {
	kindAt  int // of its box's kind, in the file
	id      uint32
	auxOf   uint32 // of the track that it belongs to; 0 for none
	handler string
	codec   Codec // of what is decoded here
	alpha   bool  // it is said to be transparency
	other   bool  // it is said to be something else of another track, as depth
	entry   box   // of its first sample description
}

// pictures reports a track that is shown by itself.
func (t *track) pictures() bool {
	return t.codec != "" && t.auxOf == 0 && !t.alpha && !t.other && t.handler != "auxv"
}

// maxTracks bounds what a sequence may have of them.
const maxTracks = 64

func readTracks(movie box) ([]track, error) {
	var tracks []track
	err := boxes(movie.body, movie.at, func(b box) error {
		if b.kind != "trak" {
			return nil
		}
		if len(tracks) == maxTracks {
			return errTooMany
		}
		t := track{kindAt: b.kindAt}
		err := t.read(b, 0)
		tracks = append(tracks, t)
		return err
	})
	return tracks, err
}

// read takes what a box says of the track, and what the boxes in it say.
func (t *track) read(b box, depth int) error {
	if depth > 8 {
		return errTooMany
	}
	p := &fields{data: b.body}
	switch b.kind {
	case "trak", "mdia", "minf", "stbl":
		return boxes(b.body, b.at, func(b box) error { return t.read(b, depth+1) })
	case "tkhd":
		times := 4
		if p.uint(4)>>24 == 1 {
			times = 8
		}
		p.uint(times)
		p.uint(times)
		t.id = uint32(p.uint(4))
	case "hdlr":
		p.uint(8)
		t.handler = p.text(4)
	case "tref":
		return boxes(b.body, b.at, func(b box) error {
			if b.kind == "auxl" && len(b.body) >= 4 {
				t.auxOf = binary.BigEndian.Uint32(b.body)
			}
			return nil
		})
	case "stsd":
		return t.readDescription(b)
	}
	return nil
}

// visualEntry is how long a description of pictures is before the boxes in it
// (ISO/IEC 14496-12, 12.1.3).
const visualEntry = 78

func (t *track) readDescription(b box) error {
	if len(b.body) < 8 || t.codec != "" {
		return nil
	}
	return boxes(b.body[8:], b.at+8, func(b box) error {
		if t.codec != "" || b.kind != string(AV1) && b.kind != string(HEVC) || len(b.body) < visualEntry {
			return nil
		}
		t.codec, t.entry = Codec(b.kind), b
		return boxes(b.body[visualEntry:], b.at+visualEntry, func(b box) error {
			if b.kind == "auxi" && len(b.body) > 4 {
				kind, _, _ := bytes.Cut(b.body[4:], []byte{0})
				t.alpha = isAlpha(string(kind))
				t.other = !t.alpha
			}
			return nil
		})
	})
}

// parseMovie finds the first track of pictures.
func parseMovie(movie box) (*File, error) {
	tracks, err := readTracks(movie)
	if err != nil {
		return nil, err
	}
	shown := slices.IndexFunc(tracks, func(t track) bool { return t.pictures() })
	if shown < 0 {
		return nil, errNoPrimary
	}
	t := &tracks[shown]
	if t.codec == HEVC {
		return nil, &UnsupportedError{"hevc"} // a sequence without a still picture
	}
	f := &File{Turn: 1, Whole: true, Colour: Colour{2, 2, 2, false}, Codec: t.codec}
	f.Width = int(binary.BigEndian.Uint16(t.entry.body[24:]))
	f.Height = int(binary.BigEndian.Uint16(t.entry.body[26:]))
	f.unread = unread(tracks, t)
	return f, boxes(t.entry.body[visualEntry:], t.entry.at+visualEntry, func(b box) error {
		switch b.kind {
		case "colr":
			f.colour(b.body, map[string]bool{})
		case "av1C":
			f.Depth = depthOf(b)
		}
		return nil
	})
}

// unread gives where the kinds of the tracks stand that have no part in a picture
// of the track that is shown, which may be nil: sound, depth, other pictures. The
// decoder would read some of them as pictures.
func unread(tracks []track, shown *track) (at []int) {
	for i := range tracks {
		t := &tracks[i]
		if t == shown || shown != nil && t.codec == shown.codec && t.auxOf == shown.id && t.auxOf != 0 && !t.other {
			continue
		}
		at = append(at, t.kindAt)
	}
	return at
}

// readable is the file as the decoder is to see it: without what it is not to
// read.
func (f *File) readable(data []byte) ([]byte, error) {
	if len(f.unread) == 0 {
		return data, nil
	}
	data = slices.Clone(data)
	for _, at := range f.unread {
		if at < 0 || at+4 > len(data) {
			return nil, fmt.Errorf("a track at %d: %w", at, errCut)
		}
		copy(data[at:], "free")
	}
	return data, nil
}
