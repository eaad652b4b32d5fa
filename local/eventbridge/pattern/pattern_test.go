package pattern_test

import (
	"strings"
	"testing"

	"api-destination-credentials/local/eventbridge/pattern"
)

func TestAnEventIsMatchedAsDocumented(t *testing.T) {
	for _, c := range []struct {
		name, pattern, event string
		want                 bool
	}{
		{"exact text", `{"source":["a","b"]}`, `{"source":"b"}`, true},
		{"exact text is case sensitive", `{"source":["a"]}`, `{"source":"A"}`, false},
		{"field names are case sensitive", `{"Source":["a"]}`, `{"source":"a"}`, false},
		{"every field has to match", `{"source":["a"],"account":["1"]}`, `{"source":"a","account":"2"}`, false},
		{"missing field", `{"source":["a"]}`, `{"account":"1"}`, false},
		{"empty text", `{"a":[""]}`, `{"a":""}`, true},
		{"empty text is not null", `{"a":[""]}`, `{"a":null}`, false},
		{"boolean", `{"a":[true]}`, `{"a":true}`, true},
		{"boolean is not its text", `{"a":[true]}`, `{"a":"true"}`, false},
		{"number", `{"a":[300]}`, `{"a":300}`, true},
		{"number in another spelling", `{"a":[300]}`, `{"a":300.0}`, true},
		{"number with an exponent", `{"a":[3.0e2]}`, `{"a":300}`, true},
		{"number is not its text", `{"a":[300]}`, `{"a":"300"}`, false},
		{"null", `{"a":[null]}`, `{"a":null}`, true},
		{"null is not absence", `{"a":[null]}`, `{"b":1}`, false},
		{"null is not an empty list", `{"a":[null]}`, `{"a":[]}`, false},
		{"nested", `{"detail":{"a":{"b":["x"]}}}`, `{"detail":{"a":{"b":"x"}}}`, true},
		{"leaf pattern on an object", `{"detail":{"a":["x"]}}`, `{"detail":{"a":{"b":"x"}}}`, false},
		{"dots in a pattern name", `{"detail":{"a.b":["x"]}}`, `{"detail":{"a":{"b":"x"}}}`, true},
		{"dots in an event name", `{"detail":{"a":{"b":["x"]}}}`, `{"detail":{"a.b":"x","a":{"c":1}}}`, true},
		{"null beside dots in an event name", `{"a":{"b":[{"exists":true}]}}`, `{"a":{"b":null},"a.b":[]}`, true},

		{"prefix", `{"a":[{"prefix":"us-"}]}`, `{"a":"us-east-1"}`, true},
		{"prefix at the end", `{"a":[{"prefix":"us-"}]}`, `{"a":"not us-"}`, false},
		{"prefix on a number", `{"a":[{"prefix":"1"}]}`, `{"a":12}`, false},
		{"prefix ignoring case", `{"a":[{"prefix":{"equals-ignore-case":"EventB"}}]}`, `{"a":"eventbridge"}`, true},
		{"prefix ignoring case, too short", `{"a":[{"prefix":{"equals-ignore-case":"EventB"}}]}`, `{"a":"event"}`, false},
		{"prefix ignoring case over one byte and two", `{"a":[{"prefix":{"equals-ignore-case":"\u212a"}}]}`, `{"a":"kelvin"}`, true},
		{"suffix", `{"a":[{"suffix":".png"}]}`, `{"a":"x.png"}`, true},
		{"suffix in the middle", `{"a":[{"suffix":".png"}]}`, `{"a":"x.png.txt"}`, false},
		{"suffix ignoring case", `{"a":[{"suffix":{"equals-ignore-case":".PNG"}}]}`, `{"a":"x.pNg"}`, true},
		{"equals ignoring case", `{"a":[{"equals-ignore-case":"alice"}]}`, `{"a":"ALICE"}`, true},
		{"equals ignoring case knows two cases", `{"a":[{"equals-ignore-case":"Σ"}]}`, `{"a":"σ"}`, true},
		{"equals ignoring case knows no third case", `{"a":[{"equals-ignore-case":"Σ"}]}`, `{"a":"ς"}`, false},
		{"equals ignoring case beyond two bytes", `{"a":[{"equals-ignore-case":"𐐀"}]}`, `{"a":"𐐨"}`, true},
		{"equals ignoring case is whole", `{"a":[{"equals-ignore-case":"alice"}]}`, `{"a":"alices"}`, false},

		{"wildcard", `{"a":[{"wildcard":"dir/*.png"}]}`, `{"a":"dir/x/y.png"}`, true},
		{"wildcard stands for nothing too", `{"a":[{"wildcard":"a*b"}]}`, `{"a":"ab"}`, true},
		{"wildcard parts in order", `{"a":[{"wildcard":"*a*b*"}]}`, `{"a":"b then a"}`, false},
		{"wildcard does not use a character twice", `{"a":[{"wildcard":"aa*aa"}]}`, `{"a":"aaa"}`, false},
		{"wildcard finds the last part at the end", `{"a":[{"wildcard":"*ab"}]}`, `{"a":"abab"}`, true},
		{"wildcard escapes", `{"a":[{"wildcard":"\\*\\\\*"}]}`, `{"a":"*\\x"}`, true},
		{"wildcard escapes are literal", `{"a":[{"wildcard":"\\*"}]}`, `{"a":"x"}`, false},
		{"star is plain text in exact match", `{"a":["*"]}`, `{"a":"x"}`, false},

		{"anything but", `{"a":[{"anything-but":"x"}]}`, `{"a":"y"}`, true},
		{"anything but itself", `{"a":[{"anything-but":"x"}]}`, `{"a":"x"}`, false},
		{"anything but takes null", `{"a":[{"anything-but":"x"}]}`, `{"a":null}`, true},
		{"anything but needs the field", `{"a":[{"anything-but":"x"}]}`, `{"b":"x"}`, false},
		{"anything but a list", `{"a":[{"anything-but":["x","y"]}]}`, `{"a":"y"}`, false},
		{"anything but numbers", `{"a":[{"anything-but":[1,2]}]}`, `{"a":3}`, true},
		{"anything but a number takes its text", `{"a":[{"anything-but":1}]}`, `{"a":"1"}`, true},
		{"anything but prefix", `{"a":[{"anything-but":{"prefix":"init"}}]}`, `{"a":"initial"}`, false},
		{"anything but prefix takes numbers", `{"a":[{"anything-but":{"prefix":"init"}}]}`, `{"a":1}`, true},
		{"anything but prefixes", `{"a":[{"anything-but":{"prefix":["a","b"]}}]}`, `{"a":"bc"}`, false},
		{"anything but suffix", `{"a":[{"anything-but":{"suffix":".txt"}}]}`, `{"a":"x.png"}`, true},
		{"anything but suffixes", `{"a":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}`, `{"a":"x.rtf"}`, false},
		{"anything but ignoring case", `{"a":[{"anything-but":{"equals-ignore-case":["X","y"]}}]}`, `{"a":"Y"}`, false},
		{"anything but wildcard", `{"a":[{"anything-but":{"wildcard":"*/lib/*"}}]}`, `{"a":"x/lib/y"}`, false},
		{"anything but the empty wildcard", `{"a":[{"anything-but":{"wildcard":""}}]}`, `{"a":"x"}`, true},
		{"anything but in a list of values", `{"a":[{"anything-but":"x"}]}`, `{"a":["x","y"]}`, true},

		{"numeric equal", `{"a":[{"numeric":["=",3.018e2]}]}`, `{"a":301.8}`, true},
		{"numeric range", `{"a":[{"numeric":[">",0,"<=",5]}]}`, `{"a":5}`, true},
		{"numeric range ends", `{"a":[{"numeric":[">",0,"<=",5]}]}`, `{"a":0}`, false},
		{"numeric negative", `{"a":[{"numeric":["<",-1.5]}]}`, `{"a":-1.50001}`, true},
		{"numeric at or above", `{"a":[{"numeric":[">=",-0]}]}`, `{"a":0.0}`, true},
		{"numeric is exact beyond binary fractions", `{"a":[{"numeric":["=",0.3]}]}`, `{"a":0.30000000000000001}`, false},
		{"numeric is exact in the last digit", `{"a":[{"numeric":["<",4999999999.999999]}]}`, `{"a":4999999999.999998}`, true},
		{"numeric on text", `{"a":[{"numeric":["=",1]}]}`, `{"a":"1"}`, false},
		{"numeric outside the range", `{"a":[{"numeric":[">",0]}]}`, `{"a":5000000000.1}`, false},
		{"numeric on a huge exponent", `{"a":[{"numeric":[">",0]}]}`, `{"a":1e999999999999999999999}`, false},
		{"numeric on a tiny number", `{"a":[{"numeric":[">",0]}]}`, `{"a":1e-999999999}`, true},

		{"cidr", `{"a":[{"cidr":"10.0.0.0/24"}]}`, `{"a":"10.0.0.255"}`, true},
		{"cidr outside", `{"a":[{"cidr":"10.0.0.0/24"}]}`, `{"a":"10.0.1.0"}`, false},
		{"cidr on no address", `{"a":[{"cidr":"10.0.0.0/24"}]}`, `{"a":"ten"}`, false},
		{"cidr of version 6", `{"a":[{"cidr":"2001:db8::/32"}]}`, `{"a":"2001:db8:1::1"}`, true},

		{"cidr of all of version 4 leaves out version 6", `{"a":[{"cidr":"0.0.0.0/0"}]}`, `{"a":"::"}`, false},
		{"cidr takes version 4 as mapped into version 6", `{"a":[{"cidr":"10.0.0.0/8"}]}`, `{"a":"::ffff:a00:1"}`, true},
		{"an address is text where no cidr asks for it", `{"a":["2001:db8::1"]}`, `{"a":"2001:DB8::1"}`, false},
		{"cidr takes no mix of both versions", `{"a":[{"cidr":"10.0.0.0/8"}]}`, `{"a":"::ffff:10.0.0.1"}`, false},

		{"exists", `{"a":[{"exists":true}]}`, `{"a":null}`, true},
		{"exists is about leaves", `{"a":[{"exists":true}]}`, `{"a":{"b":1}}`, false},
		{"does not exist", `{"a":[{"exists":false}]}`, `{"b":1}`, true},
		{"does not exist though it does", `{"a":[{"exists":false}]}`, `{"a":1}`, false},
		{"does not exist below a missing parent", `{"a":{"b":{"c":[{"anything-but":"x"},{"exists":false}]}}}`, `{"a":{"d":1}}`, true},
		{"does not exist in an empty list", `{"a":{"b":[{"exists":false}]}}`, `{"a":[]}`, true},
		{"exists in any element is existing", `{"a":{"b":["x"],"c":[{"exists":false}]}}`, `{"a":[{"b":"x"},{"c":1}]}`, false},

		{"list in the event", `{"resources":["r2"]}`, `{"resources":["r1","r2"]}`, true},
		{"list without it", `{"resources":["r3"]}`, `{"resources":["r1","r2"]}`, false},
		{"list of objects", `{"a":{"b":["x"]}}`, `{"a":[{"b":"y"},{"b":"x"}]}`, true},
		{"fields of one element", `{"a":{"b":["x"],"c":[1]}}`, `{"a":[{"b":"x","c":1},{"b":"y","c":2}]}`, true},
		{"fields of different elements", `{"a":{"b":["x"],"c":[2]}}`, `{"a":[{"b":"x","c":1},{"b":"y","c":2}]}`, false},
		{"list in a list", `{"a":{"b":["x"]}}`, `{"a":[[{"b":"y"}],[{"b":"x"}]]}`, true},

		{"or, first", `{"$or":[{"a":[1]},{"b":[2]}]}`, `{"a":1}`, true},
		{"or, second", `{"$or":[{"a":[1]},{"b":[2]}]}`, `{"b":2}`, true},
		{"or, neither", `{"$or":[{"a":[1]},{"b":[2]}]}`, `{"a":2,"b":1}`, false},
		{"or beside a field", `{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}`, `{"s":"y","a":1}`, false},
		{"or nested", `{"detail":{"$or":[{"c":[{"numeric":[">",0]}]},{"d":[{"numeric":["<",10]}]}]}}`, `{"detail":{"c":0,"d":0}}`, true},
		{"or within or", `{"$or":[{"a":[1]},{"b":[2],"$or":[{"c":[3]},{"d":[4]}]}]}`, `{"b":2,"d":4}`, true},
		{"or keeps to one element of a list", `{"a":{"b":["x"]},"$or":[{"a":{"c":[2]}},{"z":[1]}]}`, `{"a":[{"b":"x","c":1},{"b":"y","c":2}]}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			compiled, err := pattern.Compile(c.pattern)
			if err != nil {
				t.Fatalf("Compile(%s): %v", c.pattern, err)
			}
			event, err := pattern.ReadEvent([]byte(c.event))
			if err != nil {
				t.Fatal(err)
			}
			if got := compiled.Matches(event); got != c.want {
				t.Errorf("%s on %s: matches = %v, want %v", c.pattern, c.event, got, c.want)
			}
		})
	}
}

func TestAWrongPatternIsRefusedWithTheReason(t *testing.T) {
	eleven := `"$or":[` + strings.TrimSuffix(strings.Repeat(`{"a":[1]},`, 11), ",") + `]`
	for _, c := range []struct{ pattern, want string }{
		{`["a"]`, "Filter is not an object"},
		{`{`, "unexpected EOF"},
		{`{"a":["x"]} trailing`, "unexpected text"},
		{`{}`, "Empty objects are not allowed"},
		{`{"a":{}}`, "Empty objects are not allowed"},
		{`{"a":[]}`, "Empty arrays are not allowed"},
		{`{"int":42}`, `"int" must be an object or an array`},
		{`{"a":[["x"]]}`, "Match value must be String, number, true, false, or null"},
		{`{"a":[{"EXISTS":true}]}`, "Unrecognized match type EXISTS"},
		{`{"a":[{"exists":"yes"}]}`, "exists match pattern must be either true or false."},
		{`{"a":[{"prefix":"a","suffix":"b"}]}`, "Only one key allowed in match expression"},
		{`{"a":[{"prefix":["a"]}]}`, "prefix match pattern must be a string"},
		{`{"a":[{"suffix":1}]}`, "suffix match pattern must be a string"},
		{`{"a":[{"prefix":{"wildcard":"a"}}]}`, "Unsupported prefix match pattern: wildcard"},
		{`{"a":[{"equals-ignore-case":["a"]}]}`, "equals-ignore-case match pattern must be a string"},
		{`{"a":[{"wildcard":1}]}`, "wildcard match pattern must be a string"},
		{`{"a":[{"wildcard":"a**b"}]}`, "Consecutive wildcard characters at pos 2"},
		{`{"a":[{"wildcard":"a\\b"}]}`, "Invalid escape character at pos 1"},
		{`{"a":[{"cidr":"10.0.0.1"}]}`, "Malformed CIDR, one '/' required"},
		{`{"a":[{"cidr":"10.0.0.0/33"}]}`, "Malformed CIDR"},
		{`{"a":[{"cidr":"10.0.0.0/32"}]}`, "IPv4 mask bits must be < 32"},
		{`{"a":[{"cidr":"010.0.0.0/8"}]}`, "Malformed CIDR"},
		{`{"a":[{"cidr":"::10.0.0.0/100"}]}`, "Malformed CIDR"},
		{`{"a":[{"cidr":"2001:db8::/128"}]}`, "IPv6 mask bits must be < 128"},
		{`{"a":[{"anything-but":5000000001}]}`, "Value must be between -5.0E9 and 5.0E9, inclusive"},
		{`{"a":[{"anything-but":[1,1e400]}]}`, "Value must be between -5.0E9 and 5.0E9, inclusive"},
		{`{"a":[{"numeric":"=1"}]}`, "Value of numeric must be an array."},
		{`{"a":[{"numeric":[">",0,">",1]}]}`, "Bad numeric range operator: >"},
		{`{"a":[{"numeric":[">",0,"<"]}]}`, "Value of < must be numeric"},
		{`{"a":[{"numeric":["!",0]}]}`, "Unrecognized numeric range operator: !"},
		{`{"a":[{"numeric":[">",5,"<",5]}]}`, "Bottom must be less than top"},
		{`{"a":[{"numeric":["=",5,"<",6]}]}`, "Too many elements in numeric expression"},
		{`{"a":[{"numeric":[">",1,"<",6,"<",7]}]}`, "Too many elements in numeric expression"},
		{`{"a":[{"numeric":["<",5000000001]}]}`, "Value must be between -5.0E9 and 5.0E9, inclusive"},
		{`{"a":[{"anything-but":null}]}`, "Value of anything-but must be an array or single string/number value."},
		{`{"a":[{"anything-but":["a",1]}]}`, "mixed type is not supported"},
		{`{"a":[{"anything-but":["a",null]}]}`, "Inside anything but list, start|null|boolean is not supported."},
		{`{"a":[{"anything-but":{"prefix":""}}]}`, "Null prefix/suffix not allowed"},
		{`{"a":[{"anything-but":{"suffix":123}}]}`, "prefix/suffix match pattern must be a string"},
		{`{"a":[{"anything-but":{"prefix":{"equals-ignore-case":"a"}}}]}`, "Value of anything-but must be an array or single string/number value."},
		{`{"a":[{"anything-but":{"equals-ignore-case":123}}]}`, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."},
		{`{"a":[{"anything-but":{"numeric":["=",1]}}]}`, "Unsupported anything-but pattern: numeric"},
		{`{"$or":[{"a":[1]}]}`, "$or must be an array of at least two objects"},
		{`{"$or":["a","b"]}`, "$or must be an array of at least two objects"},
		{`{"$or":[{"a":{"exists":["x"]}},{"b":[2]}]}`, "exists is Ruler reserved fieldName which cannot be used inside $or."},
		{`{"a":["x","y"],"$or":[{"a":["y"]},{"z":[1]}]}`, "a field is tested more than once"},
		{`{"a":{"b":["x"]},"a.b":["y"]}`, "a field is tested more than once"},
		{`{"x":{` + eleven + `},"y":{` + eleven + `},"z":{` + eleven + `}}`, "more than 1000 combinations"},
	} {
		_, err := pattern.Compile(c.pattern)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Compile(%s) = %v, want a reason with %q", c.pattern, err, c.want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	compiled, err := pattern.Compile(`{"source":["com.demo"],"detail-type":["t"],"detail":{"state":[{"anything-but":"x"}],"n":[{"numeric":[">",0,"<",10]}]}}`)
	if err != nil {
		b.Fatal(err)
	}
	event, err := pattern.ReadEvent([]byte(`{"source":"com.demo","detail-type":"t","detail":{"state":"y","n":5}}`))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !compiled.Matches(event) {
			b.Fatal("no match")
		}
	}
}
