//go:build linux

package program

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/test/race"
)

// ResidentBytes is the memory of the process: what it has now, or had at most
// since it began.
func (p *Process) ResidentBytes(which string) int64 {
	p.T.Helper()
	size, told := p.resident(which)
	if !told {
		p.T.Fatalf("/proc tells no %s", which)
	}
	return size
}

// resident is what /proc tells of a process; of one that has ended, nothing.
func (p *Process) resident(which string) (size int64, told bool) {
	p.T.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Command.Process.Pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, which+":"); is {
			kB, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				p.T.Fatal(err)
			}
			return kB << 10, true
		}
	}
	return 0, false
}

// PeakBytes waits for a process to end, and gives the most memory it was seen
// to have.
func (p *Process) PeakBytes() (peak int64) {
	p.T.Helper()
	for {
		select {
		case <-p.Ended:
			return peak
		case <-time.After(5 * time.Millisecond):
			now, _ := p.resident(Most)
			peak = max(peak, now)
		}
	}
}

const (
	Now  = "VmRSS"
	Most = "VmHWM"

	BudgetBytes = 512 << 20
	SlackBytes  = 150 << 20
)

// MustStayWithin fails where a process took more memory above what it had
// idle than it may.
func (p *Process) MustStayWithin(idle, bytes int64) {
	p.T.Helper()
	took := p.ResidentBytes(Most) - idle
	p.T.Logf("%d MiB above %d MiB idle at most; now %d MiB above", took>>20, idle>>20, (p.ResidentBytes(Now)-idle)>>20)
	if race.Enabled && FaultsBinary == "" {
		return // the detector keeps several bytes for each: what was done is checked, not what it took
	}
	if took > bytes {
		p.T.Errorf("%d MiB above %d MiB idle, want at most %d", took>>20, idle>>20, bytes>>20)
	}
}

// PictureForm is the body of an upload: fields in pairs, then the file.
func PictureForm(t *testing.T, content []byte, fields ...string) (kind string, body *bytes.Buffer) {
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

// Embedded is how many images the server says have an embedding.
func (s Server) Embedded() int {
	s.T.Helper()
	type list struct {
		Images []struct {
			Embedded bool `json:"embedded"`
		} `json:"images"`
	}
	count := 0
	for _, image := range Get[list](s, "/v1/images", map[string][]string{"limit": {"100"}}).Images {
		if image.Embedded {
			count++
		}
	}
	return count
}
