package faults_test

import (
	"testing"

	"github.com/palate-art/palate/test/program"
)

func TestMain(m *testing.M) { program.Main(m) }
