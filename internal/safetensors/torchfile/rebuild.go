package torchfile

import "fmt"

// object does what a pickle asks to be called: by our own code, or not at all.
func (m *machine) object(op byte) error {
	argument, err := m.pop()
	if err != nil {
		return err
	}
	if op == 'Q' {
		s, err := storageOf(argument)
		if err != nil {
			return err
		}
		return m.push(s)
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	if op == 'b' { // a state for what was made: of tensors and dictionaries none counts
		return m.push(callee)
	}
	arguments, isTuple := argument.([]any)
	g, isGlobal := callee.(global)
	if !isTuple || !isGlobal {
		return m.push(opaque{})
	}
	v, err := g.rebuild(arguments)
	if err != nil {
		return err
	}
	return m.push(v)
}

// rebuild is what the global would give for the arguments, opaque for globals
// that have no part in tensors.
func (g global) rebuild(arguments []any) (any, error) {
	switch g.module + "." + g.name {
	case "collections.OrderedDict":
		d := &dict{}
		if len(arguments) > 0 { // a list of pairs
			pairs, isList := arguments[0].(*list)
			for i := 0; isList && i < len(pairs.items); i++ {
				if pair, isPair := pairs.items[i].([]any); isPair && len(pair) == 2 {
					d.add(pair)
				}
			}
		}
		return d, nil
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
		return tensorOf(arguments)
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		if len(arguments) == 0 {
			return nil, errPickle
		}
		return arguments[0], nil
	case "torch.Size":
		if len(arguments) != 1 {
			return nil, errPickle
		}
		return arguments[0], nil
	}
	return opaque{}, nil
}

// storageOf reads the name of a storage: ("storage", class, key, place, count).
func storageOf(name any) (storage, error) {
	parts, isTuple := name.([]any)
	if !isTuple || len(parts) < 5 || parts[0] != "storage" {
		return storage{}, fmt.Errorf("%w: a storage is named by what is none", errPickle)
	}
	class, isGlobal := parts[1].(global)
	key, isText := parts[2].(string)
	count, isNumber := parts[4].(int64)
	if !isGlobal || !isText || !isNumber || count < 0 {
		return storage{}, fmt.Errorf("%w: a storage has no class, key or length", errPickle)
	}
	return storage{class.name, key, count}, nil
}

// tensorOf reads the arguments storage, offset, shape and stride, and refuses
// those that reach outside of the storage.
func tensorOf(arguments []any) (any, error) {
	if len(arguments) < 4 {
		return nil, errPickle
	}
	s, isStorage := arguments[0].(storage)
	if !isStorage {
		return opaque{}, nil // on a device that has none
	}
	offset, isNumber := arguments[1].(int64)
	shape, isShape := whole(arguments[2])
	stride, isStride := whole(arguments[3])
	if !isNumber || !isShape || !isStride || len(shape) != len(stride) || offset < 0 {
		return nil, fmt.Errorf("%w: a tensor's shape or place is none", errPickle)
	}
	t := tensor{s, offset, shape, stride}
	return t, t.check()
}

const maxDimensions = 32

// check holds every element's place against the storage.
func (t tensor) check() error {
	if len(t.shape) > maxDimensions {
		return fmt.Errorf("a tensor has %d dimensions, at most %d", len(t.shape), maxDimensions)
	}
	last, elements := t.offset, int64(1)
	for d, n := range t.shape {
		if n < 0 || t.stride[d] < 0 || n > 0 && elements > t.storage.count/n+1 {
			return fmt.Errorf("a tensor of shape %v is no part of its storage of %d elements", t.shape, t.storage.count)
		}
		if elements *= n; n > 1 {
			if t.stride[d] > t.storage.count || (n-1) > (t.storage.count-last)/max(1, t.stride[d]) {
				return fmt.Errorf("a tensor of shape %v and strides %v reaches beyond its storage of %d elements", t.shape, t.stride, t.storage.count)
			}
			last += (n - 1) * t.stride[d]
		}
	}
	if elements > t.storage.count || elements > 0 && last >= t.storage.count {
		return fmt.Errorf("a tensor of shape %v reaches beyond its storage of %d elements", t.shape, t.storage.count)
	}
	return nil
}

func whole(v any) ([]int64, bool) {
	items, is := v.([]any)
	if !is {
		return nil, false
	}
	numbers := make([]int64, len(items))
	for i, item := range items {
		if numbers[i], is = item.(int64); !is {
			return nil, false
		}
	}
	return numbers, true
}
