package qdranttest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
)

// Process is a real server that a test starts, kills and starts again. It
// listens on loopback and keeps its points in a folder of the test's.
type Process struct {
	t                testing.TB
	binary, folder   string
	grpcPort, webAPI int
	command          *exec.Cmd
}

// RunProcess starts the server whose executable PALATE_TEST_QDRANT_BINARY names,
// and ends it with the test. Without that the test is skipped.
func RunProcess(t testing.TB) *Process {
	t.Helper()
	binary := os.Getenv("PALATE_TEST_QDRANT_BINARY")
	if binary == "" {
		t.Skip("opt-in: PALATE_TEST_QDRANT_BINARY names no server's executable")
	}
	p := &Process{t: t, binary: binary, folder: t.TempDir(), grpcPort: freePort(t), webAPI: freePort(t)}
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// Address is host:port of its gRPC.
func (p *Process) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.grpcPort)) }

// URL is where its REST answers.
func (p *Process) URL() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.webAPI))
}

// Start lets it run, and waits until it says that it is well.
func (p *Process) Start() {
	p.t.Helper()
	p.command = exec.Command(p.binary)
	p.command.Dir = p.folder
	p.command.Env = append(os.Environ(), "QDRANT__SERVICE__HOST=127.0.0.1", "QDRANT__SERVICE__HTTP_PORT="+strconv.Itoa(p.webAPI), "QDRANT__SERVICE__GRPC_PORT="+strconv.Itoa(p.grpcPort),
		"QDRANT__STORAGE__STORAGE_PATH="+filepath.Join(p.folder, "storage"), "QDRANT__STORAGE__SNAPSHOTS_PATH="+filepath.Join(p.folder, "snapshots"),
		"QDRANT__TELEMETRY_DISABLED=true", "QDRANT__LOG_LEVEL=ERROR")
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	client, err := qdrant.NewClient(&qdrant.Config{Host: "127.0.0.1", Port: p.grpcPort, SkipCompatibilityCheck: true})
	if err != nil {
		p.t.Fatal(err)
	}
	defer client.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := client.HealthCheck(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not answer within a minute: %v", p.binary, err)
		}
	}
}

// Kill ends it as a power cut would.
func (p *Process) Kill() {
	if p.command == nil {
		return
	}
	_ = p.command.Process.Kill() // it may have ended by itself
	_ = p.command.Wait()         // that it was killed
	p.command = nil
}
