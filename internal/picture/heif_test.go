package picture_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
	"path/filepath"
	"testing"
)

// Orientation boxes, grids, 10 and 12 bits, transparency, sampling and colours
// said by profile or number have the pixels that other decoders give. Where
// chroma is sampled it is interpolated as that of JPEG, which others do in
// ways of their own: there the mean counts.
func TestHEICAndAVIFShowWhatOthersShow(t *testing.T) {
	var golden struct {
		Cases []struct {
			Input        string  `json:"input"`
			Want         string  `json:"want"`
			MaxAbsError  int     `json:"max_abs_error"`
			MaxMeanError float64 `json:"max_mean_error"`
		} `json:"cases"`
	}
	readJSON(t, "testdata/heif/cases.json", &golden)
	if len(golden.Cases) < 20 {
		t.Fatalf("%d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(c.Input, func(t *testing.T) {
			got, info := decodeFile(t, filepath.Join("testdata/heif", c.Input))
			if "."+info.Format != filepath.Ext(c.Input) {
				t.Errorf("its format is %q", info.Format)
			}
			largest, mean := difference(t, got, readPNG(t, filepath.Join("testdata/heif", c.Want)))
			if largest > c.MaxAbsError || mean > c.MaxMeanError {
				t.Errorf("largest error %d, mean %.3f; want at most %d and %.3f", largest, mean, c.MaxAbsError, c.MaxMeanError)
			}
			t.Logf("largest error %d, mean %.4f", largest, mean)
		})
	}
}

// What a decoder must not do ends in a refusal by name, and ends the decoder:
// taking too long, and taking too much memory.
func TestADecoderThatTakesTooMuchIsEnded(t *testing.T) {
	data, err := os.ReadFile("testdata/heif/grid.avif")
	if err != nil {
		t.Fatal(err)
	}
	before := decodersOf(t)
	t.Run("time", func(t *testing.T) {
		defer picture.SetDecoderTime(time.Millisecond)()
		_, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
		if picture.Reason(err) != "too_slow" || !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v, want that it took too long", err)
		}
	})
	t.Run("memory", func(t *testing.T) {
		// It says to be 16 × 16, for which little is allowed, and is 24 times as
		// large.
		small := bytes.ReplaceAll(data, []byte("ispe\x00\x00\x00\x00\x00\x00\x01\x80\x00\x00\x01\x00"), []byte("ispe\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x10"))
		if bytes.Equal(small, data) {
			t.Fatal("the size is not where it was")
		}
		if _, _, err := picture.Decode(bytes.NewReader(small), picture.DefaultLimits()); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v, want palate.ErrInvalid", err)
		}
		defer picture.SetDecoderBytes(-1 << 19)()
		_, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
		if picture.Reason(err) != "too_many_pixels" || !strings.Contains(err.Error(), "memory") {
			t.Errorf("got %v, want that it takes too much memory", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := picture.NewDefaultBudget().DecodeBytes(ctx, data, picture.Terms{Limits: picture.DefaultLimits()}, func(*picture.RGB, picture.Info) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
	if after := decodersOf(t); after > before {
		t.Errorf("%d decoders run, %d before", after, before)
	}
	// And the next picture is decoded as ever.
	if _, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits()); err != nil {
		t.Error(err)
	}
}

// decodersOf counts the processes that this one has started, where the system
// tells.
func decodersOf(t *testing.T) int { return len(childrenOf(t, os.Getpid())) }

func childrenOf(t *testing.T, pid int) (found []string) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		found = append(found, strings.Fields(string(children))...)
	}
	return found
}

// A parent that is killed takes its decoders with it.
func TestNoDecoderOutlivesItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("which processes there are is looked up where /proc is")
		return
	}
	parent := exec.Command("/proc/self/exe")
	parent.Env = append(os.Environ(), "PICTURE_TEST_DECODE=testdata/heif/444.avif")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "<nil>\n" {
		t.Errorf("the parent says %q, %v", line, err)
	}
	children := childrenOf(t, parent.Process.Pid)
	if len(children) != 1 {
		t.Errorf("%d decoders wait, want 1", len(children))
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for _, child := range children {
		for {
			if state, err := os.ReadFile("/proc/" + child + "/stat"); err != nil || strings.Contains(string(state), ") Z ") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("decoder %s is there ten seconds after its parent's end", child)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// A program that can't be its own decoder decodes all the same, and can be
// ended too.
func TestDecodingInThisProcess(t *testing.T) {
	race.Long(t)
	defer picture.WithoutOwnDecoder()()
	for _, name := range []string{"420.heic", "alpha.avif"} {
		decodeFile(t, filepath.Join("testdata/heif", name))
	}
	defer picture.SetDecoderTime(time.Millisecond)()
	data, err := os.ReadFile("testdata/heif/grid.avif")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := picture.Decode(bytes.NewReader(data), picture.DefaultLimits()); picture.Reason(err) != "too_slow" {
		t.Errorf("got %v, want that it took too long", err)
	}
}

// A file that is cut anywhere is refused, or shows what the whole one does:
// nothing is made up.
func TestCutAndChangedHEIFIsRefused(t *testing.T) {
	for _, name := range []string{"420.heic", "alpha.avif", "alpha.heic"} {
		data, err := os.ReadFile(filepath.Join("testdata/heif", name))
		if err != nil {
			t.Fatal(err)
		}
		for part := range 9 {
			_, _, err := picture.Decode(bytes.NewReader(data[:len(data)*part/9]), picture.DefaultLimits())
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("%s cut to %d ninths: %v; want palate.ErrInvalid", name, part, err)
			}
		}
	}
}

func TestHEIFOfOtherCodingsIsNamed(t *testing.T) {
	data, err := os.ReadFile("testdata/heif/444.heic")
	if err != nil {
		t.Fatal(err)
	}
	for coding, kind := range map[string]string{"jpeg": "JPEG in HEIF", "unci": "uncompressed HEIF", "vvc1": "VVC in HEIF", "iovl": "overlaid HEIF"} {
		other := bytes.ReplaceAll(data, []byte("hvc1"), []byte(coding))
		_, _, err := picture.Decode(bytes.NewReader(other), picture.DefaultLimits())
		var unsupported *picture.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Kind != kind {
			t.Errorf("%s: got %v, want %q", coding, err, kind)
		}
	}
}

// Boxes in boxes without end do not end the program.
func TestNestedBoxesAreRefused(t *testing.T) {
	deep := []byte("\x00\x00\x00\x10ftypavis\x00\x00\x00\x00")
	const boxes = 1 << 20
	for n := range boxes {
		kind := "trak"
		if n == 0 {
			kind = "moov"
		}
		deep = append(binary.BigEndian.AppendUint32(deep, uint32(8*(boxes-n))), kind...)
	}
	if _, _, err := picture.Decode(bytes.NewReader(deep), picture.DefaultLimits()); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("got %v, want palate.ErrInvalid", err)
	}
}

func FuzzHEIFHeader(f *testing.F) {
	files, err := filepath.Glob("testdata/heif/*.[ah]*[fc]")
	if err != nil || len(files) < 20 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		info, _, err := picture.Inspect(data, picture.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20, MinSide: 1})
		if took := allocated() - before; took > 64*uint64(len(data))+4<<20 {
			t.Errorf("%d bytes took %d bytes of memory", len(data), took)
		}
		if err == nil && (info.Width < 1 || info.Height < 1) {
			t.Errorf("got %+v", info)
		}
		if err != nil && !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("got %v, want palate.ErrInvalid", err)
		}
	})
}
