package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/palate-art/palate/bench/dinov2"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/ort"
)

// memory is of a process that opens a model from its file and embeds with as
// many runs at once as there are cores, in bytes.
type memory struct {
	ModelFile int64 `json:"model_file_bytes"`
	Opened    int64 `json:"resident_when_opened_bytes"`
	Peak      int64 `json:"peak_resident_bytes"`
}

// childModel is what the child is told of its model.
type childModel struct {
	File        string               `json:"file"`
	Side        int                  `json:"side"`
	Description embedder.Description `json:"description"`
}

func (b *bench) memoryOf(ctx context.Context, m dinov2.Model) (*memory, error) {
	if runtime.GOOS != "linux" {
		return nil, nil // the numbers come from /proc
	}
	told, err := json.Marshal(childModel{m.File, m.Side, m.Description})
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "--child", string(told))
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("memory of %s: %w: %s", m.Spec, err, problems.String())
	}
	var got memory
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return nil, fmt.Errorf("memory of %s: %w", m.Spec, err)
	}
	return &got, nil
}

// printMemory is what the child does.
func printMemory(ctx context.Context, rt *ort.Runtime, told string) error {
	var c childModel
	if err := json.Unmarshal([]byte(told), &c); err != nil {
		return err
	}
	c.Description.Identity = "measured" // so that the file is not hashed
	e, err := openModel(ctx, rt, dinov2.Model{File: c.File, Description: c.Description})
	if err != nil {
		return err
	}
	defer e.Close()
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	m := memory{ModelFile: info.Size(), Opened: processBytes("VmRSS:")}
	in := []embedder.Input{dinov2.Noise(c.Side)}
	errs := make([]error, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			for range 2 {
				if _, errs[i] = e.Embed(ctx, in); errs[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	m.Peak = processBytes("VmHWM:")
	return json.NewEncoder(os.Stdout).Encode(m)
}

// processBytes reads a line of /proc/self/status, 0 if it isn't there.
func processBytes(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
