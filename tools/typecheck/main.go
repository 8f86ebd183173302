// Command typecheck says whether packages of this project type-check on other
// systems. It reads sources alone, as an editor does: a tenth of the time of
// compiling the packages, and all that they import, once for each system.
//
//	typecheck GOOS/GOARCH...
//
// Looked at is every package of the current folder's module, without its tests,
// that needs no C; which ones do is printed. It ends with 1 if one does not
// type-check.
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"
)

// needsC names what is written in C, with no replacement in Go.
const needsC = "github.com/mattn/go-sqlite3"

func main() {
	bad := 0
	for _, system := range os.Args[1:] {
		found, err := check(system)
		if err != nil {
			fmt.Fprintln(os.Stderr, "typecheck:", err)
			os.Exit(2)
		}
		bad += found
	}
	if bad > 0 {
		os.Exit(1)
	}
}

// check type-checks the module's packages for one system, prints what is wrong, and returns how many packages are.
func check(system string) (wrong int, err error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return 0, fmt.Errorf("%q: want GOOS/GOARCH, such as windows/amd64", system)
	}
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps,
		Env:  append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
	}
	listed, err := packages.Load(config, "./...")
	if err != nil {
		return 0, err
	}
	needs := map[string]bool{needsC: true}
	packages.Visit(listed, nil, func(p *packages.Package) {
		for path := range p.Imports {
			needs[p.PkgPath] = needs[p.PkgPath] || needs[path]
		}
	})
	var paths, left []string
	for _, p := range listed {
		if needs[p.PkgPath] {
			left = append(left, p.PkgPath)
		} else {
			paths = append(paths, p.PkgPath)
		}
	}
	fmt.Printf("%s: %d packages, without %s\n", system, len(paths), strings.Join(left, " "))

	config.Mode = packages.LoadAllSyntax
	loaded, err := packages.Load(config, paths...)
	if err != nil {
		return 0, err
	}
	return packages.PrintErrors(loaded), nil
}
