//go:build linux

package faults_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// startFaultyServer starts the program under test as a server of an empty
// collection, or of the folder that is given after --data.
func startFaultyServer(t *testing.T, args ...string) program.Server {
	t.Helper()
	args = append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)
	s := program.Server{Process: program.StartFaulty(t, args...)}
	program.Eventually(t, "the server tells its address", func() bool {
		select {
		case <-s.Ended:
			t.Fatalf("palate serve ended: %s", s.ErrOut.String())
		default:
		}
		if found := program.ServingAt.FindStringSubmatch(s.ErrOut.String()); found != nil {
			s.URL = found[1]
		}
		return s.URL != ""
	})
	return s
}

// atLength is how often something is done: in short in every run of the tests,
// in full where PALATE_FAULTS_LONG is set.
func atLength(short, full int) int {
	if faultsLong {
		return full
	}
	return short
}

var faultsLong = os.Getenv("PALATE_FAULTS_LONG") != ""

// flatPNG is a file of so many pixels of one colour: a thousandth of them in
// bytes. Each of another shade is another picture.
func flatPNG(width, height int, shade byte) []byte {
	row := bytes.Repeat([]byte{shade, 120, 60}, width)
	row = append([]byte{0}, row...)
	var raw bytes.Buffer
	deflate, _ := zlib.NewWriterLevel(&raw, zlib.BestSpeed)
	for range height {
		_, _ = deflate.Write(row)
	}
	_ = deflate.Close()
	file := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, body []byte) {
		file = binary.BigEndian.AppendUint32(file, uint32(len(body)))
		from := len(file)
		file = append(append(file, kind...), body...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[from:]))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", raw.Bytes())
	chunk("IEND", nil)
	return file
}

// uploadFile posts one part named file, and gives the status and the answer.
func uploadFile(t *testing.T, address string, content []byte) (int, string, http.Header, error) {
	kind, body := program.PictureForm(t, content)
	response, err := http.Post(address, kind, body)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Header, err
}

// large is the side of a picture: under the race detector everything is
// smaller, since only what comes of it is looked at.
func large(side int) int {
	if race.Enabled && program.FaultsBinary == "" {
		return side / 8
	}
	return side
}

// Four uploads at once of a file of a megabyte that says it is a picture of
// 196 megapixels.
func TestFaultFourUploadsOf196Megapixels(t *testing.T) {
	race.Long(t)
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	idle := s.ResidentBytes(program.Now)
	file := flatPNG(14_000, 14_000, 1)
	t.Logf("the file has %d bytes", len(file))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			status, answer, _, err := uploadFile(t, s.URL+"/v1/images", file)
			if err != nil || status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "at most 50.0 megapixels") {
				t.Errorf("got %d %s (%v), want 413 and how many pixels are allowed", status, answer, err)
			}
		})
	}
	group.Wait()
	s.MustStayWithin(idle, program.SlackBytes)
}

// Uploads at once of pictures of 49 megapixels, kept and embedded.
func TestFaultManyLargeUploads(t *testing.T) {
	race.Long(t)
	s := startFaultyServer(t, "--data", t.TempDir())
	first := flatPNG(40, 40, 99)
	if status, answer, _, err := uploadFile(t, s.URL+"/v1/images", first); err != nil || status != http.StatusCreated {
		t.Fatalf("got %d %s (%v), want the picture to be taken", status, answer, err)
	}
	embedded := func(count int) bool {
		return len(program.Get[program.ImageList](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images) == count && s.Embedded() == count
	}
	program.Eventually(t, "the first picture is embedded", func() bool { return embedded(1) })
	idle := s.ResidentBytes(program.Now)
	var group sync.WaitGroup
	for i := range atLength(3, 12) {
		group.Go(func() {
			status, answer, header, err := uploadFile(t, s.URL+"/v1/images", flatPNG(large(7000), large(7000), byte(i)))
			full := status == http.StatusServiceUnavailable && header.Get("Retry-After") != ""
			if err != nil || status != http.StatusCreated && !full {
				t.Errorf("got %d %s (%v), want the picture to be taken, or 503 and when to try again", status, answer, err)
			}
		})
	}
	group.Wait()
	count := len(program.Get[program.ImageList](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images)
	program.Eventually(t, "all are embedded", func() bool { return embedded(count) })
	s.MustStayWithin(idle, program.BudgetBytes+program.SlackBytes)
	program.Eventually(t, "memory is given back", func() bool { return race.Enabled || s.ResidentBytes(program.Now)-idle < program.SlackBytes })
}

// A person's own folder may hold pictures of 60 and of 196 megapixels: they
// are imported and embedded, within the budget.
func TestFaultOwnPicturesOfManyMegapixels(t *testing.T) {
	race.Long(t)
	pictures, folder := t.TempDir(), t.TempDir()
	program.WriteFile(t, filepath.Join(pictures, "small.png"), flatPNG(300, 300, 7))
	program.StartFaulty(t, "import", pictures, "--data", folder).MustEnd()
	program.StartFaulty(t, "embed", "--data", folder).MustEnd()
	s := startFaultyServer(t, "--data", folder)
	idle := s.ResidentBytes(program.Now)
	for i := range atLength(2, 6) {
		program.WriteFile(t, filepath.Join(pictures, fmt.Sprintf("60-%d.png", i)), flatPNG(large(10_000), large(6_000), byte(i)))
	}
	program.WriteFile(t, filepath.Join(pictures, "196.png"), flatPNG(large(14_000), large(14_000), 9))
	importing := program.StartFaulty(t, "import", pictures, "--data", folder, "--json")
	peak := importing.PeakBytes()
	importing.MustEnd()
	t.Logf("the import took %d MiB at most", peak>>20)
	if peak > program.BudgetBytes+program.SlackBytes && !race.Enabled {
		t.Errorf("the import took %d MiB, want at most %d", peak>>20, (program.BudgetBytes+program.SlackBytes)>>20)
	}
	program.Eventually(t, "all are embedded", func() bool { return s.Embedded() == 2+atLength(2, 6) })
	s.MustStayWithin(idle, program.BudgetBytes+program.SlackBytes)
}

// A server that decodes, its own pictures of 196 megapixels and what others
// send, is ended by one SIGTERM within five seconds.
func TestFaultATermSignalWhileDecoding(t *testing.T) {
	race.Long(t)
	pictures, folder := t.TempDir(), t.TempDir()
	for i := range 2 {
		program.WriteFile(t, filepath.Join(pictures, fmt.Sprint(i, ".png")), flatPNG(large(14_000), large(14_000), byte(i)))
	}
	program.StartFaulty(t, "import", pictures, "--data", folder).MustEnd()
	s := startFaultyServer(t, "--data", folder)
	var sending sync.WaitGroup
	for i := range 4 {
		file := flatPNG(large(7000+7000*(i%2)), large(7000+7000*(i%2)), byte(3+i))
		sending.Go(func() {
			for {
				if _, _, _, err := uploadFile(t, s.URL+"/v1/images", file); err != nil {
					return
				}
			}
		})
	}
	used := func() int {
		return program.Must(strconv.Atoi(strings.Fields(string(program.Must(os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Command.Process.Pid)))(t)))[13]))(t)
	}
	for before := used(); used() < before+50; time.Sleep(10 * time.Millisecond) { // hundredths of a second of a processor
	}
	begun := time.Now()
	if err := s.Command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.Wait()
	took := time.Since(begun)
	sending.Wait()
	t.Logf("ended %v after SIGTERM", took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("ended %v after SIGTERM, want at most 5 s", took)
	}
}
