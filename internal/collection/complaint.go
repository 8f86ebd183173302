package collection

import "time"

// complainAgain is after how long another error of what fails on and on is
// told of: each attempt may name another picture.
const complainAgain = 10 * time.Minute

// complaint is what was last said of what fails on and on.
type complaint struct {
	text string
	at   time.Time
}

// due reports whether an error is to be told of: the first one since the last
// success, and later another one, but no more often than complainAgain.
func (c *complaint) due(err error, now time.Time) bool {
	if c.text != "" && (err.Error() == c.text || now.Sub(c.at) < complainAgain) {
		return false
	}
	c.text, c.at = err.Error(), now
	return true
}

// over reports whether anything was told of, and forgets it.
func (c *complaint) over() bool {
	told := c.text != ""
	*c = complaint{}
	return told
}
