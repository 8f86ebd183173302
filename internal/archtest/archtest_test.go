package archtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/palate-art/palate"

// layer is a rank of packages. A package imports only packages of lower
// ranks, or of its own rank where mayImportPeers says so.
type layer struct {
	name           string
	rank           int
	mayImportPeers bool
}

var (
	root     = layer{"root", 0, false}
	ground   = layer{"ground", 1, false} // what leaves need too
	leaf     = layer{"leaf", 2, false}
	middle   = layer{"middle", 3, false}
	upper    = layer{"upper", 4, true}
	contract = layer{"api", 5, true}
	opened   = layer{"opened", 6, true} // the opened collection, which wires adapters
	command  = layer{"cmd", 7, true}
)

var leaves = []string{"access", "terminal", "settings", "picture", "onnxgraph", "safetensors", "simd", "sketch", "ort", "hub"}

// middles never import each other; each is a family of folders.
var middles = []string{"embedder", "index", "probe", "crawler"}

// grounds stand below the leaves, which need them too; test/race is for tests.
var grounds = []string{"internal/regular", "internal/atomicfile", "internal/operators", "test/race"}

// openers wire adapters together and do the work that commands ask for.
var openers = []string{"internal/collection"}

// users work with an opened collection, or with a server that serves one, or show
// what came of it, and know no adapter.
var users = []string{"internal/doctor", "internal/demo", "internal/health", "internal/show"}

// adapters are imported by the openers, by bench and by test alone (and by tests); the
// command line only reads addresses of Qdrant servers and shows their state.
var adapters = []string{
	"embedder/onnx", "embedder/baseline", "index/flat", "index/qdrant",
	"internal/catalog/sqlite", "internal/catalog/postgres",
	"internal/imagestore/disk", "internal/imagestore/s3",
}

// importers names the one folder that may import a library.
var importers = map[string]string{
	"github.com/gocolly/colly/v2":          "crawler",
	"github.com/labstack/echo/v4":          "api",
	"github.com/mattn/go-sqlite3":          "internal/catalog/sqlite",
	"github.com/yalue/onnxruntime_go":      "internal/ort",
	"github.com/qdrant/go-client/qdrant":   "index/qdrant",
	"google.golang.org/grpc":               "index/qdrant",
	"github.com/alecthomas/kong":           "internal/grammar",
	"github.com/schollz/progressbar/v3":    "internal/terminal",
	"github.com/rivo/uniseg":               "internal/terminal",
	"github.com/getkin/kin-openapi":        "api",
	"github.com/oapi-codegen/runtime":      "api",
	"github.com/prometheus/client_golang":  "api",
	"gonum.org/v1/gonum/optimize":          "probe",
	"gonum.org/v1/plot":                    "internal/report",
	"github.com/parquet-go/parquet-go":     "internal/features",
	"github.com/temoto/robotstxt":          "crawler",
	"github.com/PuerkitoBio/goquery":       "crawler",
	"golang.org/x/image":                   "internal/picture",
	"github.com/tdewolff/minify/v2":        "api/web",
	"github.com/tetratelabs/wazero":        "internal/picture/heif",
	"golang.org/x/net/publicsuffix":        "crawler",
	"github.com/chromedp/chromedp":         "no package but tests",
	"github.com/oapi-codegen/oapi-codegen": "no package: it is a tool",
}

func layerOf(path string) layer {
	first, rest, _ := strings.Cut(path, "/")
	switch {
	case path == "":
		return root
	case slices.Contains(grounds, path):
		return ground
	case first == "internal" && slices.Contains(leaves, firstOf(rest)):
		return leaf
	case slices.Contains(middles, first):
		return middle
	case slices.Contains(openers, path), slices.Contains(users, path):
		return opened
	case first == "api":
		return contract
	case first == "cmd" || first == "bench" || first == "test":
		return command
	}
	return upper // internal/* and finetune
}

func firstOf(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func productPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// within reports whether path is folder or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// violation says why a product package must not import another; empty if it may.
func violation(from, to string) string {
	importer, imported := layerOf(from), layerOf(to)
	for _, a := range adapters {
		if !within(to, a) || within(from, a) || slices.Contains(openers, from) || within(from, "bench") || within(from, "test") {
			continue
		}
		if !within(from, "cmd") || a != "index/qdrant" {
			return "only the opened collection imports adapters, and the command line index/qdrant"
		}
	}
	switch {
	case imported.rank > importer.rank:
		return imported.name + " stands above " + importer.name
	case imported.rank < importer.rank:
		return ""
	case importer == middle && firstOf(from) == firstOf(to):
		return ""
	case importer == leaf && within(to, "internal/"+firstOf(strings.TrimPrefix(from, "internal/"))):
		return ""
	case !importer.mayImportPeers:
		return "packages of the rank " + importer.name + " do not import each other"
	}
	return ""
}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, p := range productPackages(t) {
		from := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		for _, imported := range p.Imports {
			if to, own := strings.CutPrefix(imported, module); own {
				to = strings.TrimPrefix(to, "/")
				if why := violation(from, to); why != "" {
					t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
				}
				continue
			}
			for library, only := range importers {
				if within(imported, library) && !within(from, only) {
					t.Errorf("%s imports %s, which only %s may", p.ImportPath, imported, only)
				}
			}
		}
	}
}

func TestViolationsAreSeen(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		allowed  bool
	}{
		{"index", "probe", false},
		{"index/flat", "index", true},
		{"internal/picture", "internal/onnxgraph", false},
		{"internal/picture", "", true},
		{"internal/hub", "internal/regular", true},
		{"internal/regular", "internal/picture", false},
		{"", "internal/picture", false},
		{"internal/ingest", "index/flat", false},
		{"internal/ingest", "index", true},
		{"internal/ingest", "internal/catalog", true},
		{"crawler", "internal/catalog", false},
		{"api", "internal/catalog/sqlite", false},
		{"cmd/palate", "internal/catalog/sqlite", false},
		{"cmd/palate", "index/qdrant", true},
		{"cmd/palate", "internal/collection", true},
		{"bench/search", "index/flat", true},
		{"test/program", "internal/catalog/sqlite", true},
		{"internal/doctor", "internal/collection", true},
		{"internal/doctor", "index/qdrant", false},
		{"internal/ingest", "internal/doctor", false},
		{"internal/collection", "test/program", false},
		{"internal/collection", "internal/catalog/sqlite", true},
		{"internal/collection", "internal/ingest", true},
		{"internal/collection", "api", true},
		{"api", "internal/collection", false},
		{"internal/ingest", "internal/collection", false},
		{"internal/hub", "internal/atomicfile", true},
		{"internal/ingest", "api", false},
	} {
		if why := violation(tt.from, tt.to); (why == "") != tt.allowed {
			t.Errorf("%q imports %q: got %q, want allowed %v", tt.from, tt.to, why, tt.allowed)
		}
	}
}
