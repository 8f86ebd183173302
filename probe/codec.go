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
	codecMagic   = "palprobe"
	codecVersion = 1
	codecPrefix  = len(codecMagic) + 2 + 4 // magic, version, length of the header
	// No header of a probe comes near this.
	maxHeader = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary writes the probe in the format of doc.go. A probe with values
// that are not finite is palate.ErrInvalid.
func (p *Probe) MarshalBinary() ([]byte, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	described := *p
	described.Weights = nil
	header, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("probe: marshal: %w", err)
	}
	out := make([]byte, 0, codecPrefix+len(header)+4+4*len(p.Weights)+4)
	out = append(out, codecMagic...)
	out = binary.LittleEndian.AppendUint16(out, codecVersion)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	out = append(out, header...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(p.Weights)))
	for _, w := range p.Weights {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(w))
	}
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(out, castagnoli)), nil
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else is
// palate.ErrInvalid and leaves p as it is.
func (p *Probe) UnmarshalBinary(b []byte) error {
	if len(b) < codecPrefix || !bytes.HasPrefix(b, []byte(codecMagic)) {
		return invalid("these bytes are no probe")
	}
	if version := binary.LittleEndian.Uint16(b[len(codecMagic):]); version != codecVersion {
		return invalid("a probe in format %d; this program reads format %d", version, codecVersion)
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
	if uint64(dim)*4 != uint64(len(rest)) {
		return invalid("a damaged probe: %d weights in %d bytes", dim, len(rest))
	}
	read.Weights = make([]float32, dim)
	for i := range read.Weights {
		read.Weights[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
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
	return nil
}
