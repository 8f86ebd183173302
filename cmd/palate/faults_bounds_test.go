//go:build linux

package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startFaultyServer starts the program under test as a server of an empty
// collection, or of the folder that is given after --data.
func startFaultyServer(t *testing.T, args ...string) server {
	t.Helper()
	args = append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)
	s := server{process: startFaulty(t, args...)}
	eventually(t, "the server tells its address", func() bool {
		select {
		case <-s.ended:
			t.Fatalf("palate serve ended: %s", s.errOut.String())
		default:
		}
		if found := servingAt.FindStringSubmatch(s.errOut.String()); found != nil {
			s.url = found[1]
		}
		return s.url != ""
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

// residentBytes is the memory of the process: what it has now, or had at most
// since it began.
func (p *process) residentBytes(which string) int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, which+":"); is {
			kB, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return kB << 10
		}
	}
	p.t.Fatalf("/proc tells no %s", which)
	return 0
}

// peakBytes waits for a process to end, and gives the most memory it was seen
// to have.
func (p *process) peakBytes() (peak int64) {
	p.t.Helper()
	for {
		select {
		case <-p.ended:
			return peak
		case <-time.After(5 * time.Millisecond):
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid)); err == nil && bytes.Contains(status, []byte(most)) {
				peak = max(peak, p.residentBytes(most))
			}
		}
	}
}

const (
	now  = "VmRSS"
	most = "VmHWM"

	budgetBytes = 512 << 20
	slackBytes  = 150 << 20
)

// mustStayWithin fails where a process took more memory above what it had
// idle than it may.
func (p *process) mustStayWithin(idle, bytes int64) {
	p.t.Helper()
	took := p.residentBytes(most) - idle
	p.t.Logf("%d MiB above %d MiB idle at most; now %d MiB above", took>>20, idle>>20, (p.residentBytes(now)-idle)>>20)
	if raceEnabled && faultsBinary == "" {
		return // the detector keeps several bytes for each: what was done is checked, not what it took
	}
	if took > bytes {
		p.t.Errorf("%d MiB above %d MiB idle, want at most %d", took>>20, idle>>20, bytes>>20)
	}
}

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

// pictureForm is the body of an upload: fields in pairs, then the file.
func pictureForm(t *testing.T, content []byte, fields ...string) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = new(bytes.Buffer)
	form := multipart.NewWriter(body)
	for i := 0; i < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "picture.png")
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		t.Fatal(err)
	}
	return form.FormDataContentType(), body
}

// uploadFile posts one part named file, and gives the status and the answer.
func uploadFile(t *testing.T, address string, content []byte) (int, string, http.Header, error) {
	kind, body := pictureForm(t, content)
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
	if raceEnabled && faultsBinary == "" {
		return side / 8
	}
	return side
}

// Four uploads at once of a file of a megabyte that says it is a picture of
// 196 megapixels.
func TestFaultFourUploadsOf196Megapixels(t *testing.T) {
	longRace(t)
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	idle := s.residentBytes(now)
	file := flatPNG(14_000, 14_000, 1)
	t.Logf("the file has %d bytes", len(file))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			status, answer, _, err := uploadFile(t, s.url+"/v1/images", file)
			if err != nil || status != http.StatusRequestEntityTooLarge || !strings.Contains(answer, "50000000") {
				t.Errorf("got %d %s (%v), want 413 and how many pixels are allowed", status, answer, err)
			}
		})
	}
	group.Wait()
	s.mustStayWithin(idle, slackBytes)
}

// Uploads at once of pictures of 49 megapixels, kept and embedded.
func TestFaultManyLargeUploads(t *testing.T) {
	longRace(t)
	s := startFaultyServer(t, "--data", t.TempDir())
	first := flatPNG(40, 40, 99)
	if status, answer, _, err := uploadFile(t, s.url+"/v1/images", first); err != nil || status != http.StatusCreated {
		t.Fatalf("got %d %s (%v), want the picture to be taken", status, answer, err)
	}
	embedded := func(count int) bool {
		return len(get[imageList](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images) == count && s.embedded() == count
	}
	eventually(t, "the first picture is embedded", func() bool { return embedded(1) })
	idle := s.residentBytes(now)
	var group sync.WaitGroup
	for i := range atLength(3, 12) {
		group.Go(func() {
			status, answer, header, err := uploadFile(t, s.url+"/v1/images", flatPNG(large(7000), large(7000), byte(i)))
			full := status == http.StatusServiceUnavailable && header.Get("Retry-After") != ""
			if err != nil || status != http.StatusCreated && !full {
				t.Errorf("got %d %s (%v), want the picture to be taken, or 503 and when to try again", status, answer, err)
			}
		})
	}
	group.Wait()
	count := len(get[imageList](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images)
	eventually(t, "all are embedded", func() bool { return embedded(count) })
	s.mustStayWithin(idle, budgetBytes+slackBytes)
	eventually(t, "memory is given back", func() bool { return raceEnabled || s.residentBytes(now)-idle < slackBytes })
}

// embedded is how many images the server says have an embedding.
func (s server) embedded() int {
	s.t.Helper()
	type list struct {
		Images []struct {
			Embedded bool `json:"embedded"`
		} `json:"images"`
	}
	count := 0
	for _, image := range get[list](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images {
		if image.Embedded {
			count++
		}
	}
	return count
}

// A person's own folder may hold pictures of 60 and of 196 megapixels: they
// are imported and embedded, within the budget.
func TestFaultOwnPicturesOfManyMegapixels(t *testing.T) {
	longRace(t)
	pictures, folder := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(pictures, "small.png"), flatPNG(300, 300, 7))
	startFaulty(t, "import", pictures, "--data", folder).mustEnd()
	startFaulty(t, "embed", "--data", folder).mustEnd()
	s := startFaultyServer(t, "--data", folder)
	idle := s.residentBytes(now)
	for i := range atLength(2, 6) {
		writeFile(t, filepath.Join(pictures, fmt.Sprintf("60-%d.png", i)), flatPNG(large(10_000), large(6_000), byte(i)))
	}
	writeFile(t, filepath.Join(pictures, "196.png"), flatPNG(large(14_000), large(14_000), 9))
	importing := startFaulty(t, "import", pictures, "--data", folder, "--json")
	peak := importing.peakBytes()
	importing.mustEnd()
	t.Logf("the import took %d MiB at most", peak>>20)
	if peak > budgetBytes+slackBytes && !raceEnabled {
		t.Errorf("the import took %d MiB, want at most %d", peak>>20, (budgetBytes+slackBytes)>>20)
	}
	eventually(t, "all are embedded", func() bool { return s.embedded() == 2+atLength(2, 6) })
	s.mustStayWithin(idle, budgetBytes+slackBytes)
}

// A server that decodes, its own pictures of 196 megapixels and what others
// send, is ended by one SIGTERM within five seconds.
func TestFaultATermSignalWhileDecoding(t *testing.T) {
	longRace(t)
	pictures, folder := t.TempDir(), t.TempDir()
	for i := range 2 {
		writeFile(t, filepath.Join(pictures, fmt.Sprint(i, ".png")), flatPNG(large(14_000), large(14_000), byte(i)))
	}
	startFaulty(t, "import", pictures, "--data", folder).mustEnd()
	s := startFaultyServer(t, "--data", folder)
	var sending sync.WaitGroup
	for i := range 4 {
		file := flatPNG(large(7000+7000*(i%2)), large(7000+7000*(i%2)), byte(3+i))
		sending.Go(func() {
			for {
				if _, _, _, err := uploadFile(t, s.url+"/v1/images", file); err != nil {
					return
				}
			}
		})
	}
	used := func() int {
		return must(strconv.Atoi(strings.Fields(string(must(os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid)))(t)))[13]))(t)
	}
	for before := used(); used() < before+50; time.Sleep(10 * time.Millisecond) { // hundredths of a second of a processor
	}
	begun := time.Now()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.wait()
	took := time.Since(begun)
	sending.Wait()
	t.Logf("ended %v after SIGTERM", took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("ended %v after SIGTERM, want at most 5 s", took)
	}
}
