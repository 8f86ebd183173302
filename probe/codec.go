package probe

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
)

// The format is described in doc.go.
const (
	codecMagic = "palprobe"
	// A probe without neighbours is written in the format that releases
	// before knew, so that they can read it.
	codecLinear  = 1
	codecVersion = 2
	codecPrefix  = len(codecMagic) + 2 + 4 // magic, version, length of the header
	// No header of a probe comes near this.
	maxHeader = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary writes the probe in the format of doc.go. A probe with values
// that are not finite, or that misses neighbours, is palate.ErrInvalid.
func (p *Probe) MarshalBinary() ([]byte, error) {
	if len(p.Missing()) > 0 {
		return nil, invalid("a probe without the embeddings of %d of its neighbours", len(p.Missing()))
	}
	return p.marshal(true)
}

// MarshalReferences is MarshalBinary without the embeddings of neighbours that
// are images: some bytes for each instead of some thousand. Who reads it has to
// Fill in the embeddings before it scores.
func (p *Probe) MarshalReferences() ([]byte, error) { return p.marshal(false) }

func (p *Probe) marshal(whole bool) ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	described := *p
	described.Weights = nil
	header, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("probe: marshal: %w", err)
	}
	version := codecLinear
	if p.Nearness != nil {
		version = codecVersion
	}
	out := make([]byte, 0, codecPrefix+len(header)+4+4*len(p.Weights)+4)
	out = append(out, codecMagic...)
	out = binary.LittleEndian.AppendUint16(out, uint16(version))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	out = append(out, header...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(p.Weights)))
	out = appendFloats(out, p.Weights)
	if p.Nearness != nil {
		out = appendNeighbours(out, p.Nearness.Likes, whole)
		out = appendNeighbours(out, p.Nearness.Dislikes, whole)
	}
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else is
// palate.ErrInvalid and leaves p as it is.
func (p *Probe) UnmarshalBinary(b []byte) error {
	if len(b) < codecPrefix || !bytes.HasPrefix(b, []byte(codecMagic)) {
		return invalid("these bytes are no probe")
	}
	version := binary.LittleEndian.Uint16(b[len(codecMagic):])
	if version < codecLinear || version > codecVersion {
		return invalid("a probe in format %d; this program reads formats %d to %d", version, codecLinear, codecVersion)
	}
	body := b[:max(len(b)-4, 0)]
	if len(b) < codecPrefix+8 || crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return invalid("a damaged probe: its checksum does not match")
	}
	length := binary.LittleEndian.Uint32(b[codecPrefix-4:])
	rest := body[codecPrefix:]
	if length > maxHeader || int(length)+4 > len(rest) {
		return invalid("a damaged probe: its header is longer than it")
	}
	var read Probe
	if err := json.Unmarshal(rest[:length], &read); err != nil {
		return invalid("a damaged probe: %v", err)
	}
	rest = rest[length:]
	dim, rest := binary.LittleEndian.Uint32(rest), rest[4:]
	if size := uint64(dim) * 4; size > uint64(len(rest)) || version == codecLinear && size < uint64(len(rest)) {
		return invalid("a damaged probe: %d weights in %d bytes", dim, len(rest))
	}
	read.Weights, rest = floatsOf(rest, int(dim))
	if (version == codecLinear) != (read.Nearness == nil) {
		return invalid("a damaged probe: neighbours in format %d", version)
	}
	if read.Nearness != nil {
		if err := read.Nearness.read(rest, int(dim)); err != nil {
			return err
		}
	}
	if err := read.validate(); err != nil {
		return err
	}
	*p = read
	return nil
}

// validate reports whether the probe can score.
func (p *Probe) validate() error {
	if len(p.Weights) == 0 {
		return invalid("a probe without weights")
	}
	for i, w := range p.Weights {
		if f := float64(w); math.IsNaN(f) || math.IsInf(f, 0) {
			return invalid("weight %d of the probe is %v", i, w)
		}
	}
	for _, v := range []float64{p.Bias, p.Threshold} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid("bias or threshold of the probe is %v", v)
		}
	}
	if err := p.Calibration.Validate(); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if p.Nearness != nil {
		return p.Nearness.validate(len(p.Weights))
	}
	return nil
}
