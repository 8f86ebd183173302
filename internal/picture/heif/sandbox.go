package heif

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // the decoders
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// The decoders are built by others, see NOTICE; fetchwasm says which they are.
//
//go:generate go run ./fetchwasm
var (
	//go:embed wasm/heic.wasm.gz
	heicDecoder []byte
	//go:embed wasm/avif.wasm.gz
	avifDecoder []byte
)

// ErrMemory says that a decoder wanted more memory than it may have.
var ErrMemory = errors.New("decoding it takes more memory than is allowed")

var errDecode = errors.New("its pixels can't be decoded")

// Layout is how pixels lie in memory.
type Layout int

// The layouts that the decoders give.
const (
	Planes420 Layout = iota + 1 // Y, then Cb and Cr of half the width and height
	Planes422                   // Y, then Cb and Cr of half the width
	Planes444
	Grey
	RGBA   // 8 bits a channel
	RGBA64 // 16 bits a channel, little-endian
)

// Pixels are what a decoder gave: rows of Stride bytes, those of Cb and Cr of
// ChromaStride. They are good until the function that was given them returns.
type Pixels struct {
	Layout               Layout
	Width, Height        int
	Stride, ChromaStride int
	Pix                  []byte
	Depth                int // of Grey: above 8 a value has two bytes, little-endian
	Premultiplied        bool
}

// Sandbox runs the decoders. It is safe for concurrent use. Each decoder is
// made ready, which takes a second, when it is used for the first time.
type Sandbox struct {
	endable bool
	cache   string

	mu      sync.Mutex
	runtime wazero.Runtime
	modules map[Codec]wazero.CompiledModule
}

// NewSandbox returns a sandbox. In one that is endable a call ends soon after
// its context, and takes four times as long. What was made ready is kept in the
// folder cache if that is not empty and can be written.
func NewSandbox(endable bool, cache string) *Sandbox {
	return &Sandbox{endable: endable, cache: cache, modules: make(map[Codec]wazero.CompiledModule)}
}

// module makes a decoder ready.
func (s *Sandbox) module(codec Codec) (wazero.Runtime, wazero.CompiledModule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := context.Background()
	if s.runtime == nil {
		config := wazero.NewRuntimeConfig().WithCloseOnContextDone(s.endable)
		if s.cache != "" {
			if cache, err := wazero.NewCompilationCacheWithDir(s.cache); err == nil {
				config = config.WithCompilationCache(cache)
			}
		}
		r := wazero.NewRuntimeWithConfig(ctx, config)
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
			return nil, nil, fmt.Errorf("heif: make the sandbox: %w", err)
		}
		s.runtime = r
	}
	if m := s.modules[codec]; m != nil {
		return s.runtime, m, nil
	}
	packed := heicDecoder
	if codec == AV1 {
		packed = avifDecoder
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, nil, fmt.Errorf("heif: unpack the decoder: %w", err)
	}
	code, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, fmt.Errorf("heif: unpack the decoder: %w", err)
	}
	m, err := s.runtime.CompileModule(ctx, code)
	if err != nil {
		return nil, nil, fmt.Errorf("heif: make the decoder ready: %w", err)
	}
	s.modules[codec] = m
	return s.runtime, m, nil
}

// Decode decodes the picture of a file within so many bytes of memory, and
// hands the pixels to use. Errors are ErrMemory, ctx's own in a sandbox that is
// endable, use's, and what is wrong with the file.
func (s *Sandbox) Decode(ctx context.Context, f *File, data []byte, memory int64, use func(Pixels) error) error {
	if f.coding != nil {
		data = f.coding.file()
	}
	data, err := f.readable(data)
	if err != nil {
		return err
	}
	return s.decode(ctx, f, f.Depth, data, memory, use)
}

// DecodeAlpha is Decode for the plane of transparency of a HEVC file, which
// comes as Grey, or as planes of which the first counts.
func (s *Sandbox) DecodeAlpha(ctx context.Context, f *File, memory int64, use func(Pixels) error) error {
	return s.decode(ctx, f, f.AlphaDepth, f.alpha.file(), memory, use)
}

func (s *Sandbox) decode(ctx context.Context, f *File, depth int, data []byte, memory int64, use func(Pixels) error) error {
	runtime, module, err := s.module(f.Codec)
	if err != nil {
		return err
	}
	room := &room{limit: uint64(min(memory, 1<<32-1<<16))}
	defer room.drop()
	ctx = experimental.WithMemoryAllocator(ctx, room)
	instance, err := runtime.InstantiateModule(ctx, module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		if ctx.Err() == nil && !room.refused {
			return fmt.Errorf("heif: start the decoder: %w", err)
		}
		return room.explain(ctx)
	}
	defer instance.Close(context.WithoutCancel(ctx))
	c := &call{ctx: ctx, in: instance}
	at := c.call("malloc", uint64(len(data)))
	if c.err == nil && (at == 0 || !instance.Memory().Write(uint32(at), data)) {
		c.err = errDecode
	}
	pixels, err := c.pixels(f.Codec, depth, at, uint64(len(data)))
	if err != nil {
		return room.explain(ctx)
	}
	return use(pixels)
}

// call is the use of one instance; after an error it does nothing.
type call struct {
	ctx context.Context // of one decoding
	in  api.Module
	err error
}

func (c *call) call(name string, args ...uint64) uint64 {
	if c.err != nil {
		return 0
	}
	f := c.in.ExportedFunction(name)
	if f == nil {
		c.err = fmt.Errorf("heif: the decoder has no function %s", name)
		return 0
	}
	results, err := f.Call(c.ctx, args...)
	if err != nil {
		c.err = err
		return 0
	}
	return results[0]
}

func (c *call) number(at uint64) uint64 {
	if c.err != nil { // a call that was ended has closed the instance
		return 0
	}
	v, ok := c.in.Memory().ReadUint32Le(uint32(at))
	if !ok && c.err == nil {
		c.err = errDecode
	}
	return uint64(v)
}

// pixels asks for the size, makes room, and decodes. Both decoders have one
// function, decode, that is called twice: for the size alone, and for all.
func (c *call) pixels(codec Codec, depth int, file, length uint64) (Pixels, error) {
	told := c.call("malloc", 64)
	decode := func(sizeOnly, out uint64) {
		var ok uint64
		if codec == AV1 { // file, length, size only, all frames, width, height, depth, frames, times, pixels
			ok = c.call("decode", file, length, sizeOnly, 0, told, told+4, told+8, told+12, told+32, out)
		} else { // file, length, size only, width, height, space, chroma, premultiplied, pixels
			ok = c.call("decode", file, length, sizeOnly, told, told+4, told+8, told+12, told+16, out)
		}
		if ok == 0 && c.err == nil {
			c.err = errDecode
		}
	}
	if c.err == nil && told == 0 {
		c.err = errDecode
	}
	decode(1, 0)
	p, size, err := describe(codec, depth, c.number(told), c.number(told+4), c.number(told+8), c.number(told+12))
	if c.err == nil {
		c.err = err
	}
	out := c.call("malloc", size)
	if c.err == nil && out == 0 {
		c.err = errDecode
	}
	if c.err == nil { // no pixel is shown that was another picture's or nobody's
		if pix, ok := c.in.Memory().Read(uint32(out), uint32(size)); ok {
			clear(pix)
		}
	}
	decode(0, out)
	if c.err != nil {
		return Pixels{}, c.err
	}
	var ok bool
	if p.Pix, ok = c.in.Memory().Read(uint32(out), uint32(size)); !ok {
		return Pixels{}, errDecode
	}
	p.Premultiplied = codec == AV1 || c.number(told+16) == 1
	return p, c.err
}

// describe says how the pixels will lie, and how many bytes they are.
func describe(codec Codec, depth int, width, height, third, fourth uint64) (p Pixels, size uint64, err error) {
	if width == 0 || height == 0 || width > 1<<16 || height > 1<<16 {
		return p, 0, errDecode
	}
	aligned := func(n uint64) uint64 { return (max(n, 64) + 15) &^ 15 } // as libheif lays out planes
	w, h := width, height
	chroma := uint64(0)
	switch {
	case codec == AV1 && third > 8:
		p.Layout, w = RGBA64, 8*width
	case codec == AV1:
		p.Layout, w = RGBA, 4*width
	case third == 1: // the numbers are libheif's own, of colour space and chroma
		p.Layout, w = RGBA, 4*aligned(width)
	case (third == 2 || fourth == 0) && depth > 8: // libheif brings only colours to 8 bits
		p.Layout, w, p.Depth = Grey, 2*aligned(width), depth
	case third == 2 || fourth == 0:
		p.Layout, w, p.Depth = Grey, aligned(width), 8
	case third == 0 && fourth == 1:
		p.Layout, w, chroma = Planes420, aligned(width), aligned((width+1)/2)
		size = 2 * chroma * ((height + 1) / 2)
	case third == 0 && fourth == 2:
		p.Layout, w, chroma = Planes422, aligned(width), aligned((width+1)/2)
		size = 2 * chroma * height
	case third == 0 && fourth == 3:
		p.Layout, w, chroma = Planes444, aligned(width), aligned(width)
		size = 2 * chroma * height
	default:
		return p, 0, errDecode
	}
	p.Width, p.Height, p.Stride, p.ChromaStride = int(width), int(height), int(w), int(chroma)
	return p, size + w*h, nil
}
