package ort

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
)

// MinVersion is the oldest ONNX Runtime that can be used: the first with
// C API 24.
const MinVersion = "1.24.0"

const apiVersion = 24

// Release names the files that a version of ONNX Runtime can be fetched from
// for one platform, and what they must hash to. A source whose fields are
// empty has nothing for the platform.
type Release struct {
	Version  string // such as 1.27.0
	Platform string // for people, such as linux/amd64
	FileName string // the library's name in the cache

	Archive       string // file name on GitHub, .tgz or .zip
	ArchiveEntry  string // path of the library in the archive
	ArchiveSHA256 string // of the archive

	NPMPackage string // name@version
	NPMFile    string // file name that npm pack gives the package
	NPMEntry   string // path of the library in the package
	NPMSHA256  string // of the library

	ModuleFile    string // path below the Go module cache
	ModuleVersion string // version of the library there
	ModuleSHA256  string // of the library
}

const (
	pinnedVersion = "1.27.0"
	moduleVersion = "1.24.1"
	moduleFolder  = "github.com/yalue/onnxruntime_go@v1.27.0/test_data/"
)

// DefaultRelease gives what is pinned for a platform, in the words of
// runtime.GOOS and runtime.GOARCH. For a platform without a build it gives a
// release that names the version and the platform only.
func DefaultRelease(goos, goarch string) Release {
	r := Release{Version: pinnedVersion, Platform: goos + "/" + goarch}
	switch r.Platform {
	case "linux/amd64":
		r.FileName = "libonnxruntime.so." + pinnedVersion
		r.archive("linux-x64", "tgz", "547e40a48f1fe73e3f812d7c88a948612c23f896b91e4e2ee1e232d7b468246f")
		r.npm("linux/x64/libonnxruntime.so.1", "d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221")
	case "linux/arm64":
		r.FileName = "libonnxruntime.so." + pinnedVersion
		r.archive("linux-aarch64", "tgz", "3e4d83ac06924a32a07b6d7f91ce6f852876153fc0bbdf931bf517a140bfbe48")
		r.npm("linux/arm64/libonnxruntime.so.1", "c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f")
		r.module("onnxruntime_arm64.so", "7954e8bdedb497f830c6a679e818d98399b7f4d81ade1126c3e0be74d28111ab")
	case "darwin/arm64":
		r.FileName = "libonnxruntime." + pinnedVersion + ".dylib"
		r.archive("osx-arm64", "tgz", "545e81c58152353acb0d1e8bd6ce4b62f830c0961f5b3acfedc790ffd76e477a")
		r.npm("darwin/arm64/libonnxruntime."+pinnedVersion+".dylib", "89f692a3a1a224e4ad0b796b0e7c0bd81113b0741bfe84211eceef14d05a9e59")
		r.module("onnxruntime_arm64.dylib", "9626bbdd201fbed7e3addcbd9fc7e97ec4954c03afcf40a9883af50498bffb06")
	case "windows/amd64":
		r.FileName = "onnxruntime.dll"
		r.archive("win-x64", "zip", "c5c81710938e68079ff1a192b04897faabe4b43830d48f39f27ecd4e16138bfc")
		r.npm("win32/x64/onnxruntime.dll", "273f9ef9cf755c6a0f342226a80448156c10ceb74db2ae8c8370dc98e75af0eb")
		r.module("onnxruntime.dll", "8a1aad8d59d02a5337d4e3f5bbd1158c3f7bf84fe3b3f0052f957dd3e75a91cb")
	case "windows/arm64":
		r.FileName = "onnxruntime.dll"
		r.npm("win32/arm64/onnxruntime.dll", "908ce63e73f375e90daabe24c52486b42392c19df3d63973a26f871cfeab5453")
	}
	return r
}

func (r *Release) archive(platform, ext, sum string) {
	stem := "onnxruntime-" + platform + "-" + pinnedVersion
	r.Archive = stem + "." + ext
	r.ArchiveEntry = stem + "/lib/" + r.FileName
	r.ArchiveSHA256 = sum
}

func (r *Release) npm(entry, sum string) {
	r.NPMPackage = "onnxruntime-node@" + pinnedVersion
	r.NPMFile = "onnxruntime-node-" + pinnedVersion + ".tgz"
	r.NPMEntry = "package/bin/napi-v6/" + entry
	r.NPMSHA256 = sum
}

func (r *Release) module(file, sum string) {
	r.ModuleFile = moduleFolder + file
	r.ModuleVersion = moduleVersion
	r.ModuleSHA256 = sum
}

// published reports whether any source has a build for the platform.
func (r Release) published() bool {
	return r.Archive != "" || r.NPMPackage != "" || r.ModuleFile != ""
}

var sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (r Release) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	_, err := parseVersion(r.Version)
	check(err == nil, "release version %q: %v", r.Version, err)
	check(r.Platform != "", "release names no platform")
	if r.published() {
		check(r.FileName != "" && path.Base(r.FileName) == r.FileName, "release file name %q is not a plain file name", r.FileName)
	}
	for _, name := range []string{r.Archive, r.NPMFile} {
		check(path.Base(name) == name || name == "", "release file %q is not a plain file name", name)
	}
	check(r.ModuleFile == "" || filepath.IsLocal(filepath.FromSlash(r.ModuleFile)), "module file %q leads out of the module cache", r.ModuleFile)
	check((r.NPMPackage == "") == (r.NPMFile == ""), "release names only one of npm package %q and npm file %q", r.NPMPackage, r.NPMFile)
	for _, s := range []struct{ name, file, entry, sum string }{
		{"archive", r.Archive, r.ArchiveEntry, r.ArchiveSHA256},
		{"npm package", r.NPMPackage, r.NPMEntry, r.NPMSHA256},
		{"module file", r.ModuleFile, r.ModuleFile, r.ModuleSHA256},
	} {
		if s.file == "" {
			continue
		}
		check(s.entry != "", "release %s %q names no entry for the library", s.name, s.file)
		check(sha256Pattern.MatchString(s.sum), "release %s %q: SHA-256 %q is not 64 hexadecimal digits", s.name, s.file, s.sum)
	}
	return errors.Join(errs...)
}
