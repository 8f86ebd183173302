package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve runs a palate server on a collection of its own until the test ends.
func serve(t *testing.T) (address string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "palate")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/palate")
	build.Dir = "../.."
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := free.Addr().String()
	_ = free.Close()
	ctx, stop := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, program, "serve", "--addr", host, "--model", "baseline", "--data", filepath.Join(t.TempDir(), "collection"))
	var printed bytes.Buffer
	server.Stdout, server.Stderr = &printed, &printed
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", printed.String())
		}
	})
	address = "http://" + host
	for deadline := time.Now().Add(time.Minute); ; {
		answer, err := http.Get(address + "/v1/profiles")
		if err == nil {
			_ = answer.Body.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not answer: %v", err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func TestAPictureIsUploadedAndLiked(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(t.TempDir(), "grey.png")
	if err := os.WriteFile(picture, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	address := serve(t)
	for range 2 { // the second time it is there already
		var out bytes.Buffer
		if err := run(t.Context(), &out, address, picture); err != nil {
			t.Fatal(err)
		}
		if strings.Count(out.String(), "is liked since") != 1 {
			t.Errorf("got %q, want one picture that is liked", out.String())
		}
	}
}
