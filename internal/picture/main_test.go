package picture_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/palate-art/palate/internal/picture"
)

// The tests' program is its own decoder, as palate is.
func TestMain(m *testing.M) {
	picture.DecodeIfAsked()
	if name := os.Getenv("PICTURE_TEST_DECODE"); name != "" { // see TestNoDecoderOutlivesItsParent
		data, err := os.ReadFile(name)
		if err == nil {
			_, _, err = picture.Decode(bytes.NewReader(data), picture.DefaultLimits())
		}
		fmt.Println(err)
		select {}
	}
	os.Exit(m.Run())
}
