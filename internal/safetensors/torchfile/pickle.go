package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The values of a pickle: nil, bool, int64, float64, string, []any (a tuple),
// *list, *dict, global, storage, tensor and opaque.
type (
	list   struct{ items []any }
	dict   struct{ keys, values []any }
	global struct{ module, name string }
	opaque struct{}
	mark   struct{}

	// storage are the bytes of one or several tensors.
	storage struct {
		class string // as PyTorch calls it, such as FloatStorage
		key   string
		count int64 // elements
	}
	tensor struct {
		storage       storage
		offset        int64
		shape, stride []int64
	}
)

const (
	maxPickleBytes = 64 << 20
	maxValues      = 1 << 20 // on the stack and in the memo
)

var errPickle = errors.New("the pickle is cut or damaged")

// machine runs a pickle's instructions.
type machine struct {
	in    []byte
	stack []any
	memo  map[uint64]any
	made  int
}

// unpickle gives the value that a pickle describes.
func unpickle(text []byte) (value any, err error) {
	m := &machine{in: text, memo: map[uint64]any{}}
	for {
		done, err := m.step()
		if err != nil {
			return nil, err
		}
		if done {
			return m.pop()
		}
	}
}

func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.in)) {
		return nil, errPickle
	}
	part := m.in[:n]
	m.in = m.in[n:]
	return part, nil
}

// number reads n bytes, little-endian.
func (m *machine) number(n uint64) (uint64, error) {
	part, err := m.take(n)
	var all [8]byte
	copy(all[:], part)
	return binary.LittleEndian.Uint64(all[:]), err
}

func (m *machine) line() (string, error) {
	for i, b := range m.in {
		if b == '\n' {
			text := string(m.in[:i])
			m.in = m.in[i+1:]
			return text, nil
		}
	}
	return "", errPickle
}

func (m *machine) push(v any) error {
	if m.made++; m.made > maxValues {
		return fmt.Errorf("the pickle makes more than %d values", maxValues)
	}
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errPickle
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark takes all above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, is := m.stack[i].(mark); is {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errPickle
}

// step does one instruction; done is the last.
func (m *machine) step() (done bool, err error) {
	code, err := m.number(1)
	if err != nil {
		return false, err
	}
	switch op := byte(code); op {
	case '.':
		return true, nil
	case 0x80: // PROTO
		_, err = m.take(1)
	case 0x95: // FRAME
		_, err = m.take(8)
	case '(':
		err = m.push(mark{})
	case '0':
		_, err = m.pop()
	case '1':
		_, err = m.popMark()
	case 'N':
		err = m.push(nil)
	case 0x88, 0x89:
		err = m.push(op == 0x88)
	case ')':
		err = m.push([]any{})
	case ']', 0x8f:
		err = m.push(&list{})
	case '}':
		err = m.push(&dict{})
	case 'J', 'K', 'M', 'G', 0x8a, 0x8b:
		err = m.pushNumber(op)
	case 'X', 0x8c, 0x8d, 'U', 'T', 'B', 'C', 0x8e:
		err = m.pushText(op)
	case 'q', 'r', 'h', 'j', 0x94:
		err = m.remember(op)
	case 'c', 0x93:
		err = m.pushGlobal(op)
	case 't', 0x85, 0x86, 0x87, 'l', 'd', 0x91:
		err = m.collect(op)
	case 's', 'u', 'a', 'e', 0x90:
		err = m.fill(op)
	case 'Q', 'R', 0x81, 'b':
		err = m.object(op)
	default:
		err = fmt.Errorf("the pickle has the instruction %#x, which checkpoints have no need of", op)
	}
	return false, err
}

func (m *machine) pushNumber(op byte) error {
	sizes := map[byte]uint64{'J': 4, 'K': 1, 'M': 2, 'G': 8, 0x8a: 1, 0x8b: 4}
	n, err := m.number(sizes[op])
	if err != nil {
		return err
	}
	switch op {
	case 'J':
		return m.push(int64(int32(n)))
	case 'G':
		var raw [8]byte
		binary.LittleEndian.PutUint64(raw[:], n)
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(raw[:])))
	case 0x8a, 0x8b: // a whole number of n bytes
		raw, err := m.take(n)
		if err != nil {
			return err
		}
		if len(raw) > 8 {
			return m.push(opaque{})
		}
		var v int64
		for i := len(raw) - 1; i >= 0; i-- {
			v = v<<8 | int64(raw[i])
		}
		if bits := 8 * len(raw); len(raw) > 0 && bits < 64 && raw[len(raw)-1] >= 0x80 {
			v -= 1 << bits
		}
		return m.push(v)
	}
	return m.push(int64(n))
}

func (m *machine) pushText(op byte) error {
	sizes := map[byte]uint64{'X': 4, 0x8c: 1, 0x8d: 8, 'U': 1, 'T': 4, 'B': 4, 'C': 1, 0x8e: 8}
	n, err := m.number(sizes[op])
	if err != nil {
		return err
	}
	text, err := m.take(n)
	if err != nil {
		return err
	}
	return m.push(string(text))
}

// remember writes and reads the memo.
func (m *machine) remember(op byte) error {
	at := uint64(len(m.memo))
	if op != 0x94 {
		n, err := m.number(map[byte]uint64{'q': 1, 'r': 4, 'h': 1, 'j': 4}[op])
		if err != nil {
			return err
		}
		at = n
	}
	if op == 'h' || op == 'j' {
		v, found := m.memo[at]
		if !found {
			return errPickle
		}
		return m.push(v)
	}
	if len(m.stack) == 0 {
		return errPickle
	}
	if len(m.memo) >= maxValues {
		return fmt.Errorf("the pickle remembers more than %d values", maxValues)
	}
	m.memo[at] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) pushGlobal(op byte) error {
	if op == 'c' {
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.push(global{module, name})
	}
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	n, isText := name.(string)
	of, isText2 := module.(string)
	if !isText || !isText2 {
		return errPickle
	}
	return m.push(global{of, n})
}

// collect makes a tuple, list or dictionary of what is on the stack.
func (m *machine) collect(op byte) error {
	if op >= 0x85 && op <= 0x87 {
		n := int(op-0x85) + 1
		if len(m.stack) < n {
			return errPickle
		}
		items := append([]any(nil), m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
		return m.push(items)
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	switch op {
	case 't':
		return m.push(items)
	case 'd':
		d := &dict{}
		d.add(items)
		return m.push(d)
	}
	return m.push(&list{items})
}

func (d *dict) add(pairs []any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		d.keys, d.values = append(d.keys, pairs[i]), append(d.values, pairs[i+1])
	}
}

// fill adds to the list or dictionary below.
func (m *machine) fill(op byte) error {
	var items []any
	var err error
	if n := map[byte]int{'s': 2, 'a': 1}[op]; n > 0 {
		if len(m.stack) < n {
			return errPickle
		}
		items = append(items, m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
	} else if items, err = m.popMark(); err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errPickle
	}
	switch target := m.stack[len(m.stack)-1].(type) {
	case *dict:
		target.add(items)
	case *list:
		target.items = append(target.items, items...)
	case opaque:
	default:
		return errPickle
	}
	return nil
}
