package faults_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// smallDisk mounts a disk of so many bytes for one test.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); errors.Is(err, syscall.EPERM) {
		t.Skip("opt-in: mounting a small disk takes root")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fill writes a file until the disk has no byte left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}

// agedDisk moves a collection to a disk on which all its picture files are
// years old. Nothing younger than an hour is swept, and the time that counts,
// that of the inode's last change, can't be set on a disk in use.
func agedDisk(t *testing.T, folder string) string {
	t.Helper()
	for _, tool := range []string{"mkfs.ext4", "debugfs", "mount"} {
		if _, err := exec.LookPath(tool); err != nil || os.Getuid() != 0 {
			t.Skip("opt-in: aging files takes root, mkfs.ext4 and debugfs")
		}
	}
	home := t.TempDir()
	disk, script, content, place := filepath.Join(home, "disk"), filepath.Join(home, "script"), filepath.Join(home, "content"), filepath.Join(home, "mounted")
	if err := errors.Join(os.Mkdir(content, 0o700), os.Mkdir(place, 0o700), os.Rename(folder, filepath.Join(content, "collection"))); err != nil {
		t.Fatal(err)
	}
	var commands strings.Builder
	files := filepath.Join("collection", collection.ImagesFolder, "files")
	err := filepath.WalkDir(filepath.Join(content, files), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			for _, field := range []string{"ctime", "mtime"} {
				fmt.Fprintf(&commands, "set_inode_field %s %s 20200101000000\n", strings.TrimPrefix(path, content), field)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, script, []byte(commands.String()))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", "-d", content, disk, "64M"}, {"debugfs", "-w", "-f", script, disk}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command[0], err, out)
		}
	}
	if out, err := exec.Command("mount", "-o", "loop", disk, place).CombinedOutput(); err != nil {
		t.Skipf("opt-in: mounting a disk takes root and a loop device: %s", out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(place, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(place, "collection")
}
