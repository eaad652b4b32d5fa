package wire

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// cborProtocol is RPC v2 CBOR, in which the Go SDK talks to CloudWatch.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
type cborProtocol struct{ definition definition }

func (p cborProtocol) request(_ *http.Request, body []byte, input any) error {
	if len(body) == 0 {
		return nil
	}
	value, err := cbor.Decode(body)
	if err != nil {
		return fmt.Errorf("its body is no CBOR: %w", err)
	}
	members, err := fromCBOR(value)
	if err != nil {
		return err
	}
	return Decode(members, input)
}

func (p cborProtocol) respond(w http.ResponseWriter, _ string, output any) error {
	return p.write(w, http.StatusOK, cborStyle.encode(reflect.ValueOf(output)))
}

func (p cborProtocol) refuse(w http.ResponseWriter, f failure) error {
	p.definition.setQueryError(w, f)
	return p.write(w, f.status(), f.fields(cborStyle))
}

func (p cborProtocol) write(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	return write(w, "application/cbor", status, cbor.Encode(toCBOR(value)))
}

const epochTag = 1 // RFC 8949, section 3.4.2

var cborStyle = style{
	time: func(t time.Time) any {
		return &cbor.Tag{ID: epochTag, Value: cbor.Float64(float64(t.UnixMilli()) / 1000)}
	},
	blob:  func(blob []byte) any { return cbor.Slice(blob) },
	float: func(number float64) any { return number },
}

func toCBOR(value any) cbor.Value {
	switch v := value.(type) {
	case cbor.Value:
		return v
	case map[string]any:
		members := cbor.Map{}
		for name, member := range v {
			members[name] = toCBOR(member)
		}
		return members
	case []any:
		list := make(cbor.List, len(v))
		for i := range v {
			list[i] = toCBOR(v[i])
		}
		return list
	case string:
		return cbor.String(v)
	case bool:
		return cbor.Bool(v)
	case float64:
		return cbor.Float64(v)
	case int64:
		if v < 0 {
			return cbor.NegInt(-v)
		}
		return cbor.Uint(v)
	}
	return &cbor.Nil{}
}

func fromCBOR(value cbor.Value) (any, error) {
	switch v := value.(type) {
	case cbor.Map:
		members := make(map[string]any, len(v))
		for name, member := range v {
			converted, err := fromCBOR(member)
			if err != nil {
				return nil, err
			}
			members[name] = converted
		}
		return members, nil
	case cbor.List:
		list := make([]any, len(v))
		for i := range v {
			converted, err := fromCBOR(v[i])
			if err != nil {
				return nil, err
			}
			list[i] = converted
		}
		return list, nil
	case *cbor.Tag:
		if v.ID != epochTag {
			return nil, fmt.Errorf("its CBOR has the tag %d, and only times (1) are expected", v.ID)
		}
		return fromCBOR(v.Value)
	case cbor.Slice:
		return []byte(v), nil
	case cbor.String:
		return string(v), nil
	case cbor.Bool:
		return bool(v), nil
	case cbor.Uint:
		return uint64(v), nil
	case cbor.NegInt:
		if v == 0 || v > math.MaxInt64 {
			return nil, fmt.Errorf("its CBOR has a number below the smallest of 64 bits")
		}
		return -int64(v), nil
	case cbor.Float32:
		return float64(v), nil
	case cbor.Float64:
		return float64(v), nil
	}
	return nil, nil
}
