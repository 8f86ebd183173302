package hub

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/palate-art/palate"
)

// File names a file of a repository on the hub.
type File struct {
	// Repository is ORG/NAME.
	Repository string
	// Revision is a commit, a branch or a tag.
	Revision string
	// Path is the file's within the repository, with slashes.
	Path string
	// SHA256 is what the file must have, in hexadecimal. Empty believes the
	// hub.
	SHA256 string
	// Size in bytes, 0 if not known.
	Size int64
}

// Local is a file of the hub that lies in the cache.
type Local struct {
	// Path is the file's in a snapshot, where other programs look for it.
	Path string
	// Commit is the snapshot's.
	Commit string
	// SHA256 is what the cache says that the file has; it was true when the
	// file came. Verify reads the file. Empty if the cache does not say it.
	SHA256 string
	// GitSHA1 is, in place of SHA256, what a small file is stored under.
	GitSHA1 string
	Size    int64
}

// Hash is the one that the bytes are stored under: SHA-256, or git's SHA-1 of
// 40 digits. Empty if the cache does not say it.
func (l Local) Hash() string {
	if l.SHA256 != "" {
		return l.SHA256
	}
	return l.GitSHA1
}

var (
	repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	revisionPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	commitPattern     = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Pattern     = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Validate reports everything that is wrong with f, as ErrInvalid.
func (f File) Validate() error {
	var errs []error
	if !repositoryPattern.MatchString(f.Repository) || strings.Contains(f.Repository, "--") || strings.Contains(f.Repository, "..") {
		errs = append(errs, fmt.Errorf("repository %q is not ORG/NAME", f.Repository))
	}
	if !revisionPattern.MatchString(f.Revision) || strings.Contains(f.Revision, "..") {
		errs = append(errs, fmt.Errorf("revision %q is no commit, branch or tag", f.Revision))
	}
	if f.Path == "" || path.Clean("/"+f.Path) != "/"+f.Path || strings.ContainsAny(f.Path, "\\:?#%\x00") {
		errs = append(errs, fmt.Errorf("path %q does not name a file within a repository", f.Path))
	}
	if f.SHA256 != "" && !sha256Pattern.MatchString(f.SHA256) {
		errs = append(errs, fmt.Errorf("SHA-256 %q is not 64 hexadecimal digits", f.SHA256))
	}
	if f.Size < 0 {
		errs = append(errs, fmt.Errorf("size %d is negative", f.Size))
	}
	if len(errs) > 0 {
		return fmt.Errorf("file of the hub: %w: %w", palate.ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// String is what people call the file.
func (f File) String() string { return f.Repository + "/" + f.Path }

// folder is the repository's in the cache.
func (f File) folder() string { return "models--" + strings.ReplaceAll(f.Repository, "/", "--") }
