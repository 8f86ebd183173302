package program

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// WithoutRights in the environment of a started program names the program
// that it becomes, or itself, without the rights by which root writes into
// folders that are read-only. A space follows the name.
const WithoutRights = "TEST_WITHOUT_RIGHTS"

func becomeWithoutRights() error {
	program, wanted := os.LookupEnv(WithoutRights)
	if !wanted {
		return nil
	}
	if program = strings.TrimSpace(program); program == "" {
		program = os.Args[0]
	}
	if err := os.Unsetenv(WithoutRights); err != nil {
		return err
	}
	runtime.LockOSThread() // whose rights the new program has
	const dropFromBoundingSet, dacOverride = 24, 1
	if os.Getuid() == 0 {
		if _, _, code := syscall.RawSyscall(syscall.SYS_PRCTL, dropFromBoundingSet, dacOverride, 0); code != 0 {
			return fmt.Errorf("give up the right to write everywhere: %w", code)
		}
	}
	return syscall.Exec(program, os.Args, os.Environ())
}
