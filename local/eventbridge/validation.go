package eventbridge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// constraint is a ValidationException in the words of AWS's front end.
func constraint(field, rule, given string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s", given, field, rule)
}

func missing(field string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
}

func unsupported(field string) error {
	return invalid("The local endpoint does not support %s: leave it out.", field)
}

// refuse returns an error that names the first field that is given.
func refuse(given map[string]bool) error {
	var fields []string
	for field, is := range given {
		if is {
			fields = append(fields, field)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	slices.Sort(fields)
	return unsupported(strings.Join(fields, ", "))
}

// naming is a rule for names, as in the API model.
type naming struct {
	pattern string
	whole   *regexp.Regexp
	longest int
}

func newNaming(pattern string, longest int) naming {
	return naming{pattern: pattern, whole: regexp.MustCompile("^(?:" + pattern + ")$"), longest: longest}
}

var (
	anyName = newNaming(`[\.\-_A-Za-z0-9]+`, 64)
	busName = newNaming(`[/\.\-_A-Za-z0-9]+`, 256)
)

func (n naming) check(field string, name *string) error {
	switch {
	case name == nil:
		return missing(field)
	case len(*name) > n.longest:
		return constraint(field, fmt.Sprintf("have length less than or equal to %d", n.longest), *name)
	case !n.whole.MatchString(*name):
		return constraint(field, "satisfy regular expression pattern: "+n.pattern, *name)
	}
	return nil
}

func oneOf[E ~string](field string, given E, allowed []E) error {
	if slices.Contains(allowed, given) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, each := range allowed {
		names[i] = string(each)
	}
	return constraint(field, "satisfy enum value set: ["+strings.Join(names, ", ")+"]", string(given))
}

func between(field string, given *int32, low, high int32) error {
	switch {
	case given == nil:
		return nil
	case *given < low:
		return constraint(field, fmt.Sprintf("have value greater than or equal to %d", low), fmt.Sprint(*given))
	case *given > high:
		return constraint(field, fmt.Sprintf("have value less than or equal to %d", high), fmt.Sprint(*given))
	}
	return nil
}

func atMost(field string, given *string, longest int) error {
	if given != nil && len(*given) > longest {
		return constraint(field, fmt.Sprintf("have length less than or equal to %d", longest), *given)
	}
	return nil
}

// first returns the first error there is.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// page cuts one page out of items, which are sorted by name. A token is the
// name of the last item of the page before.
func page[T any](items []T, name func(T) string, limit *int32, token *string) ([]T, *string, error) {
	if err := between("limit", limit, 1, 100); err != nil {
		return nil, nil, err
	}
	if token != nil {
		from := slices.IndexFunc(items, func(item T) bool { return name(item) > *token })
		if from < 0 {
			return nil, nil, nil
		}
		items = items[from:]
	}
	size := 100
	if limit != nil {
		size = int(*limit)
	}
	if len(items) <= size {
		return items, nil, nil
	}
	last := name(items[size-1])
	return items[:size], &last, nil
}
