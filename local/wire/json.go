package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"
)

// jsonProtocol is AWS JSON 1.0 and 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type jsonProtocol struct{ definition definition }

func (p jsonProtocol) request(_ *http.Request, body []byte, input any) error {
	members, err := parseJSON(body)
	if err != nil {
		return err
	}
	return Decode(members, input)
}

func (p jsonProtocol) respond(w http.ResponseWriter, _ string, output any) error {
	return p.write(w, http.StatusOK, p.definition.style().encode(reflect.ValueOf(output)))
}

func (p jsonProtocol) refuse(w http.ResponseWriter, f failure) error {
	w.Header().Set("X-Amzn-Errortype", f.shape)
	p.definition.setQueryError(w, f)
	return p.write(w, f.status(), f.fields(p.definition.style()))
}

func (p jsonProtocol) write(w http.ResponseWriter, status int, value any) error {
	version := p.definition.json
	if version == "" {
		version = "1.1"
	}
	return writeJSON(w, "application/x-amz-json-"+version, status, value)
}

func parseJSON(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("its body is no JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("its body goes on after the JSON value")
	}
	return value, nil
}

func writeJSON(w http.ResponseWriter, contentType string, status int, value any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // policies and templates stay readable, as from AWS
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return write(w, contentType, status, bytes.TrimSuffix(body.Bytes(), []byte("\n")))
}

func write(w http.ResponseWriter, contentType string, status int, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// epochSeconds has milliseconds, and is written without an exponent.
func epochSeconds(t time.Time) any {
	return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64))
}
