package picture_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
)

// withChecksum corrects the checksum of the chunk at a place.
func withChecksum(file []byte, at int) []byte {
	size := int(binary.BigEndian.Uint32(file[at:]))
	binary.BigEndian.PutUint32(file[at+8+size:], crc32.ChecksumIEEE(file[at+4:at+8+size]))
	return file
}

var usual = picture.Terms{Limits: picture.DefaultLimits()}

// Two pictures of more than half of what there is for pixels wait for each
// other; small ones run beside the first.
func TestABudgetHoldsLargePicturesApart(t *testing.T) {
	large := encodePNG(t, image.NewGray(image.Rect(0, 0, 1400, 1000))) // 4.2 MB of 6
	small := encodePNG(t, image.NewGray(image.Rect(0, 0, 100, 100)))
	synctest.Test(t, func(t *testing.T) {
		b := picture.SmallBudget(8 << 20)
		var now, most atomic.Int64
		hold := make(chan struct{})
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				_, err := b.DecodeBytes(t.Context(), large, usual, func(m *picture.RGB, _ picture.Info) error {
					most.Store(max(most.Load(), now.Add(1)))
					<-hold
					now.Add(-1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if now.Load() != 1 {
			t.Errorf("%d large pictures are decoded at once, want 1", now.Load())
		}
		// In order of arrival: a small one waits behind the large ones, and no
		// longer than it was told to.
		impatient := usual
		impatient.Patience = 10 * time.Second
		begun := time.Now()
		_, err := b.DecodeBytes(t.Context(), small, impatient, func(*picture.RGB, picture.Info) error { return nil })
		if !errors.Is(err, palate.ErrUnavailable) || time.Since(begun) != 10*time.Second {
			t.Errorf("after %v: got %v, want palate.ErrUnavailable after 10 s", time.Since(begun), err)
		}
		// Whoever gives up leaves the queue.
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if _, err := b.DecodeBytes(stopped, small, usual, func(*picture.RGB, picture.Info) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's end", err)
		}
		close(hold)
		group.Wait()
		if most.Load() != 1 {
			t.Errorf("%d large pictures were decoded at once, want 1", most.Load())
		}
		var together sync.WaitGroup
		hold = make(chan struct{})
		now.Store(0)
		for range 50 {
			together.Go(func() {
				_, _ = b.DecodeBytes(t.Context(), small, usual, func(*picture.RGB, picture.Info) error {
					now.Add(1)
					<-hold
					return nil
				})
			})
		}
		synctest.Wait()
		if now.Load() != 50 {
			t.Errorf("%d of 50 small pictures are decoded at once", now.Load())
		}
		close(hold)
		together.Wait()
	})
}

// What takes more than the whole budget is refused, or decoded alone if it is
// a person's own.
func TestAPictureLargerThanTheBudgetIsDecodedAlone(t *testing.T) {
	large := encodePNG(t, image.NewGray(image.Rect(0, 0, 1400, 1450))) // 6.1 MB, of pixels there may be 6.29
	huge := encodePNG(t, image.NewGray(image.Rect(0, 0, 1500, 1450)))  // 6.5 MB
	b := picture.SmallBudget(8 << 20)
	nothing := func(*picture.RGB, picture.Info) error { return nil }
	if _, err := b.DecodeBytes(t.Context(), large, usual, nothing); err != nil {
		t.Errorf("just within the budget: %v", err)
	}
	var limit *picture.LimitError
	if _, err := b.DecodeBytes(t.Context(), huge, usual, nothing); !errors.As(err, &limit) || picture.Reason(err) != "too_many_pixels" {
		t.Errorf("got %v, want a LimitError", err)
	}
	if info, err := b.Check(t.Context(), huge, usual); err != nil || info.Width != 1500 {
		t.Errorf("to look whether it is a picture takes no room for its pixels: got %v", err)
	}
	alone := usual
	alone.Alone = true
	begun, end := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := b.DecodeBytes(context.Background(), huge, alone, func(*picture.RGB, picture.Info) error {
			close(begun)
			<-end
			return nil
		})
		done <- err
	}()
	<-begun
	impatient := usual
	impatient.Patience = time.Millisecond
	if _, err := b.DecodeBytes(t.Context(), encodePNG(t, image.NewGray(image.Rect(0, 0, 10, 10))), impatient, nothing); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("beside one that is decoded alone: got %v, want palate.ErrUnavailable", err)
	}
	close(end)
	if err := <-done; err != nil {
		t.Errorf("alone: %v", err)
	}
	if _, err := picture.NewBudget(100 << 20); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a budget of 100 MiB: got %v, want palate.ErrInvalid", err)
	}
}

// Decoding ends at the next piece of the file once ctx is done, in every
// format.
func TestDecodingEndsWithItsContext(t *testing.T) {
	b := picture.SmallBudget(300 << 20)
	for _, name := range goldenFiles(t) {
		if !strings.Contains(name, "testdata/decode/") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, err = b.Decode(ctx, &cancelling{Reader: bytes.NewReader(data), cancel: cancel}, usual, func(*picture.RGB, picture.Info) error { return nil })
		if !errors.Is(err, context.Canceled) || errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want the context's end alone", name, err)
		}
	}
}

// cancelling ends the context when it has been read.
type cancelling struct {
	*bytes.Reader
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err != nil {
		c.cancel()
	}
	return n, err
}

// Twelve large pictures, four at a time, leave the heap within the budget, and
// what they took goes back to the system.
func TestMemoryStaysWithinTheBudgetAndIsGivenBack(t *testing.T) {
	const budget = 64 << 20
	b := picture.SmallBudget(budget)
	file := encodePNG(t, image.NewGray(image.Rect(0, 0, 3000, 2000))) // 18 MB of 48 each
	debug.FreeOSMemory()
	before := held()
	var most atomic.Uint64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range roundsOfBudget {
				_, err := b.DecodeBytes(t.Context(), file, usual, func(*picture.RGB, picture.Info) error {
					most.Store(max(most.Load(), held()))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if took := int64(most.Load()) - int64(before); took > budget+16<<20 {
		t.Errorf("decoding took %d MiB, the budget is %d", took>>20, budget>>20)
	}
	deadline := time.Now().Add(20 * time.Second)
	for int64(held())-int64(before) > 16<<20 {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB are still held", (int64(held())-int64(before))>>20)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// held is the memory of Go's heap that the system has not got back.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

func ExampleBudget() {
	b, err := picture.NewBudget(picture.DefaultBudget)
	if err != nil {
		fmt.Println(err)
		return
	}
	terms := picture.Terms{Limits: picture.DefaultLimits()}
	_, err = b.DecodeBytes(context.Background(), []byte("<html>"), terms, func(m *picture.RGB, _ picture.Info) error {
		fmt.Println(m.Width, m.Height) // here the picture is in memory
		return nil
	})
	fmt.Println(err)
	// Output: it is no picture but HTML
}
