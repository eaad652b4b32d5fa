package policy_test

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"api-destination-credentials/local/iam/policy"
)

// request is one that the seeds allow.
func request(value func(string) (string, bool)) policy.Request {
	return policy.Request{
		Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:queue",
		Names:   []string{"arn:aws:iam::111122223333:role/sender"},
		Account: "111122223333", Value: value,
	}
}

// FuzzParse holds that what is no policy is an error, that a document always
// says the same, and that a Deny of everything outweighs whatever it allows.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:${aws:PrincipalTag/a, 'queue'}"}}`,
		`{"Id":"a","Statement":[{"Sid":"1","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sqs:SendMessage"],"Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:*"}}}]}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:role/sender","111122223333"]},"NotAction":"kms:*","NotResource":"arn:aws:sqs:us-east-1:111122223333:q?*"},{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com","AWS":"*"},"Action":"sts:AssumeRole","Condition":{"NumericLessThan":{"aws:x":5},"Bool":{"aws:y":true},"DateGreaterThan":{"aws:z":"2026-01-01"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Null":{"aws:x":"false"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Action":"sqs:Nothing","Resource":"*"}]}`,
		`{"statement":[]}`, `null`, `{"Statement":null}`, `{"Statement":[[]]}`, ``,
	} {
		for kind := range 3 {
			f.Add(seed, byte(kind), "10.1.2.3")
		}
	}
	f.Fuzz(func(t *testing.T, source string, kindOf byte, value string) {
		kind := policy.Kind(kindOf % 3)
		document, err := policy.Parse(source, kind)
		if err != nil {
			if document != nil || strings.TrimSpace(err.Error()) == "" {
				t.Errorf("%q gives %v and the error %q", source, document, err)
			}
			return
		}
		var parts struct{ Statement json.RawMessage }
		if err := json.Unmarshal([]byte(source), &parts); err != nil || parts.Statement == nil {
			t.Fatalf("%q is a policy though it is not JSON with a Statement: %v", source, err)
		}
		asked := request(func(key string) (string, bool) { return value, !strings.Contains(key, "absent") })
		verdict := document.Evaluate(asked)
		if document.Evaluate(asked) != verdict {
			t.Errorf("%q is undecided", source)
		}
		denial := map[policy.Kind]string{
			policy.Identity: `{"Effect":"Deny","Action":"*","Resource":"*"}`,
			policy.Resource: `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`,
			policy.Trust:    `{"Effect":"Deny","Principal":"*","Action":"sts:*"}`,
		}[kind]
		if kind == policy.Trust {
			asked.Action = "sts:AssumeRole"
		}
		statements := strings.TrimSpace(string(parts.Statement))
		if strings.HasPrefix(statements, "[") {
			statements = statements[1 : len(statements)-1]
		}
		stricter, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+statements+`,`+denial+`]}`, kind)
		if err != nil {
			// Only Version 2012-10-17 knows variables, which may be malformed.
			if !strings.Contains(source, "$") {
				t.Errorf("%q with a Deny is refused: %v", source, err)
			}
			return
		}
		if !stricter.Evaluate(asked).Denied {
			t.Errorf("%q with a Deny of everything does not deny", source)
		}
	})
}

// FuzzWildcard compares both kinds of patterns with a plain one that tries every way.
func FuzzWildcard(f *testing.F) {
	for _, seed := range [][2]string{
		{"a*b?c", "axxbyc"}, {"*", ""}, {"**?", "é"}, {"*a*a*b", "aaaaaaaaab"}, {"arn:aws:s3:::b/*", "arn:aws:s3:::b/a:c"},
		{"arn:*:queue", "arn:aws:sqs:us-east-1:1:queue"}, {"arn:aws:sqs:*:1:?", "arn:aws:sqs:us-east-1:1:\xff"}, {"${aws:x}", "v"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, form, value string) {
		encoded, err := json.Marshal(form)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, &form); err != nil {
			t.Fatal(err)
		}
		// Version 2008-10-17 has no variables, so that $ is any character.
		allowed := func(element, resource string) bool {
			document, err := policy.Parse(`{"Statement":{"Effect":"Allow","Action":"*",`+element+`}}`, policy.Identity)
			if err != nil {
				t.Fatal(err)
			}
			asked := request(func(string) (string, bool) { return value, true })
			asked.Resource = resource
			return document.Evaluate(asked).Allowed
		}
		want := like([]rune(form), []rune(value))
		if got := allowed(`"Resource":"*","Condition":{"StringLike":{"aws:x":`+string(encoded)+`}}`, ""); got != want {
			t.Errorf("StringLike %q on %q: %v, want %v", form, value, got, want)
		}
		if got := allowed(`"Resource":"*","Condition":{"StringNotLike":{"aws:x":[`+string(encoded)+`]}}`, ""); got == want {
			t.Errorf("StringNotLike %q on %q: %v, want %v", form, value, got, !want)
		}
		want = likeARN(form, value)
		if got := allowed(`"Resource":"*","Condition":{"ArnLike":{"aws:x":`+string(encoded)+`}}`, ""); got != want {
			t.Errorf("ArnLike %q on %q: %v, want %v", form, value, got, want)
		}
		if strings.HasPrefix(form, "arn:") {
			if got := allowed(`"Resource":`+string(encoded), value); got != want {
				t.Errorf("Resource %q on %q: %v, want %v", form, value, got, want)
			}
		}
	})
}

// like keeps which beginnings of value the pattern's beginning matches.
func like(form, value []rune) bool {
	matched := make([]bool, len(value)+1)
	matched[0] = true
	for _, wanted := range form {
		next := make([]bool, len(matched))
		for i := range next {
			if wanted == '*' {
				next[i] = matched[i] || i > 0 && next[i-1]
			} else {
				next[i] = i > 0 && matched[i-1] && (wanted == '?' || wanted == value[i-1])
			}
		}
		matched = next
	}
	return matched[len(value)]
}

// likeARN compares the six parts of both; a pattern with fewer of them says
// nothing of the others.
func likeARN(form, value string) bool {
	forms, values := strings.SplitN(form, ":", 6), strings.SplitN(value, ":", 6)
	if len(forms) > len(values) {
		return false
	}
	for i := range forms {
		if !like([]rune(forms[i]), []rune(values[i])) {
			return false
		}
	}
	return true
}

// FuzzCondition holds that each operator and its negation are opposites where
// the request has the key, that a missing key fails the plain one only, and
// that the four comparisons of numbers agree with exact arithmetic.
func FuzzCondition(f *testing.F) {
	for _, seed := range [][2]string{
		{"a", "A"}, {"10.0.0.0/8", "10.1.2.3"}, {"::/0", "::1"}, {"5", "5.0"}, {"NaN", "1"}, {"1", "nan"}, {"Inf", "1"}, {"0x10", "16"}, {"-.5e+1", "-5."}, {"1e400", "1"},
		{"2026-11-23T08:00:00Z", "1795420800"}, {"arn:aws:s3:::*", "arn:aws:s3:::b"}, {"true", "TRUE"}, {"${aws:x}", "${aws:x}"},
	} {
		f.Add(seed[0], seed[1])
	}
	pairs := [][2]string{
		{"StringEquals", "StringNotEquals"}, {"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}, {"StringLike", "StringNotLike"},
		{"ArnLike", "ArnNotLike"}, {"ArnEquals", "ArnNotEquals"}, {"NumericEquals", "NumericNotEquals"}, {"DateEquals", "DateNotEquals"}, {"IpAddress", "NotIpAddress"},
	}
	f.Fuzz(func(t *testing.T, limit, value string) {
		encoded, err := json.Marshal(limit)
		if err != nil {
			t.Fatal(err)
		}
		holds := func(operator string, present bool) (result, valid bool) {
			document, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+operator+`":{"aws:x":`+string(encoded)+`}}}}`, policy.Identity)
			if err != nil {
				return false, false
			}
			return document.Evaluate(request(func(string) (string, bool) { return value, present })).Allowed, true
		}
		for _, pair := range pairs {
			plain, valid := holds(pair[0], true)
			negated, alsoValid := holds(pair[1], true)
			if valid != alsoValid || valid && plain == negated {
				t.Errorf("%s and %s of %q on %q: %v and %v", pair[0], pair[1], limit, value, plain, negated)
			}
			plain, _ = holds(pair[0], false)
			if negated, _ = holds(pair[1], false); valid && (plain || !negated) {
				t.Errorf("%s and %s of %q without the key: %v and %v", pair[0], pair[1], limit, plain, negated)
			}
		}
		wanted, isNumber := exact(limit)
		given, comparable := exact(value)
		for operator, want := range map[string]func(int) bool{
			"NumericEquals":            func(order int) bool { return order == 0 },
			"NumericLessThan":          func(order int) bool { return order < 0 },
			"NumericLessThanEquals":    func(order int) bool { return order <= 0 },
			"NumericGreaterThan":       func(order int) bool { return order > 0 },
			"NumericGreaterThanEquals": func(order int) bool { return order >= 0 },
		} {
			got, valid := holds(operator, true)
			if valid != isNumber {
				t.Fatalf("%s takes %q: %v, and that it is a number: %v", operator, limit, valid, isNumber)
			}
			if valid && got != (comparable && want(given.Cmp(wanted))) {
				t.Errorf("%s of %q on %q: %v", operator, limit, value, got)
			}
		}
	})
}

// exact reads an integer or a decimal, as far as a float64 holds it.
func exact(text string) (*big.Float, bool) {
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return nil, false
	}
	number, err := strconv.ParseFloat(text, 64)
	return big.NewFloat(number), err == nil
}
