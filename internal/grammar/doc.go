// Package grammar reads command lines. What a command line may say is a struct
// whose fields are commands and flags, as kong has it; this package adds what all
// of palate's commands share: values from the environment and from the
// configuration file, "help COMMAND", and a description of everything for
// completion and the manual page.
package grammar
