package main

import (
	"testing"

	"github.com/palate-art/palate/test/program"
)

func TestMain(m *testing.M) { program.MainOfPalate(m, main, run) }
