// Package tuning fine-tunes models and runs the arena, as a person would from the command line.
package tuning
