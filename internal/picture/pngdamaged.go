package picture

import (
	"cmp"
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// This file shows what there is of a PNG file whose pixels end early or can't be
// read to their end. The rows that came whole are those that Pillow shows when
// it is told to load truncated images; the rest is what samples of zero are:
// black, the first colour of a palette, nothing where there is an alpha. An
// interlaced file is shown if only rows of its last pass are missing, which then
// look as the ones above them.

const (
	pngSumWrong = "the checksum of its pixels is wrong; some of them may be wrong"
	pngCoarse   = "its data end before its finest rows; some of its rows look as the ones above them"
)

// endsEarly reports an error of a stream that ends, or can't be read on.
func endsEarly(err error) bool {
	var garbled flate.CorruptInputError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errTruncated) ||
		errors.Is(err, zlib.ErrChecksum) || errors.As(err, &garbled)
}

// fill completes a picture of which rows rows of a pass came, and says what is
// missing. An error is why it can't be shown.
func (f *pngFile) fill(m *shrinking, p pngPass, rows int, s *pngStream, why error) (damage string, err error) {
	if !endsEarly(why) && !s.wrong {
		return "", why
	}
	if f.interlaced {
		if p != adam7[len(adam7)-1] || m.scale > 1 {
			return "", why
		}
		for y := p.y + rows*p.stepY; y < f.height; y += p.stepY {
			copy(m.to.row(y), m.to.row(y-1))
		}
		return pngCoarse, nil
	}
	shown := float64(rows) / float64(f.height)
	if shown < minShown {
		return "", fmt.Errorf("only %.0f %% of its pixels are there, which is too little to show: %w", 100*shown, why)
	}
	zeros, rgb := make([]byte, (f.width*f.bits+7)/8), make([]byte, 3*f.width)
	for y := rows; y < f.height; y++ {
		s.format.row(rgb, zeros)
		m.add(rgb, 0, y, 1)
	}
	if s.cut {
		return fmt.Sprintf("its data end after %d %% of it; the rest is empty", int(100*shown)), nil
	}
	return fmt.Sprintf("only %d %% of it can be read; the rest is empty", int(100*shown)), nil
}

// atEnd is what is damaged of a picture that has all its rows, by what comes
// after them; an error is why it can't be shown.
func (s *pngStream) atEnd(inflated io.Reader) (damage string, err error) {
	var more [1]byte
	switch n, err := io.ReadFull(inflated, more[:]); {
	case n > 0:
		return "", corrupt(formatPNG, "it has more pixels than its size")
	case s.wrong, errors.Is(err, zlib.ErrChecksum):
		return pngSumWrong, nil
	case errors.Is(err, io.EOF) && !s.cut:
		return s.damage, nil
	case s.cut && endsEarly(err):
		return cmp.Or(s.damage, endMissing), nil
	default:
		return "", err
	}
}

// endWithin takes what there is of the chunk that the file ends in; ended says
// that the pixels' chunks were over before. Without pixels it is an error.
func (s *pngStream) endWithin(rest []byte, ended bool) error {
	if len(rest) > 8 && string(rest[4:8]) == "IDAT" && !ended && (!s.format.paletted() || s.format.palette != nil) {
		body := rest[8:]
		s.pixels = append(s.pixels, body[:min(uint64(len(body)), uint64(binary.BigEndian.Uint32(rest)))])
	}
	if s.cut = true; len(s.pixels) == 0 || s.format.depth == 0 {
		return errTruncated
	}
	return nil
}
