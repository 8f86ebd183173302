package picture

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture/heif"
)

// decoderArgument makes a program that calls DecodeIfAsked a decoder.
const decoderArgument = "decode-pictures-for-parent"

// ownDecoder is true in a program that can be its own decoder.
var ownDecoder atomic.Bool

// DecodeIfAsked is called first thing in main. In a process that was started
// to decode pictures for its parent it does that and ends the process when the
// parent closes the pipe or ends. In any other it returns, and HEIC and AVIF
// are from then on decoded by processes of this program, which are killed when
// a decoding is cancelled or takes too long. Without it they are decoded in
// this process, four times slower.
func DecodeIfAsked() {
	if len(os.Args) == 2 && os.Args[1] == decoderArgument {
		signal.Ignore(os.Interrupt, syscall.SIGTERM) // they are the parent's, which ends this one
		os.Exit(serveDecoding(os.Stdin, os.Stdout))
	}
	ownDecoder.Store(true)
}

// request and answer are what parent and decoder say to each other, as JSON in
// a line, before the bytes of a file and of a picture.
type request struct {
	Size   int64  `json:"size"`
	Memory int64  `json:"memory"`
	Rules  Rules  `json:"rules"`
	Cache  string `json:"cache"`
}

type answer struct {
	Width  int         `json:"width,omitempty"`
	Height int         `json:"height,omitempty"`
	Limit  *LimitError `json:"limit,omitempty"` // as it was in the decoder
	Broken string      `json:"broken,omitempty"`
}

// maxRequest bounds a file in a decoder; the caller has asked its Limits.
const maxRequest = 1 << 32

// serveDecoding answers requests until there are no more.
func serveDecoding(in io.Reader, out io.Writer) int {
	type asked struct {
		request
		data []byte
	}
	requests := make(chan asked)
	go func() { // reads on while a picture is decoded, to notice the parent's end
		r := bufio.NewReader(in)
		for {
			var a asked
			line, err := r.ReadBytes('\n')
			if err != nil || json.Unmarshal(line, &a.request) != nil || a.Size < 0 || a.Size > maxRequest {
				os.Exit(0)
			}
			a.data = make([]byte, a.Size)
			if _, err := io.ReadFull(r, a.data); err != nil {
				os.Exit(0)
			}
			requests <- a
		}
	}()
	var box *heif.Sandbox
	w := bufio.NewWriter(out)
	for a := range requests {
		if box == nil {
			box = heif.NewSandbox(false, a.Cache)
		}
		m, said := decodeRequest(box, a.data, a.request)
		line, err := json.Marshal(said)
		if err != nil {
			return 1
		}
		_, _ = w.Write(append(line, '\n'))
		if m != nil {
			_, _ = w.Write(m.Pix)
		}
		if w.Flush() != nil {
			return 0
		}
	}
	return 0
}

func decodeRequest(box *heif.Sandbox, data []byte, r request) (m *RGB, said answer) {
	defer func() {
		if p := recover(); p != nil {
			m, said = nil, answer{Broken: fmt.Sprintf("decoder panic: %v", p)}
		}
	}()
	f, err := openHEIF(data)
	if err == nil {
		m, err = f.(*heifFile).decodeIn(context.Background(), box, r.Memory, r.Rules)
	}
	var limit *LimitError
	var broken *CorruptError
	switch {
	case err == nil:
		return m, answer{Width: m.Width, Height: m.Height}
	case errors.As(err, &limit):
		return nil, answer{Limit: limit}
	case errors.As(err, &broken):
		return nil, answer{Broken: broken.Err.Error()}
	}
	return nil, answer{Broken: err.Error()}
}

// decoder is a process that decodes.
type decoder struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	idle    *time.Timer
}

// decoders are the processes that wait for work. How many there are at a time
// is bounded by the Budget.
var decoders struct {
	sync.Mutex
	waiting []*decoder
}

// decoderIdle is how long a process waits for the next picture.
const decoderIdle = 15 * time.Second

var inProcess = sync.OnceValue(func() *heif.Sandbox { return heif.NewSandbox(true, "") })

// decodeApart decodes in another process if this program can be one.
func decodeApart(ctx context.Context, f *heifFile, rules Rules) (*RGB, error) {
	if !ownDecoder.Load() {
		return f.decodeIn(ctx, inProcess(), f.decoderBytes(), rules)
	}
	m, err := decodeOnce(ctx, f, rules)
	if errors.Is(err, errDecoderEnded) && ctx.Err() == nil {
		// Perhaps somebody has ended it; a file that ends it does so again.
		m, err = decodeOnce(ctx, f, rules)
	}
	if errors.Is(err, errDecoderEnded) && ctx.Err() == nil {
		return nil, corrupt(f.format(), "%w", err)
	}
	return m, err
}

var errDecoderEnded = errors.New("its decoder ended without an answer")

// decodeOnce asks one process. Whatever goes wrong, that is ended.
func decodeOnce(ctx context.Context, f *heifFile, rules Rules) (*RGB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, err := takeDecoder()
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = d.command.Process.Kill() })
	m, said, err := d.ask(f, rules)
	if !stop() || err != nil {
		d.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errDecoderEnded
	}
	switch {
	case said.Limit != nil:
		err = said.Limit
	case said.Broken != "":
		err = corrupt(f.format(), "%s", said.Broken)
	}
	if err != nil { // its sandbox may hold what the file left
		d.end()
		return nil, err
	}
	d.rest()
	return m, nil
}

// takeDecoder takes one that waits, or starts one.
func takeDecoder() (*decoder, error) {
	decoders.Lock()
	for n := len(decoders.waiting); n > 0; n = len(decoders.waiting) {
		d := decoders.waiting[n-1]
		decoders.waiting = decoders.waiting[:n-1]
		if d.idle.Stop() {
			decoders.Unlock()
			return d, nil
		}
	}
	decoders.Unlock()
	return startDecoder()
}

func startDecoder() (*decoder, error) {
	program, err := os.Executable()
	if err == nil && runtime.GOOS == "linux" {
		program = "/proc/self/exe" // though another version has taken its place
	}
	if err != nil {
		return nil, fmt.Errorf("picture: find this program to decode with: %w", err)
	}
	d := &decoder{command: exec.Command(program, decoderArgument)}
	d.command.Env = []string{} // no key and no password
	if root := os.Getenv("SystemRoot"); root != "" {
		d.command.Env = append(d.command.Env, "SystemRoot="+root)
	}
	if d.in, err = d.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("picture: start a decoder: %w", err)
	}
	out, err := d.command.StdoutPipe()
	if err == nil {
		err = d.command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("picture: start a decoder: %w: %w", palate.ErrUnavailable, err)
	}
	d.out = bufio.NewReader(out)
	return d, nil
}

// ask sends a file and reads the picture.
func (d *decoder) ask(f *heifFile, rules Rules) (*RGB, answer, error) {
	var said answer
	line, err := json.Marshal(request{Size: int64(len(f.data)), Memory: f.decoderBytes(), Rules: rules.OrCurrent(), Cache: decoderCache()})
	if err != nil {
		return nil, said, err
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return nil, said, err
	}
	if _, err := d.in.Write(f.data); err != nil {
		return nil, said, err
	}
	line, err = d.out.ReadBytes('\n')
	if err != nil {
		return nil, said, err
	}
	if err := json.Unmarshal(line, &said); err != nil || said.Limit != nil || said.Broken != "" {
		return nil, said, err
	}
	width, height, _ := f.stored()
	if said.Width != width || said.Height != height {
		said.Broken = fmt.Sprintf("its pixels are %d×%d, its header says %d×%d", said.Width, said.Height, width, height)
		return nil, said, nil
	}
	m := NewRGB(width, height)
	_, err = io.ReadFull(d.out, m.Pix)
	return m, said, err
}

// decoderCache is where decoders keep what they have made ready.
func decoderCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "palate", "decoders")
}

// rest lets a process wait for the next picture.
func (d *decoder) rest() {
	decoders.Lock()
	defer decoders.Unlock()
	d.idle = time.AfterFunc(decoderIdle, func() {
		decoders.Lock()
		for i, other := range decoders.waiting {
			if other == d {
				decoders.waiting = append(decoders.waiting[:i], decoders.waiting[i+1:]...)
				break
			}
		}
		decoders.Unlock()
		d.end()
	})
	decoders.waiting = append(decoders.waiting, d)
}

// end kills a process and waits for its end.
func (d *decoder) end() {
	_ = d.in.Close()
	_ = d.command.Process.Kill()
	_ = d.command.Wait()
}
