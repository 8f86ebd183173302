package collection

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// records writes down what a crawl keeps: one line of JSON for a picture. It
// is safe for concurrent use.
type records struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
}

// openRecords adds to a file that is there.
func openRecords(path string) (*records, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, askedf("--jsonl: %v", err)
	}
	return &records{file: file, out: bufio.NewWriter(file)}, nil
}

func (r *records) close() error {
	return errors.Join(r.out.Flush(), r.file.Close())
}

// Record is one line.
type Record struct {
	Image  string        `json:"image"`
	Format string        `json:"format"`
	Width  int           `json:"width"`
	Height int           `json:"height"`
	Bytes  int           `json:"bytes"`
	Source palate.Source `json:"source"`
}

func (r *records) add(id palate.ImageID, find crawler.Find) error {
	line, err := json.Marshal(Record{id.String(), find.Format, find.Width, find.Height, len(find.Content), find.Source})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("--jsonl: %w", err)
	}
	return r.out.Flush()
}

// recordingKeeper writes down what another keeps.
type recordingKeeper struct {
	crawler.Keeper
	records *records
}

// Keep implements crawler.Keeper.
func (k recordingKeeper) Keep(ctx context.Context, crawl string, task crawler.Task, find crawler.Find) (crawler.Keeping, palate.ImageID, error) {
	keeping, id, err := k.Keeper.Keep(ctx, crawl, task, find)
	if err == nil && keeping == crawler.KeptNew {
		err = k.records.add(id, find)
	}
	return keeping, id, err
}
