package wire

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
)

// operation is one method of a service's implementation.
type operation struct {
	method reflect.Value
	input  reflect.Type
	output reflect.Type
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func operationsOf(impl any) map[string]operation {
	operations := map[string]operation{}
	v := reflect.ValueOf(impl)
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		if isOperation(name, method.Type()) {
			operations[name] = operation{
				method: method,
				input:  method.Type().In(1).Elem(),
				output: method.Type().Out(0).Elem(),
			}
		}
	}
	return operations
}

func isOperation(name string, method reflect.Type) bool {
	return method.NumIn() == 2 && method.NumOut() == 2 &&
		method.In(0) == contextType && isPointerTo(name+"Input", method.In(1)) &&
		isPointerTo(name+"Output", method.Out(0)) && method.Out(1) == errorType
}

func isPointerTo(name string, t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().Name() == name
}

// newInput returns a pointer to an empty input.
func (o operation) newInput() any { return reflect.New(o.input).Interface() }

// perform returns a pointer to the output, which is never nil without an error.
// A panic becomes an error, so that the client is answered.
func (o operation) perform(ctx context.Context, input any) (output any, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	results := o.method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)})
	if err, failed := results[1].Interface().(error); failed {
		return nil, err
	}
	if results[0].IsNil() {
		return reflect.New(o.output).Interface(), nil
	}
	return results[0].Interface(), nil
}
